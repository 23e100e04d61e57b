"""Answers Prometheus' HTTP service discovery with the pods and the node of this cluster.

Debian's Prometheus is built without Kubernetes discovery; upstream's has it, but one configuration must run with both.
Standard library only: it runs in any Python image.
"""

import json
import os
import ssl
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PORT = 9099
PORT_ANNOTATION = "prometheus.io/port"


def listed(path: str) -> list[dict]:
    """Return the items of a list of the Kubernetes API."""
    address = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}"
    token = (ACCOUNT / "token").read_text()
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, context=trust, timeout=5) as answer:
        return json.load(answer)["items"]


def pods() -> list[dict]:
    """Return a target for each running pod of ours that names a port by annotation."""
    selector = urllib.parse.quote("app.kubernetes.io/part-of=tarmac")
    return [
        target(pod)
        for pod in listed(f"/api/v1/pods?labelSelector={selector}&fieldSelector=status.phase%3DRunning")
        if PORT_ANNOTATION in pod["metadata"].get("annotations", {}) and pod["status"].get("podIP")
    ]


def target(pod: dict) -> dict:
    """Return a pod as a target: its address, and where it comes from as labels."""
    meta = pod["metadata"]
    return {
        "targets": [f"{pod['status']['podIP']}:{meta['annotations'][PORT_ANNOTATION]}"],
        "labels": {
            "namespace": meta["namespace"],
            "pod": meta["name"],
            "app": meta["labels"].get("app.kubernetes.io/name", ""),
        },
    }


def nodes() -> list[dict]:
    """Return a target for the kubelet of each node."""
    return [
        {"targets": [f"{address['address']}:10250"], "labels": {"node": node["metadata"]["name"]}}
        for node in listed("/api/v1/nodes")
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    ]


class Discovery(BaseHTTPRequestHandler):
    """GET /pods and GET /nodes."""

    answers = {"/pods": pods, "/nodes": nodes}

    def do_GET(self) -> None:
        """Answer with the targets as they are now."""
        if self.path not in self.answers:
            self.send_error(404)
            return
        try:
            body = json.dumps(self.answers[self.path]()).encode()
        except OSError as error:
            # Prometheus keeps its last list when discovery fails.
            self.send_error(503, str(error))
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: Prometheus logs what fails."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Discovery).serve_forever()

"""Answers Prometheus' HTTP service discovery with the pods and the node of this cluster.

Debian's Prometheus is built without Kubernetes discovery; upstream's has it, but one configuration must run with both.
Standard library only: it runs in any Python image.
"""

import http.client
import json
import os
import ssl
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PORT = 9099
PORT_ANNOTATION = "prometheus.io/port"
PATH_ANNOTATION = "prometheus.io/path"
INTERVAL_ANNOTATION = "prometheus.io/interval"
TRACK_LABEL = "tarmac.dev/track"
WATCH_SECONDS, RETRY_SECONDS = 300, 2
PODS = "/api/v1/pods?" + urllib.parse.urlencode(
    {"labelSelector": "app.kubernetes.io/part-of=tarmac", "fieldSelector": "status.phase=Running"}
)


def opened(path: str, seconds: float) -> http.client.HTTPResponse:
    """Ask the Kubernetes API; the answer, to be read and closed."""
    address = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}"
    token = (ACCOUNT / "token").read_text()
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    return urllib.request.urlopen(request, context=trust, timeout=seconds)


def listed(path: str) -> dict:
    """Return a list of the Kubernetes API."""
    with opened(path, 5) as answer:
        return json.load(answer)


class Pods:
    """The pods of ours, kept by a watch: Prometheus asks every two seconds, and a list each time costs both sides."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, dict] | None = None
        self._failure = OSError("not listed yet")

    def now(self) -> list[dict]:
        """Return the pods as they are now.

        Raises:
            OSError: the API did not answer when it was last asked.
        """
        with self._lock:
            if self._known is None:
                raise self._failure
            return list(self._known.values())

    def follow(self, over: threading.Event) -> None:
        """List, then watch, until it is over; with a pause where the API does not answer."""
        while not over.is_set():
            try:
                self.once()
            except (OSError, ValueError) as error:
                with self._lock:
                    self._known, self._failure = None, OSError(error)
                over.wait(RETRY_SECONDS)

    def once(self) -> None:
        """List, and follow one watch to its end."""
        found = listed(PODS)
        with self._lock:
            self._known = {pod["metadata"]["uid"]: pod for pod in found["items"]}
        version = found["metadata"]["resourceVersion"]
        path = f"{PODS}&watch=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}"
        with opened(path, WATCH_SECONDS + 30) as events:
            for line in events:
                event = json.loads(line)
                if event["type"] == "ERROR":  # the version is too old: a list tells the newest
                    return
                self._heard(event["type"], event["object"])

    def _heard(self, kind: str, pod: dict) -> None:
        with self._lock:
            if kind == "DELETED":
                self._known.pop(pod["metadata"]["uid"], None)
            else:
                self._known[pod["metadata"]["uid"]] = pod


def pods() -> list[dict]:
    """Return a target for each running pod of ours that names a port by annotation."""
    return [
        target(pod)
        for pod in KNOWN.now()
        if PORT_ANNOTATION in pod["metadata"].get("annotations", {}) and pod["status"].get("podIP")
    ]


def target(pod: dict) -> dict:
    """Return a pod as a target: its address, where it comes from as labels, and where and how often, if it says so."""
    meta = pod["metadata"]
    interval, path = (meta["annotations"].get(name) for name in (INTERVAL_ANNOTATION, PATH_ANNOTATION))
    track = meta["labels"].get(TRACK_LABEL)
    return {
        "targets": [f"{pod['status']['podIP']}:{meta['annotations'][PORT_ANNOTATION]}"],
        "labels": {
            "namespace": meta["namespace"],
            "pod": meta["name"],
            "app": meta["labels"].get("app.kubernetes.io/name", ""),
        }
        | ({"track": track} if track else {})
        | ({"__metrics_path__": path} if path else {})
        | ({"__scrape_interval__": interval, "__scrape_timeout__": interval} if interval else {}),
    }


def nodes() -> list[dict]:
    """Return a target for the kubelet of each node."""
    return [
        {"targets": [f"{address['address']}:10250"], "labels": {"node": node["metadata"]["name"]}}
        for node in listed("/api/v1/nodes")["items"]
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    ]


KNOWN = Pods()


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
    threading.Thread(target=KNOWN.follow, args=[threading.Event()], name="pods", daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", PORT), Discovery).serve_forever()

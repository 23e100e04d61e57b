"""How Prometheus learns what there is to read: the real program, with the Kubernetes API as a fake at the wire."""

import importlib.util
import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from contract.charts.rendering import HELM

POD: dict[str, Any] = {
    "metadata": {
        "name": "ingest-consumer-1", "namespace": "chain",
        "labels": {"app.kubernetes.io/name": "ingest"}, "annotations": {"prometheus.io/port": "8080"},
    },
    "status": {"podIP": "10.244.0.7"},
}  # fmt: skip
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "/api/v1/pods": [
        POD,
        {**POD, "metadata": {**POD["metadata"], "annotations": {}}},
        {**POD, "metadata": {key: value for key, value in POD["metadata"].items() if key != "annotations"}},
        {**POD, "status": {}},
    ],
    "/api/v1/nodes": [
        {
            "metadata": {"name": "node-1"},
            "status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}, {"type": "Hostname"}]},
        }
    ],
}


class Api:
    """The Kubernetes API's side of the wire."""

    def __init__(self) -> None:
        self.asked: list[urllib.request.Request] = []
        self.down = False

    def __call__(self, request: urllib.request.Request, **_: object) -> io.BytesIO:
        """Answer a request with the list that it asks for."""
        self.asked.append(request)
        if self.down:
            raise urllib.error.URLError("refused")
        return io.BytesIO(json.dumps({"items": ANSWERS[request.selector.split("?")[0]]}).encode())


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """Return an API server that answers."""
    api = Api()
    monkeypatch.setattr(urllib.request, "urlopen", api)
    monkeypatch.setattr("ssl.create_default_context", lambda cafile: cafile)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return api


@pytest.fixture
def discovery(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of the chart's program, run as it stands."""
    module = _loaded()
    (tmp_path / "token").write_text("the-token")
    monkeypatch.setattr(module, "ACCOUNT", tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), module.Discovery)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    assert not api.asked
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("targets", HELM / "prometheus" / "files" / "targets.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_running_pods_that_name_a_port_are_targets(discovery: str, api: Api) -> None:
    """Address and port as annotated, with the labels that alerts go by; pods without a port are left out."""
    assert httpx.get(f"{discovery}/pods").json() == [
        {
            "targets": ["10.244.0.7:8080"],
            "labels": {"namespace": "chain", "pod": "ingest-consumer-1", "app": "ingest"},
        }
    ]
    (request,) = api.asked
    assert request.headers["Authorization"] == "Bearer the-token"
    assert "part-of%3Dtarmac" in request.selector
    assert "status.phase%3DRunning" in request.selector


def test_the_kubelet_of_each_node_is_a_target(discovery: str) -> None:
    """By its address inside the cluster."""
    assert httpx.get(f"{discovery}/nodes").json() == [{"targets": ["172.18.0.2:10250"], "labels": {"node": "node-1"}}]


def test_an_api_server_that_is_down_keeps_prometheus_last_list(discovery: str, api: Api) -> None:
    """503 and not an empty list: nothing disappears because a question failed; afterwards all is as before."""
    api.down = True
    assert httpx.get(f"{discovery}/pods").status_code == 503
    api.down = False
    assert len(httpx.get(f"{discovery}/pods").json()) == 1


def test_nothing_else_is_answered(discovery: str) -> None:
    """It is no way into the API."""
    assert httpx.get(f"{discovery}/api/v1/secrets").status_code == 404

"""How Prometheus learns what there is to read: the real program, with the Kubernetes API as a fake at the wire."""

import importlib.util
import io
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from contract.charts.rendering import HELM

POD: dict[str, Any] = {
    "metadata": {
        "name": "ingest-consumer-1", "namespace": "chain", "uid": "1",
        "labels": {"app.kubernetes.io/name": "ingest"}, "annotations": {"prometheus.io/port": "8080"},
    },
    "status": {"podIP": "10.244.0.7"},
}  # fmt: skip
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "/api/v1/pods": [
        POD,
        {**POD, "metadata": {**POD["metadata"], "uid": "2", "annotations": {}}},
        {
            **POD,
            "metadata": {**{key: value for key, value in POD["metadata"].items() if key != "annotations"}, "uid": "3"},
        },
        {**POD, "metadata": {**POD["metadata"], "uid": "4"}, "status": {}},
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
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.down = False

    def __call__(self, request: urllib.request.Request, **_: object) -> io.BytesIO:
        """Answer a request with the list that it asks for, or with the events of a watch, which then ends."""
        self.asked.append(request)
        if self.down:
            raise urllib.error.URLError("refused")
        if "watch=true" in request.selector:
            lines = [json.dumps({"type": kind, "object": each}) for kind, each in self.events]
            return io.BytesIO("".join(f"{line}\n" for line in lines).encode())
        found = {"metadata": {"resourceVersion": "7"}, "items": ANSWERS[request.selector.split("?")[0]]}
        return io.BytesIO(json.dumps(found).encode())


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
def program() -> ModuleType:
    """Return the chart's program."""
    return _loaded()


@pytest.fixture
def discovery(program: ModuleType, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of the chart's program, run as it stands."""
    module = program
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


def test_running_pods_that_name_a_port_are_targets(program: ModuleType, discovery: str, api: Api) -> None:
    """Address and port as annotated, with the labels that alerts go by; pods without a port are left out."""
    program.KNOWN.once()
    assert httpx.get(f"{discovery}/pods").json() == [
        {
            "targets": ["10.244.0.7:8080"],
            "labels": {"namespace": "chain", "pod": "ingest-consumer-1", "app": "ingest"},
        }
    ]
    listing, watching = api.asked
    assert listing.headers["Authorization"] == "Bearer the-token"
    assert "part-of%3Dtarmac" in listing.selector
    assert "status.phase%3DRunning" in listing.selector
    assert watching.selector.startswith(listing.selector)
    assert "resourceVersion=7" in watching.selector


def test_a_pod_may_ask_to_be_read_more_often(program: ModuleType) -> None:
    """Its annotation becomes the interval of its scrapes, and their time limit, which must not be longer."""
    annotations = {"prometheus.io/port": "8080", "prometheus.io/interval": "2s"}
    labels = program.target({**POD, "metadata": {**POD["metadata"], "annotations": annotations}})["labels"]
    assert (labels["__scrape_interval__"], labels["__scrape_timeout__"]) == ("2s", "2s")


def test_a_pod_may_have_its_figures_elsewhere(program: ModuleType) -> None:
    """Envoy's are not under /metrics; its annotation says where."""
    annotations = {"prometheus.io/port": "19001", "prometheus.io/path": "/stats/prometheus"}
    labels = program.target({**POD, "metadata": {**POD["metadata"], "annotations": annotations}})["labels"]
    assert labels["__metrics_path__"] == "/stats/prometheus"


def test_a_pods_track_is_told(program: ModuleType) -> None:
    """A release compares the figures of its tracks: each says which one it is of."""
    labels = {"app.kubernetes.io/name": "serving", "tarmac.dev/track": "canary"}
    assert program.target({**POD, "metadata": {**POD["metadata"], "labels": labels}})["labels"]["track"] == "canary"


def test_a_pod_that_comes_moves_or_goes_is_known_without_another_list(
    program: ModuleType, discovery: str, api: Api
) -> None:
    """What the watch tells is what Prometheus hears; a watch that says that it is too old leads to a list."""
    other = {**POD, "metadata": {**POD["metadata"], "uid": "5"}, "status": {"podIP": "10.244.0.8"}}
    moved = {**other, "status": {"podIP": "10.244.0.9"}}
    api.events = [("ADDED", other), ("MODIFIED", moved), ("DELETED", POD), ("ERROR", {"code": 410})]
    program.KNOWN.once()
    assert [each["targets"] for each in httpx.get(f"{discovery}/pods").json()] == [["10.244.0.9:8080"]]


def test_the_kubelet_of_each_node_is_a_target(discovery: str) -> None:
    """By its address inside the cluster."""
    assert httpx.get(f"{discovery}/nodes").json() == [{"targets": ["172.18.0.2:10250"], "labels": {"node": "node-1"}}]


def test_an_api_server_that_is_down_keeps_prometheus_last_list(
    program: ModuleType, discovery: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and not an empty list: nothing disappears because a question failed; afterwards all is as before."""
    monkeypatch.setattr(program, "RETRY_SECONDS", 0.01)
    over, api.down = threading.Event(), True
    following = threading.Thread(target=program.KNOWN.follow, args=[over])
    following.start()
    try:
        _until(lambda: len(api.asked) > 1)
        assert httpx.get(f"{discovery}/pods").status_code == 503
        api.down = False
        _until(lambda: httpx.get(f"{discovery}/pods").status_code == 200)
        assert len(httpx.get(f"{discovery}/pods").json()) == 1
    finally:
        over.set()
        following.join()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_else_is_answered(discovery: str) -> None:
    """It is no way into the API."""
    assert httpx.get(f"{discovery}/api/v1/secrets").status_code == 404

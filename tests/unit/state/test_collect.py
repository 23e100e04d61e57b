"""Collecting a bundle from a running cluster; the wire is faked, everything else is real."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from lab.settings import Settings
from lab.state.collect import Wanted, collect
from lab.state.health import Declared
from lab.state.web import Web

_PIN = "hunter2-Zq8"
_WANTED = Wanted(
    lab="01",
    namespace="lab-01",
    metrics={"rate": "sum(x)"},
    http={"report": "lab-01:/report", "down": "ingest:/nothing"},
    groups=["readers"],
    traces=["ingest"],
)


_HEALTH: dict[str, list[dict[str, Any]]] = {}
"""What the API server holds besides one object of each kind; by kind."""


class _Api:
    """The API server's side of the wire."""

    def find(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Answer with one object of each kind."""
        if kind in _HEALTH:
            return [{"kind": kind, **each} for each in _HEALTH[kind]]
        names = ["kube-root-ca.crt", "mine"] if kind == "ConfigMap" else ["mine"]
        return [
            {
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace, "uid": "u"},
                "data": {"password": _PIN},
            }
            for name in names
        ]

    def version(self) -> str:
        """Answer with a version."""
        return "v1.37.2"

    def skew(self) -> float:
        """Answer with clocks that are equal."""
        return 0.25

    def log(  # noqa: PLR0913  as the API has it
        self, pod: str, namespace: str, container: str, *, previous: bool = False, lines: int = 8,
        seconds: int | None = None,
    ) -> str:  # fmt: skip
        """Answer with a quiet line, one that warns, and one that tells a password."""
        assert (namespace, lines > 0) == ("chain", True)
        return f"all is well\nwarning: {pod} {container} {previous} {seconds}\nerror: password={_PIN}"


class _Broker:
    """The broker's side of the wire."""

    def topics(self) -> dict[str, dict[str, Any]]:
        """Answer with one topic."""
        return {"flights": {"partitions": 1, "config": {}, "begin": [0], "end": [5]}}

    def groups(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Answer with every group's place."""
        return {name: {"flights": [{"partition": 0, "committed": 5, "lag": 0}]} for name in names}


class _Dead(_Broker):
    """A broker that does not answer."""

    def topics(self) -> dict[str, dict[str, Any]]:
        """Fail as a client does."""
        message = "no brokers"
        raise ConnectionError(message)


def _reply(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/report":
        return httpx.Response(200, json={"agree": True, "token": _PIN})
    if request.url.path == "/api/v1/query":
        vector = [{"metric": {"site": "EWR"}, "value": [1.0, "2.5"]}, {"metric": {}, "value": []}]
        return httpx.Response(200, json={"status": "success", "data": {"result": vector}})
    if request.url.path == "/api/traces":
        trace = {
            "traceID": "a1",
            "spans": [{"operationName": "send"}, {"operationName": "receive"}],
            "processes": {"p1": {"serviceName": "ingest"}},
        }
        return httpx.Response(200, json={"data": [trace]})
    if request.url.path == "/api/v1/targets":
        labels = {"job": "pods", "namespace": "chain", "pod": "ingest-1"}
        target = {"labels": labels, "health": "down", "lastError": "connection refused"}
        return httpx.Response(200, json={"data": {"activeTargets": [target]}})
    message = "refused"
    raise httpx.ConnectError(message)


@pytest.fixture
def web() -> Web:
    """Return the questioner with a fake at the wire."""
    return Web(Settings.load({"LAB_PORT_OFFSET": "100"}), httpx.Client(transport=httpx.MockTransport(_reply)))


def test_a_bundle_holds_what_the_lab_asks_for_and_no_secret(web: Web) -> None:
    """Objects, topics, groups, metrics, traces and answers are there; passwords and tokens are not."""
    state: Any = collect(_WANTED, _Api(), _Broker(), web)
    assert state["answers"]["report"] == {"status": 200, "body": {"agree": True, "token": "REDACTED"}}
    assert state["metrics"] == {"rate": [{"labels": {"site": "EWR"}, "value": 2.5}]}
    assert state["traces"]["ingest"] == [{"traceId": "a1", "operations": ["receive", "send"], "services": ["ingest"]}]
    assert state["topics"]["flights"]["end"] == [5]
    assert state["versions"] == {"kubernetes": "v1.37.2"}
    assert state["problems"] == []
    assert _PIN not in json.dumps(state)
    names = {(item["kind"], item["metadata"]["name"]) for item in state["objects"]}
    assert ("ConfigMap", "mine") in names
    assert ("ConfigMap", "kube-root-ca.crt") not in names


def test_a_service_that_is_down_is_told_with_its_reason(web: Web) -> None:
    """No answer is status 0 and the reason, never an exception."""
    state: Any = collect(_WANTED, _Api(), _Broker(), web)
    assert state["answers"]["down"] == {"status": 0, "body": "ConnectError: refused"}


def test_a_broker_that_is_down_leaves_the_rest_of_the_bundle(web: Web) -> None:
    """A stuck trainee gets a bundle all the same, with a line that says what did not answer."""
    state: Any = collect(_WANTED, _Api(), _Dead(), web)
    assert state["topics"] == {}
    assert state["problems"] == ["kafka: ConnectionError: no brokers"]
    assert state["objects"]


def test_questions_go_to_the_ports_of_the_named_cluster() -> None:
    """A second cluster on shifted ports is asked at its own ports, on this machine only."""
    asked = []

    def record(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.url.port))
        return httpx.Response(200, json={})

    web = Web(Settings.load({"LAB_PORT_OFFSET": "100"}), httpx.Client(transport=httpx.MockTransport(record)))
    assert web.answer("lab-01:/x") == {"status": 200, "body": {}}
    assert web.metric("up") == web.traces("x") == []
    assert asked == [("127.0.0.1", 8181), ("127.0.0.1", 9190), ("127.0.0.1", 16786)]


def test_a_place_of_no_known_service_is_no_answer(web: Web) -> None:
    """A slip in lab.yaml shows up in the bundle by its name."""
    answer = web.answer("nosuch:/x")
    assert answer["status"] == 0
    assert "nosuch" in str(answer["body"])


_MODELS = {
    "": {
        "registered_models": [{"name": "delay-linear"}],
        "next_page_token": "more",
    },
    "more": {
        "registered_models": [
            {
                "name": "delay-boosting",
                "aliases": [{"alias": "champion", "version": "10"}, {"alias": "challenger", "version": 9}],
            }
        ]
    },
}
"""MLflow's answers to a search of models, by page."""
_VERSIONS = {"delay-linear": [], "delay-boosting": [{"version": "10"}, {"version": "9"}]}


def _registry(request: httpx.Request) -> httpx.Response:
    assert request.url.port == 15100
    if request.url.path.endswith("registered-models/search"):
        return httpx.Response(200, json=_MODELS[request.url.params.get("page_token", "")])
    name = request.url.params["filter"].removeprefix("name = '").removesuffix("'")
    return httpx.Response(200, json={"model_versions": _VERSIONS[name]})


def _asked(transport: httpx.MockTransport) -> Any:  # noqa: ANN401  JSON
    web = Web(Settings.load({"LAB_PORT_OFFSET": "100"}), httpx.Client(transport=transport))
    wanted = Wanted(lab="04", namespace="lab-04", models=True)
    return collect(wanted, _Api(), _Broker(), web)


def test_models_are_recorded_with_versions_and_aliases() -> None:
    """All pages of the registry; versions oldest first, also where there are ten and more."""
    state = _asked(httpx.MockTransport(_registry))
    assert state["models"] == {
        "delay-boosting": {"aliases": {"champion": "10", "challenger": "9"}, "versions": [9, 10]},
        "delay-linear": {"aliases": {}, "versions": []},
    }
    assert state["problems"] == []


@pytest.mark.parametrize("answer", [httpx.Response(503, text="starting"), httpx.Response(200, text="<html>")])
def test_a_registry_that_is_down_leaves_the_rest_of_the_bundle(answer: httpx.Response) -> None:
    """No models, and a line that says what MLflow answered."""
    state = _asked(httpx.MockTransport(lambda _: answer))
    assert state["models"] == {}
    assert state["problems"][0].startswith("mlflow: ConnectionError: registered-models: ")
    assert state["objects"]


def test_a_lab_without_a_registry_does_not_ask_it(web: Web) -> None:
    """Labs 01 and 02 have no MLflow: no models, and no problem either."""
    state: Any = collect(dataclasses.replace(_WANTED, models=False), _Api(), _Broker(), web)
    assert (state["models"], state["problems"]) == ({}, [])


def test_routes_of_the_lab_and_of_the_chain_are_recorded(web: Web) -> None:
    """The trainee's own, and the one in `chain` whose weights a release moves, with what it kept there."""
    state: Any = collect(_WANTED, _Api(), _Broker(), web)
    places = {(item["kind"], item["metadata"]["namespace"]) for item in state["objects"]}
    assert {("HTTPRoute", "lab-01"), ("HTTPRoute", "chain"), ("BackendTrafficPolicy", "chain")} <= places


_DECLARED = Declared(["kafka", "ingest"], ["flights"], {"redis": ["password"]}, {"status": "running"}, {"inotify": {}})


def _deep(web: Web, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401  JSON
    """Return a deep recording of a pod that stands, one that does not, two copies of a Secret and a warning."""

    def pod(name: str, *, ready: bool) -> dict[str, Any]:
        status = {"name": "main", "ready": ready, "restartCount": 2}
        spec = {"containers": [{"name": "main", "image": "x", "env": [{"name": "A", "value": "b"}]}], "nodeName": "n"}
        metadata = {"name": name, "namespace": "chain", "uid": "u"}
        return {"metadata": metadata, "spec": spec, "status": {"containerStatuses": [status]}}

    secrets = [
        {"metadata": {"name": "redis", "namespace": place}, "data": {"password": _PIN}} for place in ("data", "chain")
    ]
    warning = {
        "type": "Warning", "reason": "BackOff", "message": "again", "lastTimestamp": "2026-01-01T00:00:00Z",
        "involvedObject": {"kind": "Pod", "name": "down", "namespace": "chain"},
    }  # fmt: skip
    held = {
        "Pod": [pod("well", ready=True), pod("down", ready=False)], "Secret": secrets,
        "Event": [warning, {**warning, "type": "Normal"}],
        "Node": [{"metadata": {"name": "n"}, "spec": {"podCIDR": "x"}, "status": {"images": [1]}}],
    }  # fmt: skip
    for kind, items in held.items():
        monkeypatch.setitem(_HEALTH, kind, items)
    wanted = dataclasses.replace(_WANTED, stack=(), health=_DECLARED)
    return collect(wanted, _Api(), _Broker(), web)


def test_a_deep_recording_holds_what_a_diagnosis_reads(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods without their settings, nodes without their images, warnings, targets, clocks, and what is declared."""
    health = _deep(web, monkeypatch)["health"]
    assert health["declared"] == {"components": ["kafka", "ingest"], "topics": ["flights"]}
    assert health["machine"] == {"inotify": {}, "skew_seconds": 0.25}
    assert health["cluster"] == {"status": "running"}
    (node,) = [each for each in health["objects"] if each["kind"] == "Node"]
    assert (node["spec"], node["status"]) == ({}, {})
    pods = [each for each in health["objects"] if each["kind"] == "Pod"]
    assert pods[0]["spec"] == {"containers": [{"name": "main", "image": "x"}], "nodeName": "n"}
    assert {(each["object"], each["reason"], each["message"]) for each in health["events"]} == {
        ("down", "BackOff", "again")
    }
    assert health["targets"] == [
        {"job": "pods", "namespace": "chain", "pod": "ingest-1", "health": "down", "error": "connection refused"}
    ]
    assert set(health["answers"]) == {"ingest"}


def test_last_words_are_those_of_who_fell_and_warnings_of_who_stands(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a container that stands what it warned of lately; of one that fell all, and its life before; no secret."""
    state = _deep(web, monkeypatch)
    logs = state["health"]["logs"]
    assert logs["chain/well/main"] == ["warning: well main False 300", "error: password=REDACTED"]
    assert [line for line in logs["chain/down/main"] if line.startswith("warning")] == [
        "warning: down main True None",
        "warning: down main False None",
    ]
    assert _PIN not in json.dumps(state)


def test_copies_of_a_secret_are_compared_without_being_told(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal values have equal marks inside one bundle, other ones in the next, and no mark tells a value."""
    marks = [[each["marks"] for each in _deep(web, monkeypatch)["health"]["copies"]] for _ in range(2)]
    assert marks[0][0] == marks[0][1]
    assert marks[0][0] != marks[1][0]
    assert len(marks[0][0][0]) == 8


def test_prometheus_that_is_down_leaves_the_rest_of_a_deep_recording() -> None:
    """No targets, and a line that says so; figures without samples."""
    web = Web(Settings.load({}), httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503))))
    state: Any = collect(dataclasses.replace(_WANTED, health=_DECLARED), _Api(), _Broker(), web)
    assert state["health"]["targets"] == []
    assert any(each.startswith("prometheus: ConnectionError: targets: 503") for each in state["problems"])

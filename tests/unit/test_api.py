"""What the API server refuses, in words that help, and kinds that it may not know."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, api_exception

from lab import api, refusals
from lab.settings import Settings
from lab.spec import Course
from unit.patterns.servers import Server, serving

ROOT = Path(__file__).resolve().parents[2]
GROUP = "gateway.networking.k8s.io"


@pytest.mark.parametrize(
    ("message", "remedies"),
    [
        (
            "spec.ports[0].nodePort: Invalid value: 30081: provided port is already allocated",
            ("lab kubectl get services -A", "dix minutes"),
        ),
        ("spec.ports[0].nodePort: Invalid value: 80", ("correct that field of Service/gateway", "corrigez ce champ")),
    ],
)
def test_a_refusal_says_what_helps(message: str, remedies: tuple[str, str]) -> None:
    """The object and the server's own words; a node port that is taken is not a mistake in the file."""
    answer = ApiException(status=422, reason="Unprocessable Entity")
    answer.body = json.dumps({"message": message})
    refused = refusals.refused("Service", "gateway", api_exception(answer))
    assert all(word in refused.what.en for word in ("Service/gateway", message))
    assert remedies[0] in refused.remedy.en
    assert remedies[1] in refused.remedy.fr


def _resource(kind: str, plural: str) -> dict[str, Any]:
    return {"name": plural, "kind": kind, "namespaced": True, "singularName": kind.lower(), "verbs": ["list", "get"]}


def _answers(*, known: bool) -> dict[str, Any]:
    """What an API server tells of itself; `known`: whether it has Gateway API's kinds."""
    versions = {"groupVersion": f"{GROUP}/v1", "version": "v1"}
    groups = [{"name": GROUP, "versions": [versions], "preferredVersion": versions}] if known else []
    answers: dict[str, Any] = {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "groups": groups},
        "/api/v1": {
            "kind": "APIResourceList",
            "groupVersion": "v1",
            "resources": [_resource("ConfigMap", "configmaps")],
        },
    }
    if known:
        answers[f"/apis/{GROUP}/v1"] = {
            "kind": "APIResourceList",
            "groupVersion": f"{GROUP}/v1", "resources": [_resource("HTTPRoute", "httproutes")],
        }  # fmt: skip
    return answers


_SERVING = {"metadata": {"name": "serving", "namespace": "chain"}}


@contextmanager
def _cluster(
    tmp_path: Path, answers: dict[str, Any], *, forbidden: str | tuple[str, ...] = ()
) -> Iterator[tuple[api.Api, Server]]:
    """An API server at the wire, and a connection to it."""

    def answer(_: str, path: str, __: object) -> tuple[int, Any]:
        place = path.partition("?")[0]
        if forbidden and place.endswith(forbidden):
            return 403, {"message": f"{forbidden} is forbidden"}
        return (200, answers[place]) if place in answers else (404, {"message": "not found"})

    settings = Settings.load({"HOME": str(tmp_path)})
    settings.folder.mkdir(parents=True)
    with serving(answer) as server:
        named = {"name": "x", "cluster": {"server": server.address}}
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        content = {
            "clusters": [named],
            "contexts": [context],
            "current-context": "x",
            "users": [{"name": "x", "user": {}}],
        }
        settings.kubeconfig.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **content}))
        yield api.Api(settings), server


def test_a_kind_that_no_component_brought_has_no_objects(tmp_path: Path) -> None:
    """On lab 01's cluster a reset asks for routes as well: one small question, and not everything discovered anew."""
    with _cluster(tmp_path, _answers(known=False)) as (asked, server):
        before = len(server.calls)
        assert asked.find("HTTPRoute", "chain") == []
        assert [path for _, path, _ in server.calls[before:]] == [f"/apis/{GROUP}/v1"]
        assert asked.inventory(["HTTPRoute"], ["chain", "lab-04"]) == []
        assert [path for _, path, _ in server.calls[before + 1 :]] == [f"/apis/{GROUP}/v1"]


def test_a_kind_that_a_component_brought_is_found(tmp_path: Path) -> None:
    """Its objects are listed, each with its kind and version."""
    answers = _answers(known=True)
    listed = {"apiVersion": f"{GROUP}/v1", "kind": "HTTPRouteList", "items": [_SERVING]}
    other = {"metadata": {"name": "serving", "namespace": "somebodys"}}
    answers[f"/apis/{GROUP}/v1/namespaces/chain/httproutes"] = listed
    answers[f"/apis/{GROUP}/v1/httproutes"] = {**listed, "items": [other, _SERVING]}
    answers["/api/v1/configmaps"] = {"apiVersion": "v1", "items": None}  # as servers say of none
    with _cluster(tmp_path, answers) as (asked, server):
        (route,) = asked.find("HTTPRoute", "chain")
        (same,) = asked.inventory(["ConfigMap", "HTTPRoute"], ["chain", "data", "lab-04"])
    assert same == route
    assert (route["kind"], route["apiVersion"], route["metadata"]["name"]) == ("HTTPRoute", f"{GROUP}/v1", "serving")
    assert [path for _, path, _ in server.calls].count("/api/v1/configmaps") == 1


def test_who_has_rights_in_namespaces_alone_asks_in_each(tmp_path: Path) -> None:
    """A list of all namespaces is refused: what is in those that are meant is found all the same."""
    answers = _answers(known=True)
    for version, plural in ((f"apis/{GROUP}/v1", "httproutes"), ("api/v1", "configmaps")):
        for namespace in ("chain", "data"):
            held = {"metadata": {"name": "serving", "namespace": namespace}}
            answers[f"/{version}/namespaces/{namespace}/{plural}"] = {"apiVersion": "v1", "items": [held]}
    places = (f"/apis/{GROUP}/v1/httproutes", "/api/v1/configmaps")
    with _cluster(tmp_path, answers, forbidden=places) as (asked, _):
        found = asked.inventory(["ConfigMap", "HTTPRoute"], ["chain", "data"])
    assert [(each["kind"], each["metadata"]["namespace"]) for each in found] == [
        ("ConfigMap", "chain"), ("HTTPRoute", "chain"), ("ConfigMap", "data"), ("HTTPRoute", "data"),
    ]  # fmt: skip


def test_what_nobody_lets_us_see_is_not_ours(tmp_path: Path) -> None:
    """Somebody else brought the kind, and gave us no rights on it: no objects. Kubernetes' own kinds fail."""
    with _cluster(tmp_path, _answers(known=True), forbidden="httproutes") as (asked, _):
        assert asked.find("HTTPRoute", "chain") == []
        assert asked.inventory(["HTTPRoute"], ["chain"]) == []
    with _cluster(tmp_path / "other", _answers(known=True), forbidden="configmaps") as (asked, _):
        with pytest.raises(DynamicApiError):
            asked.find("ConfigMap", "chain")
        with pytest.raises(DynamicApiError):
            asked.inventory(["ConfigMap"], ["chain"])


def test_every_kind_that_a_component_brings_into_a_namespace_is_known() -> None:
    """What stack.yaml has defined is what resets, prunings and bundles ask for; GatewayClass stands in no namespace."""
    wanted = [each.definitions for each in Course(ROOT).components.values() if each.definitions]
    declared: dict[str, set[str]] = {}
    for each in wanted:
        for version, kinds in each.kinds.items():
            declared.setdefault(version, set()).update(set(kinds) - {"GatewayClass"})
    assert declared == {version: set(kinds) for version, kinds in api.BROUGHT.items()}
    assert set(api.ROUTING) <= set().union(*declared.values())


class _Contended(api.Api):
    """A cluster in which a controller writes an object between each reading and writing of ours, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.stands = 1
        self.written: list[str] = []

    def get(self, kind: str, name: str, namespace: str | None = None) -> api.Object | None:
        return {"kind": kind, "metadata": {"name": name, "namespace": namespace, "resourceVersion": str(self.stands)}}

    def _resource(self, kind: str, version: str | None = None) -> Any:  # noqa: ANN401, ARG002  the client's
        return self

    def replace(self, body: api.Object, name: str, namespace: str) -> None:  # noqa: ARG002  the client's words
        if self.left:
            self.left -= 1
            self.stands += 1
            raise api_exception(ApiException(status=409, reason="Conflict"))
        self.written.append(body["metadata"]["resourceVersion"])


_THING = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "thing", "namespace": "chain"},
    "spec": {},
}


def test_what_a_controller_wrote_meanwhile_is_read_again() -> None:
    """A Deployment's status is written while it is put right: the next try stands on what is there then."""
    cluster = _Contended(3)
    cluster.restore(_THING)
    assert cluster.written == ["4"]


def test_what_is_written_all_the_time_is_told() -> None:
    """After some tries, as any refusal."""
    with pytest.raises(refusals.Refused, match="Deployment/thing"):
        _Contended(100).restore(_THING)

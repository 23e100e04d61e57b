"""Objects as lines: equal where the same was asked for, different where it was not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.fingerprint import Fingerprint, objects
from unit.stack import crons
from unit.stack.conftest import Server


def _cluster(**changed: Any) -> Server:  # noqa: ANN401  JSON
    made = Server()
    weights = [{"name": "stable", "weight": 90}, {"name": "canary", "weight": changed.get("canary", 10)}]
    told = {"tarmac.dev/release": json.dumps({"phase": changed.get("phase", "stepping")})}
    for each in (
        {
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {
                "ports": [{"port": 80, "nodePort": changed.get("node", 1)}],
                "clusterIP": changed.get("address", "1"),
            },
        },
        {"kind": "Secret", "metadata": {"name": "b"}, "data": {"password": changed.get("password", "eA==")}},
        {
            "kind": "Secret",
            "metadata": {"name": "h"},
            "type": "helm.sh/release.v1",
            "data": {changed.get("helm", "1"): ""},
        },
        {
            "kind": "Deployment",
            "metadata": {"name": "d", "managedFields": changed.get("fields", [])},
            "spec": {"replicas": changed.get("replicas", 1)},
        },
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"x": changed.get("x", "1")}},
        {
            "kind": "HTTPRoute",
            "metadata": {"name": "r", "annotations": told},
            "spec": {"rules": [{"backendRefs": weights}]},
        },
    ):
        each["metadata"]["namespace"] = "chain"  # type: ignore[index]
        crons.put(made, each)
    return made


def _print(**changed: Any) -> Fingerprint:  # noqa: ANN401  JSON
    found: Any = _cluster(**changed)
    return Fingerprint({"objects": objects.lines(found, ["chain"]), "releases": objects.releases(found, ["chain"])})


@pytest.mark.parametrize("chosen", [{"address": "10.0.0.7"}, {"node": 2}, {"password": "bXk="}, {"helm": "2"}])
def test_what_a_cluster_chooses_does_not_count(chosen: dict[str, Any]) -> None:
    """Addresses, passwords, and how often Helm was asked."""
    assert _print(**chosen) == _print()
    assert _print(**chosen).digest == _print().digest


def test_no_value_of_a_secret_is_in_it() -> None:
    """Nor can it be guessed from a hash: only its keys count."""
    assert _print(password="c2VjcmV0").sections == _print().sections  # noqa: S106  no password of anybody


def test_what_was_asked_for_does() -> None:
    """The difference names the object, both ways."""
    told = _print(x="2").differences(_print())
    assert [line.split(":")[:2] for line in told] == [
        ["+ objects", " ConfigMap/c (chain)"],
        ["- objects", " ConfigMap/c (chain)"],
    ]


def _set(manager: str, subresource: str = "", field: str = "f:replicas") -> dict[str, Any]:
    return {"manager": manager, "subresource": subresource, "fieldsV1": {"f:spec": {field: {}}}}


_MANIFEST = _set("lab", field="f:template")


@pytest.mark.parametrize("fields", [[_MANIFEST], [_MANIFEST, _set("Python-urllib", "scale")]])
def test_pods_that_nobody_asked_for_do_not_count(fields: list[dict[str, Any]]) -> None:
    """Of a Deployment whose scaler starts pods by load, at one moment one and at another none."""
    assert _print(fields=fields, replicas=3) == _print(fields=[_MANIFEST], replicas=0)


@pytest.mark.parametrize("field", [_set("lab"), _set("kubectl", "scale"), _set("helm")])
def test_pods_that_somebody_asked_for_do(field: dict[str, Any]) -> None:
    """By a manifest, a chart, or by hand."""
    assert _print(fields=[field], replicas=3) != _print(fields=[field], replicas=1)


def test_a_release_counts_by_its_weights_and_its_phase() -> None:
    """And in no other section: the route as such is the same."""
    told = _print(canary=50, phase="promoted").differences(_print())
    assert told == [
        "+ releases: HTTPRoute/r (chain): stable=90 canary=50; promoted",
        "- releases: HTTPRoute/r (chain): stable=90 canary=10; stepping",
    ]

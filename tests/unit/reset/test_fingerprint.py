"""What a reset finds and takes away, with a cluster and a broker as fakes at the wire."""

from __future__ import annotations

from typing import Any

import pytest

from lab.api import BROUGHT
from lab.reset import engine, fingerprint
from unit.stack import crons
from unit.stack.conftest import Server


class Broker:
    """A broker with what a test gives it."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {"prediction.made.v1": {"begin": [0, 5], "end": [3, 9]}}
        self.groups = ["serving-labels"]

    def topics(self) -> dict[str, dict[str, Any]]:
        """Return its topics."""
        return self.held

    def group_names(self) -> list[str]:
        """Return its groups."""
        return self.groups

    def delete_topics(self, names: list[str]) -> None:
        """Take topics away."""
        self.held = {name: topic for name, topic in self.held.items() if name not in names}

    def delete_groups(self, names: list[str]) -> None:
        """Take groups away."""
        self.groups = [name for name in self.groups if name not in names]


@pytest.fixture
def server() -> Server:
    """Return a cluster with a release of a route, and what trainees made beside it."""
    made = Server()
    for kind in (kind for kinds in BROUGHT.values() for kind in kinds):
        crons.put(made, {"kind": kind, "metadata": {"name": f"mine-{kind.lower()}", "namespace": "lab-04"}})
    route = {"name": "serving", "namespace": "chain", "annotations": {"tarmac.dev/release": "{}"}}
    crons.put(made, {"kind": "HTTPRoute", "metadata": route})
    for kind, name in (("Deployment", "releases"), ("ReplicaSet", "releases-1"), ("Pod", "releases-1-a")):
        crons.put(made, {"kind": kind, "metadata": {"name": name, "namespace": "lab-04"}})
    crons.put(made, {"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": "lab-04"}})
    return made


def test_routes_and_policies_are_part_of_the_fingerprint(server: Server) -> None:
    """Whatever Gateway API's kinds a trainee made, and the route whose weights a release moved, with all it kept."""
    lines = fingerprint.residue(server, Broker(), ["chain", "lab-04"])  # type: ignore[arg-type]
    assert "HTTPRoute/serving (chain)" in lines
    for kind in ("HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTrafficPolicy", "SecurityPolicy", "Gateway"):
        assert f"{kind}/mine-{kind.lower()} (lab-04)" in lines
    assert "topic prediction.made.v1: 7 records" in lines
    assert "consumer group serving-labels" in lines
    assert not [line for line in lines if "kube-root-ca" in line]


def test_after_a_reset_nothing_of_them_is_left(server: Server) -> None:
    """Makers of others go first; then routes, policies and pods; topics and groups; the fingerprint is empty."""
    broker = Broker()
    for namespace in ("chain", "lab-04"):
        engine._empty(server, namespace)  # type: ignore[arg-type]
    engine._forget(broker)  # type: ignore[arg-type]
    engine._prove(server, broker, ["chain", "lab-04"])  # type: ignore[arg-type]
    order = server.deleted
    assert order.index("Deployment/releases") < order.index("ReplicaSet/releases-1") < order.index("Pod/releases-1-a")
    assert {each["metadata"]["name"] for each in server.held.values()} == {"kube-root-ca.crt"}


def test_a_cluster_without_such_kinds_has_none_left() -> None:
    """Lab 01's cluster, which nobody brought a gateway: the reset proves what it always proved."""
    broker = Broker()
    broker.held, broker.groups = {}, []
    assert fingerprint.residue(Server(), broker, ["chain", "lab-01"]) == []  # type: ignore[arg-type]

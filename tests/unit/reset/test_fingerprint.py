"""What a reset finds and takes away, with a cluster and a broker as fakes at the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from lab.api import BROUGHT, Object
from lab.errors import NotConverged, Residue
from lab.reset import engine, fingerprint
from lab.text import Text
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
    lines = fingerprint.found(server, Broker(), ["chain", "lab-04"]).lines()  # type: ignore[arg-type]
    assert "HTTPRoute/serving (chain)" in lines
    for kind in ("HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTrafficPolicy", "SecurityPolicy", "Gateway"):
        assert f"{kind}/mine-{kind.lower()} (lab-04)" in lines
    assert "topic prediction.made.v1: 7 records" in lines
    assert "consumer group serving-labels" in lines
    assert not [line for line in lines if "kube-root-ca" in line]


def test_after_a_reset_nothing_of_them_is_left(server: Server) -> None:
    """Makers of others go first; then routes, policies and pods; topics and groups; the fingerprint is empty."""
    broker = Broker()
    engine._empty(server, fingerprint.found(server, None, ["chain", "lab-04"]))  # type: ignore[arg-type]
    engine._forget(broker)  # type: ignore[arg-type]
    engine._prove(server, broker, ["chain", "lab-04"])  # type: ignore[arg-type]
    order = server.deleted
    assert order.index("Deployment/releases") < order.index("ReplicaSet/releases-1") < order.index("Pod/releases-1-a")
    assert {each["metadata"]["name"] for each in server.held.values()} == {"kube-root-ca.crt"}


class Late(Server):
    """A cluster whose controller makes a pod once more after its workload is gone; the pod holds a claim."""

    def delete(
        self, objects: Iterable[Object], *, wait: float = 60, grace: int | None = None, orphan: bool = False
    ) -> None:
        """Take objects away; the claim stays as long as the pod that came meanwhile."""
        names = [each["metadata"]["name"] for each in objects]
        super().delete(
            [self.held[key] for key in list(self.held) if key[2] in names], wait=wait, grace=grace, orphan=orphan
        )
        if names == ["edge-0", "store-edge-0"]:
            crons.put(self, _POD)
            crons.put(self, _CLAIM)
            raise NotConverged(Text.plain("store-edge-0 is still being deleted"), Text.plain("wait"))


_POD: Object = {"kind": "Pod", "metadata": {"name": "edge-0", "namespace": "lab-01"}}
_CLAIM: Object = {
    "kind": "PersistentVolumeClaim",
    "metadata": {
        "name": "store-edge-0", "namespace": "lab-01", "deletionTimestamp": "2013-01-01T00:00:00Z",
        "finalizers": ["kubernetes.io/pvc-protection"],
    },
}  # fmt: skip


class TestAPodThatComesLate:
    """A controller that saw late that its workload is gone made one more pod, which holds a claim."""

    @pytest.fixture
    def server(self) -> Late:
        """Return a cluster with such a pod."""
        made = Late()
        for each in (_POD, _CLAIM):
            crons.put(made, each)
        return made

    @pytest.fixture
    def broker(self) -> Broker:
        """Return a broker that holds nothing."""
        made = Broker()
        made.held, made.groups = {}, []
        return made

    def test_goes_in_the_next_round(self, server: Late, broker: Broker) -> None:
        """The claim that it held goes with it, and nothing is left."""
        engine._empty(server, fingerprint.found(server, None, ["lab-01"]))  # type: ignore[arg-type]
        assert len(server.held) == 2
        server.delete = super(Late, server).delete  # type: ignore[method-assign]
        engine._prove(server, broker, ["lab-01"])  # type: ignore[arg-type]
        assert not server.held

    def test_is_named_with_what_holds_it(self, server: Late, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
        """If it comes again and again, the reset fails and says what is left and what holds it."""
        monkeypatch.setattr(engine, "_GONE_SECONDS", 0.5)
        with pytest.raises(Residue) as told:
            engine._prove(server, broker, ["lab-01"])  # type: ignore[arg-type]
        assert "Pod/edge-0 (lab-01)\n" in str(told.value)
        assert "PersistentVolumeClaim/store-edge-0 (lab-01; held by kubernetes.io/pvc-protection)" in str(told.value)


def test_a_cluster_without_such_kinds_has_none_left() -> None:
    """Lab 01's cluster, which nobody brought a gateway: the reset proves what it always proved."""
    broker = Broker()
    broker.held, broker.groups = {}, []
    assert fingerprint.found(Server(), broker, ["chain", "lab-01"]).lines() == []  # type: ignore[arg-type]

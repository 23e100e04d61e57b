"""Namespaces: a deleted one is waited for, and one that does not go is told."""

from __future__ import annotations

import pytest

from lab.api import Object
from lab.errors import NotConverged
from lab.stack import namespaces
from unit.stack.conftest import Server


class Leaving(Server):
    """A cluster with a namespace that somebody deleted, which goes after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return the namespace while it is leaving."""
        self.looks -= 1
        if name == "chain" and self.looks > 0:
            told = [{"status": "True", "message": "claims: data-0 has a finalizer"}]
            meta = {"name": name, "deletionTimestamp": "2013-01-01T00:00:00Z"}
            return {"kind": kind, "metadata": meta, "status": {"conditions": told}}
        return super().get(kind, name, namespace)


def test_what_leaves_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing could be made in it before; then it stands, restricted."""
    monkeypatch.setattr(namespaces, "_STEP", 0)
    server = Leaving(3)
    namespaces.ensure(server, {"chain", "lab-01"})  # type: ignore[arg-type]
    labels = server.held["Namespace", None, "chain"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert ("Namespace", None, "lab-01") in server.held


def test_what_does_not_leave_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what holds it, and nothing is made."""
    monkeypatch.setattr(namespaces, "_STEP", 0)
    monkeypatch.setattr(namespaces, "_GONE_SECONDS", 0)
    server = Leaving(1_000_000)
    with pytest.raises(NotConverged, match=r"Namespace/chain is being deleted.*data-0 has a finalizer"):
        namespaces.ensure(server, ["chain", "data"])  # type: ignore[arg-type]
    assert server.held == {}

"""An API server at the wire that passes on what its nodes' kubelets measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab.api import Api
from lab.settings import Settings
from unit.patterns.servers import Reply, Server, serving

MIB = 1 << 20
_SUMMARY = "/proxy/stats/summary"
_KINDS = (("nodes", "Node", False),)


class Nodes:
    """A cluster's nodes.

    Attributes:
        memory: working set of each node, MiB.
        cpu: CPU seconds since each node began.
        refused: what the API server answers for a summary instead, 0 for none.

    """

    def __init__(self, names: tuple[str, ...] = ("one",)) -> None:
        self.names = names
        self.memory, self.cpu = 1000.0, 10.0
        self.refused = 0

    def answer(self, _: str, path: str, __: object) -> Reply:
        """Answer as an API server does."""
        place = path.partition("?")[0]
        if place.endswith(_SUMMARY):
            return (self.refused, {"message": "forbidden"}) if self.refused else (200, self._summary())
        if place == "/api/v1/nodes":
            items = [{"metadata": {"name": name}} for name in self.names]
            return 200, {"apiVersion": "v1", "kind": "NodeList", "items": items}
        known = _DISCOVERY.get(place)
        return (200, known) if known else (404, {"message": "not found"})

    def summaries(self, server: Server) -> list[str]:
        """Return the summaries that were asked for, by path."""
        return [path for _, path, _ in server.calls if _SUMMARY in path]

    def _summary(self) -> dict[str, Any]:
        memory = {"workingSetBytes": int(self.memory * MIB), "usageBytes": int(9 * self.memory * MIB)}
        return {"node": {"memory": memory, "cpu": {"usageCoreNanoSeconds": int(self.cpu * 1e9)}}}


@contextmanager
def api(home: Path, nodes: Nodes) -> Iterator[tuple[Api, Server]]:
    """A connection to the nodes' API server, and what it was asked."""
    settings = Settings.load({"HOME": str(home)})
    settings.folder.mkdir(parents=True)
    with serving(nodes.answer) as server:
        content = {
            "clusters": [{"name": "x", "cluster": {"server": server.address}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "current-context": "x", "users": [{"name": "x", "user": {}}],
        }  # fmt: skip
        settings.kubeconfig.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **content}))
        yield Api(settings), server


_DISCOVERY: dict[str, Any] = {
    "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": plural, "kind": kind, "namespaced": spaced, "singularName": kind.lower(), "verbs": ["list", "get"]}
            for plural, kind, spaced in _KINDS
        ],
    },
}

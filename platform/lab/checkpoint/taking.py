"""Taking a snapshot: everything stands still for as long as its volumes are read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from lab import volumes
from lab.api import ROUTING, Api, Object
from lab.checkpoint.snapshot import Kept, Snapshot, Volume
from lab.checkpoint.store import Store, digest
from lab.cluster import Cluster
from lab.cluster.packing import out_of_reach

STACK = "platform"
"""Namespace of what a reset leaves: only those of its pods stand still whose volumes are taken."""
_RELEASE = "tarmac.dev/release"


def take(  # noqa: PLR0913  what it is called, beside what it is taken of
    api: Api,
    cluster: Cluster,
    store: Store,
    namespaces: Sequence[str],
    *,
    lab: str,
    state: str,
    key: str,
    work: Mapping[str, str] | None = None,
    most: int = 1,
) -> Kept:
    """Keep a lab's state.

    Args:
        api: the cluster.
        cluster: the same, for its node.
        store: where it is kept.
        namespaces: whose volumes and routes are taken: the platform's, the chain's, the data's and the lab's.
        lab: its number.
        state: what it is called.
        key: what it depends on.
        work: the trainee's files.
        most: how many of the same lab and state are kept.

    Raises:
        BadInput: the volumes of this cluster are out of reach.

    """
    volumes.default_class(api)
    taken, root = _volumes(api, namespaces)
    archive = store.partial()
    try:
        cluster.pack(root, [each.folder for each in taken], _still(api, namespaces), archive)
        snapshot = Snapshot(
            lab=lab, state=state, key=key, made=time.time(), digest=digest(archive), bytes=archive.stat().st_size,
            volumes=taken, objects=_routes(api, namespaces), work=dict(work or {}),
        )  # fmt: skip
        return store.keep(snapshot, most)
    finally:
        with suppress(FileNotFoundError):
            archive.unlink()


def _volumes(api: Api, namespaces: Sequence[str]) -> tuple[list[Volume], str]:
    """Return the volumes of all claims, and the folder of the node that all of them lie in."""
    known = {each["metadata"]["name"]: each for each in api.find("PersistentVolume")}
    found, roots = [], set()
    for claim in volumes.claims(api, namespaces):
        path = volumes.folder(known[claim["spec"]["volumeName"]])
        roots.add(str(path.parent))
        meta, spec = claim["metadata"], claim["spec"]
        found.append(
            Volume(
                namespace=meta["namespace"],
                claim=meta["name"],
                folder=path.name,
                modes=spec["accessModes"],
                size=spec["resources"]["requests"]["storage"],
            )
        )
    if len(roots) != 1:
        raise out_of_reach()
    return found, roots.pop()


def _still(api: Api, namespaces: Sequence[str]) -> list[str]:
    """Return the containers that stand still: all that write to the volumes, or hold what they have not written yet."""
    pods: list[Object] = []
    for name in namespaces:
        if name == STACK:
            pods += volumes.mounting(api, name, {each["metadata"]["name"] for each in volumes.claims(api, [name])})
        else:
            pods += api.find("Pod", name)
    return volumes.containers(pods)


def _routes(api: Api, namespaces: Sequence[str]) -> list[Object]:
    """Return the routes that a release works on: it moves their weights, and says why in an annotation.

    Others are as their chart has them, and those of the platform belong to whatever lab brought them.
    """
    return [
        _bare(each)
        for kind in ROUTING
        for name in namespaces
        if name != STACK
        for each in api.find(kind, name)
        if _RELEASE in (each["metadata"].get("annotations") or {})
    ]


def _bare(each: Object) -> Object:
    meta = {key: each["metadata"][key] for key in ("name", "namespace", "annotations")}
    return {"apiVersion": each["apiVersion"], "kind": each["kind"], "metadata": meta, "spec": each["spec"]}

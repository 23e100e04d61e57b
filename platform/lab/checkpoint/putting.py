"""Putting a snapshot's volumes back: claims that are made afterwards find them, and begin with what was kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from lab import volumes
from lab.api import Api, Object
from lab.checkpoint.snapshot import Kept, Volume
from lab.checkpoint.store import digest
from lab.cluster import Cluster
from lab.errors import BadInput, NotConverged
from lab.progress import Say
from lab.text import Text

_BY = "pv.kubernetes.io/provisioned-by"
_GRACE_SECONDS = 1
_STOPPED_SECONDS = 60


def whole(kept: Kept) -> None:
    """See that an archive is what was kept.

    Raises:
        BadInput: it is not; nothing was changed.

    """
    if digest(kept.archive) != kept.snapshot.digest:
        raise BadInput(
            Text(
                en=f"{kept.archive} is not what was kept: its SHA-256 differs",
                fr=f"{kept.archive} n'est pas ce qui a été gardé : son SHA-256 diffère",
            ),
            Text(
                en=f"remove it and run again: what it held is replayed (rm {kept.archive})",
                fr=f"supprimez-le et relancez : ce qu'il contenait est rejoué (rm {kept.archive})",
            ),
        )


class Arrival:
    """The content of a snapshot's volumes on its way to the node, while what stands there may still be taken away.

    Until `put_back`, nothing of it is in any volume; left before that, it is thrown away. What has a volume open that
    stays (the broker's, which no reset takes away) is stopped already.

    Args:
        api: the cluster's.
        cluster: where to.
        kept: the snapshot; somebody has seen that its archive is whole.

    Raises:
        BadInput: the cluster's volumes are out of reach.

    """

    def __init__(self, api: Api, cluster: Cluster, kept: Kept) -> None:
        self.kept = kept
        self.storage = volumes.default_class(api)
        self.root = volumes.ROOTS[self.storage["provisioner"]]
        self._api, self._cluster = api, cluster
        self._stopped: list[tuple[Object, int]] = []
        self._placed = False

    def __enter__(self) -> Self:
        # First what can fail at once: nothing is on its way then.
        self._stopped = _stop(self._api, set(self.standing()))
        self._pool = ThreadPoolExecutor(1)
        names = [each.folder for each in self.kept.snapshot.volumes]
        self._come = self._pool.submit(self._cluster.unpack, self.root, names, self.kept.archive)
        return self

    def __exit__(self, *_: object) -> None:
        """Let go on what was stopped, and leave nothing beside the volumes."""
        self._pool.shutdown()
        self.release()
        if not self._placed and self._come.exception() is None:
            self._cluster.place(self.root, {})

    def standing(self) -> dict[tuple[str, str], str]:
        """Return the snapshot's claims that stand: namespace and name -> volume."""
        wanted = {(each.namespace, each.claim) for each in self.kept.snapshot.volumes}
        found = volumes.claims(self._api, sorted({space for space, _ in wanted}))
        places = ((each["metadata"]["namespace"], each["metadata"]["name"], each) for each in found)
        return {(space, name): each["spec"]["volumeName"] for space, name, each in places if (space, name) in wanted}

    def release(self) -> None:
        """Let what was stopped go on."""
        while self._stopped:
            self._api.scale(*self._stopped.pop())

    def place(self, folders: Mapping[str, str]) -> None:
        """Put it in its place once all of it has come: folder in the archive -> folder on the node."""
        self._come.result()
        self._cluster.place(self.root, folders)
        self._placed = True


def put_back(api: Api, arrival: Arrival, say: Say) -> None:
    """Put a snapshot's volumes back, before what uses them is made.

    A claim that stands keeps its volume and gets the content. For any other a volume is made that waits for it.

    Raises:
        NotConverged: what has a volume open does not stop.

    """
    standing = arrival.standing()
    folders, made = {}, []
    for volume in arrival.kept.snapshot.volumes:
        bound = standing.get((volume.namespace, volume.claim))
        if bound:
            folders[volume.folder] = volumes.folder(api.get("PersistentVolume", bound) or {}).name
        else:
            made.append(_volume(volume, arrival.storage, arrival.root))
            folders[volume.folder] = made[-1]["metadata"]["name"]
    say(Text(en="putting the volumes back", fr="remise des volumes"))
    _await_closed(api, set(standing))
    arrival.place(folders)
    api.apply(made)
    arrival.release()


def _stop(api: Api, claims: set[tuple[str, str]]) -> list[tuple[Object, int]]:
    """Stop the StatefulSets that these claims belong to, without waiting; return each with its replicas."""
    found = []
    for namespace in {space for space, _ in claims}:
        for each in api.find("StatefulSet", namespace):
            prefixes = [
                f"{template['metadata']['name']}-{each['metadata']['name']}-"
                for template in each["spec"].get("volumeClaimTemplates") or []
            ]
            if any(name.startswith(prefix) for space, name in claims if space == namespace for prefix in prefixes):
                found.append((each, int(each["spec"].get("replicas", 1))))
    for each, _ in found:
        api.scale(each, 0)
    return found


def _await_closed(api: Api, claims: set[tuple[str, str]]) -> None:
    """End the pods that have these claims open, and return when they are gone.

    Raises:
        NotConverged: a pod does not end.

    """
    names = {space: {name for other, name in claims if other == space} for space, _ in claims}
    deadline = time.monotonic() + _STOPPED_SECONDS
    while pods := [pod for space in names for pod in volumes.mounting(api, space, names[space])]:
        if time.monotonic() > deadline:
            listed = ", ".join(pod["metadata"]["name"] for pod in pods)
            raise NotConverged(
                Text(en=f"pods do not end: {listed}", fr=f"des pods ne finissent pas : {listed}"),
                Text(en="run again; `lab doctor` looks at the node", fr="relancez ; `lab doctor` examine le nœud"),
            )
        # What they would still write is replaced: no reason to wait for it.
        api.delete(pods, grace=_GRACE_SECONDS)


def _volume(volume: Volume, storage: Object, root: str) -> Object:
    """Return a volume that waits for one claim; whoever makes volumes here removes it with its claim."""
    name = f"kept-{volume.claim}-{secrets.token_hex(4)}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_BY: storage["provisioner"]}},
        "spec": {
            "accessModes": volume.modes,
            "capacity": {"storage": volume.size},
            "claimRef": {"namespace": volume.namespace, "name": volume.claim},
            "hostPath": {"path": f"{root}/{name}", "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": storage["metadata"]["name"],
        },
    }

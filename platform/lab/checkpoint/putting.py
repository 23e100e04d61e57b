"""Putting a snapshot's volumes back: claims that are made afterwards find them, and begin with what was kept."""

from __future__ import annotations

import secrets
import time

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


def put_back(api: Api, cluster: Cluster, kept: Kept, say: Say) -> None:
    """Put a snapshot's volumes back, before what uses them is made; somebody has seen that its archive is whole.

    A claim that stands (the broker's, which no reset takes away) keeps its volume and gets the content; what has it
    open is stopped meanwhile. For any other a volume is made that waits for it.

    Raises:
        BadInput: the cluster's volumes are out of reach.
        NotConverged: what has a volume open does not stop.

    """
    storage = volumes.default_class(api)
    root = volumes.ROOTS[storage["provisioner"]]
    standing = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["spec"]["volumeName"]
        for each in volumes.claims(api, sorted({each.namespace for each in kept.snapshot.volumes}))
    }
    folders, made = {}, []
    for volume in kept.snapshot.volumes:
        bound = standing.get((volume.namespace, volume.claim))
        if bound:
            folders[volume.folder] = volumes.folder(api.get("PersistentVolume", bound) or {}).name
        else:
            made.append(_volume(volume, storage, root))
            folders[volume.folder] = made[-1]["metadata"]["name"]
    say(Text(en="putting the volumes back", fr="remise des volumes"))
    stopped = _stop(api, set(standing))
    try:
        cluster.unpack(root, folders, kept.archive)
        api.apply(made)
    finally:
        for each, replicas in stopped:
            api.scale(each, replicas)


def _stop(api: Api, claims: set[tuple[str, str]]) -> list[tuple[Object, int]]:
    """Stop the StatefulSets that these claims belong to; return each with its replicas.

    Raises:
        NotConverged: a pod does not end.

    """
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
    names = {space: {name for other, name in claims if other == space} for space, _ in claims}
    deadline = time.monotonic() + _STOPPED_SECONDS
    while pods := [pod for space in names for pod in volumes.mounting(api, space, names[space])]:
        if time.monotonic() > deadline:
            listed = ", ".join(pod["metadata"]["name"] for pod in pods)
            for each, replicas in found:
                api.scale(each, replicas)
            raise NotConverged(
                Text(en=f"pods do not end: {listed}", fr=f"des pods ne finissent pas : {listed}"),
                Text(en="run again; `lab doctor` looks at the node", fr="relancez ; `lab doctor` examine le nœud"),
            )
        # What they would still write is replaced: no reason to wait for it.
        api.delete(pods, grace=_GRACE_SECONDS)
    return found


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

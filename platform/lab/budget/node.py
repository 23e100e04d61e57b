"""What a cluster's nodes say of themselves: the kubelet's summary, the list of images, the folders of volumes.

Whatever is not told is None: on a cluster of one's own (`context:`) nobody may be allowed to ask the kubelet
(`nodes/proxy`), and volumes lie where only the cluster's owner comes to.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lab import volumes
from lab.api import Api, Object
from lab.cluster import Cluster
from lab.errors import LabError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Use:
    """What the nodes use now, all that runs on them included; the kubelet looks every ten seconds or so.

    Attributes:
        memory: working set in bytes: what is used less what the kernel could drop at once.
        cpu: CPU seconds since each node's control group began: on kind since its container started.

    """

    memory: int
    cpu: float


def names(nodes: Collection[Object]) -> list[str]:
    """Return the nodes' names."""
    return [str(each["metadata"]["name"]) for each in nodes]


def use(api: Api, nodes: Collection[str]) -> Use | None:
    """Return the sum over nodes by their names; None where one of them does not tell."""
    told = [_use(api.summary(name, brief=True)) for name in nodes]
    known = [each for each in told if each]
    if not known or len(known) < len(told):
        return None
    return Use(sum(each.memory for each in known), sum(each.cpu for each in known))


def images(nodes: Collection[Object], references: Collection[str]) -> int | None:
    """Return the bytes of images, each once, as the nodes tell them; None where one is not told (a node tells 50).

    A node counts what an image's layers take as they came, packed or not, and a layer that two images share twice.
    """
    sizes = {
        name: int(each.get("sizeBytes", 0))
        for node in nodes
        for each in node.get("status", {}).get("images") or []
        for name in each.get("names") or []
    }
    if not set(references) <= set(sizes):
        return None
    return sum(sizes[reference] for reference in references)


def written(api: Api, nodes: Collection[Object], namespaces: Collection[str]) -> int | None:
    """Return the bytes that pods of namespaces wrote outside claims: writable layers, logs, scratch volumes."""
    told = [api.summary(name) for name in names(nodes)]
    if not told or None in told:
        return None
    pods = [pod for summary in told for pod in (summary or {}).get("pods") or []]
    return sum(
        int((pod.get("ephemeral-storage") or {}).get("usedBytes") or 0)
        for pod in pods
        if (pod.get("podRef") or {}).get("namespace") in namespaces
    )


def claimed(api: Api, cluster: Cluster, namespaces: Collection[str]) -> int | None:
    """Return the bytes in the volumes of claims, counted on the node: the kubelet does not count such folders."""
    bound = volumes.claims(api, namespaces)
    if not bound:
        return 0
    try:
        made = (api.get("PersistentVolume", each["spec"]["volumeName"]) for each in bound)
        folders = [str(volumes.folder(each)) for each in made if each]
        lines = cluster.ask("du", "-sk", *folders).splitlines()
    except LabError:
        return None
    return sum(int(line.split()[0]) for line in lines) * 1024


def _use(summary: Object | None) -> Use | None:
    node = (summary or {}).get("node") or {}
    memory = (node.get("memory") or {}).get("workingSetBytes")
    cpu = (node.get("cpu") or {}).get("usageCoreNanoSeconds")
    return None if memory is None or cpu is None else Use(int(memory), int(cpu) / 1e9)

"""What a cluster's nodes say of themselves: the kubelet's summary, the list of images, their folders.

Whatever is not told is None: on a cluster of one's own (`context:`) nobody may be allowed to ask the kubelet
(`nodes/proxy`), and the nodes' folders lie where only the cluster's owner comes to.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lab import volumes
from lab.api import Api, Object
from lab.cluster import Cluster
from lab.errors import LabError

MIB = 1 << 20
_GROUPS = "/sys/fs/cgroup"
_READ = """\
cd "$1" || exit 1
if [ -f memory.current ]; then
    echo "used $(cat memory.current)"; grep '^inactive_file ' memory.stat; grep '^usage_usec ' cpu.stat
else
    echo "used $(cat memory/memory.usage_in_bytes)"; grep '^total_inactive_file ' memory/memory.stat
    echo "usage_nsec $(cat cpuacct/cpuacct.usage)"
fi
"""
"""A kind node is a container, whose own control group it sees: of version 2 of control groups, else of version 1."""
_SECOND = {"usage_usec": 1e6, "usage_nsec": 1e9}
_COUNT = 'du -xsck "$@" 2>/dev/null | tail -n 1'
"""Folders that are not there count nothing, and one inside another counts once."""
_FOLDERS = {
    "kind": ("/var/lib/containerd", "/var/lib/kubelet/pods", "/var/log/pods", *volumes.ROOTS.values()),
    "k3s": ("/var/lib/rancher/k3s", "/var/lib/kubelet/pods", "/var/log/pods", *volumes.ROOTS.values()),
}


@dataclass(frozen=True, slots=True)
class Use:
    """What the nodes use now, all that runs on them included.

    Attributes:
        memory: working set in bytes: what is used less what the kernel could drop at once.
        cpu: CPU seconds since each node's control group began: on kind since its container started.

    """

    memory: int
    cpu: float


def names(nodes: Collection[Object]) -> list[str]:
    """Return the nodes' names."""
    return [str(each["metadata"]["name"]) for each in nodes]


def counted(cluster: Cluster) -> Use | None:
    """Return what a kind node's control group counts at this moment; None for any other, or where it is unreadable.

    A kubelet looks every ten seconds or so: a lab that comes up in fifty is larger by then than it tells.
    """
    if cluster.backend != "kind":
        return None
    try:
        told = dict(line.split() for line in cluster.ask("sh", "-c", _READ, "read", _GROUPS).splitlines())
        free = told.get("inactive_file") or told["total_inactive_file"]
        (cpu,) = (int(told[unit]) / whole for unit, whole in _SECOND.items() if unit in told)
        return Use(max(0, int(told["used"]) - int(free)), cpu)
    except (LabError, ValueError, KeyError):
        return None


def use(api: Api, nodes: Collection[str]) -> Use | None:
    """Return what the kubelets saw last, the sum over nodes by their names; None where one of them does not tell."""
    told = [_use(api.summary(name)) for name in nodes]
    known = [each for each in told if each]
    if not known or len(known) < len(told):
        return None
    return Use(sum(each.memory for each in known), sum(each.cpu for each in known))


def images(cluster: Cluster, references: Collection[str]) -> int | None:
    """Return the bytes of images, each once, as the cluster tells them; None where one is not told.

    A node counts what an image's layers take as they came, packed or not, and a layer that two images share twice.
    """
    sizes = cluster.images()
    if not set(references) <= set(sizes):
        return None
    return sum(sizes[reference] for reference in references)


def held(cluster: Cluster) -> int | None:
    """Return the bytes on the node's disk: images as they were copied and unpacked, what containers wrote, volumes.

    Of all that ever came there, images of an earlier version included. The node counts its own folders: a kubelet
    tells of no disk where the file system's limits are not its business, as on a node that was built here.
    """
    try:
        told = cluster.ask("sh", "-c", _COUNT, "count", *_FOLDERS.get(cluster.backend, ()))
        return int(told.split()[0]) * 1024
    except (LabError, ValueError, IndexError):
        return None


def _use(summary: Object | None) -> Use | None:
    node = (summary or {}).get("node") or {}
    memory = (node.get("memory") or {}).get("workingSetBytes")
    cpu = (node.get("cpu") or {}).get("usageCoreNanoSeconds")
    return None if memory is None or cpu is None else Use(int(memory), int(cpu) / 1e9)

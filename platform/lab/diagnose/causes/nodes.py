"""Nodes: whether they are ready, take pods, and have room, on their disk, in memory and in the kernel's limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, part
from lab.diagnose.causes.scene import Json, Scene
from lab.text import Text

_FULL = re.compile(r"no space left on device", re.IGNORECASE)
_LITTLE = 1 << 30
"""Bytes free below which a program that runs and says so means this disk, rather than a small one of its own."""
_WATCHES = re.compile(r"too many open files|inotify", re.IGNORECASE)
_NAMED_TAINT = re.compile(r"taints?(?:\(s\))?:? \{")


def _node(scene: Scene, kind: str, well: str) -> Iterator[Found]:
    """Go through the nodes on which a condition is not as it is on a well one."""
    for node in scene.of("Node"):
        for each in part(node, "status", "conditions") or []:
            if each.get("type") == kind and each.get("status") != well:
                told = f"{kind}={each.get('status')} {each.get('message') or each.get('reason') or ''}"
                yield Found(f"Node/{part(node, 'metadata', 'name')}", evidence=told.strip())


def _not_ready(scene: Scene, _: str) -> Iterator[Found]:
    yield from _node(scene, "Ready", "True")


def _disk(scene: Scene, _: str) -> Iterator[Found]:
    yield from _node(scene, "DiskPressure", "False")
    free = part(scene.health, "machine", "disk_free")
    # The cluster's disk is this machine's where the tool made it. While it is full, a database runs and writes nothing.
    full = scene.ours and isinstance(free, int | float) and free < _LITTLE
    for found in _words(scene.pods if full else scene.fallen, _FULL):
        yield replace(found, evidence=f"{found.evidence} ({free / _LITTLE:.1f} GiB free)") if full else found


def _pressure(scene: Scene, _: str) -> Iterator[Found]:
    for kind in ("MemoryPressure", "PIDPressure"):
        yield from _node(scene, kind, "False")


def _inotify(scene: Scene, _: str) -> Iterator[Found]:
    yield from _words(scene.fallen, _WATCHES)


def _words(pods: Iterable[Pod], wanted: re.Pattern[str]) -> Iterator[Found]:
    """Go through pods that say so, or of which the cluster does."""
    for pod in pods:
        said = [*pod.lines, *(message for _, message in pod.told), pod.reason[1]]
        line = next((each for each in said if wanted.search(each)), "")
        if line:
            yield Found(f"Pod/{pod.name}", pod.namespace, line[-200:])


def _closed(scene: Scene, _: str) -> Iterator[Found]:
    waiting = {
        pod.unscheduled: f"{pod.namespace}/{pod.name}: {pod.unscheduled}"
        for workload in scene.workloads
        for pod in workload.pods
        if pod.unscheduled
    }
    nodes = scene.of("Node")
    told = next((said for why, said in waiting.items() if "unschedulable" in why), "")
    for node in nodes if told else []:
        if part(node, "spec", "unschedulable"):
            yield Found(f"Node/{part(node, 'metadata', 'name')}", evidence=f"spec.unschedulable, {told}")
    # Where another node is open, a taint explains nothing.
    if all(_taints(node) or part(node, "spec", "unschedulable") for node in nodes):
        yield from (found for node in nodes for found in _tainted(node, waiting))


def _taints(node: Json) -> list[str]:
    """Return the keys of a node's taints that somebody put there; the cluster's own follow from conditions."""
    taints = part(node, "spec", "taints") or []
    keys = [str(each.get("key")) for each in taints if each.get("effect") in ("NoSchedule", "NoExecute")]
    return [key for key in keys if not key.startswith("node.kubernetes.io/")]


def _tainted(node: Json, waiting: dict[str, str]) -> Iterator[Found]:
    name = str(part(node, "metadata", "name"))
    for key in _taints(node):
        # Some releases of the scheduler name the taints, others only say that there are some.
        told = next(
            (said for why, said in waiting.items() if "taint" in why and (key in why or not _NAMED_TAINT.search(why))),
            "",
        )
        if told:
            mend = f"lab kubectl taint nodes {name} {key}-"
            yield Found(f"Node/{name}", evidence=f"taint {key}, {told}", mend=mend)


NODE = Cause(
    "TD-NODE-NOT-READY",
    Text(en="a node is not ready", fr="un nœud n'est pas prêt"),
    Text(
        en="The kubelet does not report, or says that it cannot run pods: every pod on that node counts as lost.",
        fr="Le kubelet ne se manifeste pas, ou dit ne pas pouvoir lancer de pods : chaque pod du nœud compte pour "
        "perdu.",
    ),
    "lab kubectl describe node {name}",
    "lab up {lab}",
    _not_ready,
)
DISK = Cause(
    "TD-DISK-FULL",
    Text(en="the disk is full", fr="le disque est plein"),
    Text(
        en="The node's disk has no room: pods are put off it, databases and the broker stop writing. Volumes are "
        "folders on that disk.",
        fr="Le disque du nœud est plein : des pods en sont chassés, les bases et le courtier n'écrivent plus. Les "
        "volumes sont des dossiers de ce disque.",
    ),
    "df -h; lab kubectl get events -A --field-selector type=Warning",
    "docker image prune; lab up {lab}",
    _disk,
)
PRESSURE = Cause(
    "TD-NODE-PRESSURE",
    Text(en="a node is short of memory or processes", fr="un nœud manque de mémoire ou de processus"),
    Text(
        en="The node says that it is under pressure: it takes no new pods, and puts off those that ask for least.",
        fr="Le nœud se dit sous pression : il ne prend plus de pods et chasse ceux qui demandent le moins.",
    ),
    "lab kubectl describe node {name}; free -h",
    "lab doctor",
    _pressure,
)
INOTIFY = Cause(
    "TD-INOTIFY",
    Text(en="too few inotify watches", fr="trop peu de surveillances inotify"),
    Text(
        en="The kernel's limits of watched files are used up: programs that follow files end with `too many open "
        "files`.",
        fr="Les limites du noyau pour les fichiers surveillés sont atteintes : les programmes qui suivent des fichiers "
        "finissent par `too many open files`.",
    ),
    "sysctl fs.inotify",
    "lab doctor --fix",
    _inotify,
)
CLOSED = Cause(
    "TD-NODE-CLOSED",
    Text(en="a node takes no pods", fr="un nœud ne prend pas de pods"),
    Text(
        en="The node was cordoned, or bears a taint that no pod of ours tolerates: whatever has to start waits.",
        fr="Le nœud a été fermé (cordon), ou porte une marque (taint) qu'aucun pod à nous ne tolère : ce qui doit "
        "démarrer attend.",
    ),
    "lab kubectl get nodes",
    "lab kubectl uncordon {name}",
    _closed,
)
CAUSES = (NODE, DISK, PRESSURE, INOTIFY, CLOSED)

"""The cluster: whether it is the right one, answers, has room, and knows names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, part
from lab.diagnose.causes.scene import Json, Scene
from lab.text import Text

_SKEW_SECONDS = 30
_DNS = "coredns"
_EXPIRED = re.compile(r"certificate[ _](?:has[ _])?expired", re.IGNORECASE)
"""In a program's words, or as TLS calls the alert by which the other side refuses it: CERTIFICATE_EXPIRED."""
_UNBORN = re.compile(r"certificate (?:has expired or )?is not yet valid", re.IGNORECASE)
_FULL = re.compile(r"no space left on device", re.IGNORECASE)
_WATCHES = re.compile(r"too many open files|inotify", re.IGNORECASE)
_OTHER, _DOWN = ("foreign", "other"), ("stopped", "absent", "broken")
_NAMED_TAINT = re.compile(r"taints?(?:\(s\))?:? \{")
_OURS = ("kind", "k3s")
"""Clusters that the tool makes: there it is known what runs their DNS; elsewhere it may be called anything."""


def _status(scene: Scene) -> tuple[str, str]:
    """Return how the cluster stands, and what the tool says of it."""
    cluster = scene.health.get("cluster") or {}
    shown = f"LAB_CLUSTER={cluster.get('asked')}, {cluster.get('status')}"
    return str(cluster.get("status") or ""), str(cluster.get("error") or shown)


def _other(scene: Scene, _: str) -> Iterator[Found]:
    status, told = _status(scene)
    if status in _OTHER:
        yield Found("Cluster/lab", evidence=told)


def _clock(scene: Scene, _: str) -> Iterator[Found]:
    skew = part(scene.health, "machine", "skew_seconds")
    if isinstance(skew, int | float) and abs(skew) > _SKEW_SECONDS:
        yield Found("Node/clock", evidence=f"{skew:+.0f} s")
    elif _UNBORN.search(scene.problem("kubernetes")):
        yield Found("Node/clock", evidence=scene.problem("kubernetes"))


def _certificate(scene: Scene, _: str) -> Iterator[Found]:
    if _EXPIRED.search(scene.problem("kubernetes")):
        yield Found("Cluster/lab", evidence=scene.problem("kubernetes"))
    # Only a pod's own words: what the kubelet says of a certificate is about a registry's.
    for pod in _fallen(scene):
        if line := next((each for each in pod.lines if _EXPIRED.search(each)), ""):
            yield Found(f"Pod/{pod.name}", pod.namespace, line[-200:])


def _stopped(scene: Scene, _: str) -> Iterator[Found]:
    status, told = _status(scene)
    if status in _DOWN:
        yield Found("Cluster/lab", evidence=told)


def _silent(scene: Scene, _: str) -> Iterator[Found]:
    if told := scene.problem("kubernetes"):
        yield Found("Cluster/lab", evidence=told)


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
    yield from _words(scene, _FULL)


def _pressure(scene: Scene, _: str) -> Iterator[Found]:
    for kind in ("MemoryPressure", "PIDPressure"):
        yield from _node(scene, kind, "False")


def _inotify(scene: Scene, _: str) -> Iterator[Found]:
    yield from _words(scene, _WATCHES)


def _words(scene: Scene, wanted: re.Pattern[str]) -> Iterator[Found]:
    """Go through pods that do not stand and say so, or of which the cluster does."""
    for pod in _fallen(scene):
        said = [*pod.lines, *(message for _, message in pod.told), pod.reason[1]]
        line = next((each for each in said if wanted.search(each)), "")
        if line:
            yield Found(f"Pod/{pod.name}", pod.namespace, line[-200:])


def _fallen(scene: Scene) -> Iterator[Pod]:
    for workload in [*scene.system, *scene.workloads]:
        if not workload.stands:
            yield from (pod for pod in workload.pods if not pod.ready)


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


def _names(scene: Scene, _: str) -> Iterator[Found]:
    servers = [workload for workload in scene.system if _DNS in workload.name]
    for workload in servers:
        if not part(workload.item, "status", "readyReplicas"):
            yield Found(workload.what, workload.namespace, f"0 of {part(workload.item, 'spec', 'replicas')} pods ready")
    # Where other parts of the cluster were recorded, this one would have been.
    if scene.system and not servers and part(scene.health, "cluster", "backend") in _OURS:
        yield Found(f"Deployment/{_DNS}", "kube-system", "not there", mend=f"lab down && lab up {scene.lab}")


OTHER = Cause(
    "TD-CLUSTER-OTHER",
    Text(en="the wrong cluster", fr="le mauvais cluster"),
    Text(
        en="LAB_CLUSTER or LAB_NAME leads to another cluster, context or checkout than the one that the lab was "
        "brought up on.",
        fr="LAB_CLUSTER ou LAB_NAME mène à un autre cluster, contexte ou dépôt que celui où le lab a été démarré.",
    ),
    "env | grep ^LAB_; lab status",
    "unset LAB_CLUSTER LAB_NAME; lab up {lab}",
    _other,
)
CLOCK = Cause(
    "TD-CLOCK-SKEW",
    Text(en="the clocks differ", fr="les horloges diffèrent"),
    Text(
        en="This machine's clock and the node's are far apart: certificates look expired or unborn, figures and traces "
        "fall outside the time that is asked for.",
        fr="L'horloge de cette machine et celle du nœud sont très écartées : les certificats paraissent périmés ou pas "
        "encore nés, les chiffres et les traces tombent hors du temps demandé.",
    ),
    "date -u; lab kubectl get --raw /version -v=8 2>&1 | grep -i date:",
    "timedatectl set-ntp true",
    _clock,
)
CERTIFICATE = Cause(
    "TD-CERTIFICATE-EXPIRED",
    Text(en="a certificate has expired", fr="un certificat a expiré"),
    Text(
        en="The API server's certificate, or the one with which the tool comes in, is past its date: no command "
        "reaches the cluster. Or a component refuses another one's: it says so, and is not ready. A cluster's "
        "certificates last a year.",
        fr="Le certificat du serveur d'API, ou celui avec lequel l'outil entre, est périmé : aucune commande n'atteint "
        "le cluster. Ou un composant refuse celui d'un autre : il le dit, et n'est pas prêt. Les certificats d'un "
        "cluster durent un an.",
    ),
    "lab kubectl get nodes",
    "lab down && lab up {lab}",
    _certificate,
)
STOPPED = Cause(
    "TD-CLUSTER-STOPPED",
    Text(en="the cluster does not run", fr="le cluster ne tourne pas"),
    Text(
        en="The node is stopped, was removed, or its parts do not all answer; nothing else can.",
        fr="Le nœud est arrêté, a été supprimé, ou ses parties ne répondent pas toutes ; rien d'autre ne le peut.",
    ),
    "lab status",
    "lab up {lab}",
    _stopped,
)
SILENT = Cause(
    "TD-API-SILENT",
    Text(en="the cluster's API does not answer", fr="l'API du cluster ne répond pas"),
    Text(
        en="The node runs, but its API server does not answer, or not all that it was asked.",
        fr="Le nœud tourne, mais son serveur d'API ne répond pas, ou pas à tout.",
    ),
    "lab kubectl get --raw /readyz?verbose",
    "lab up {lab}",
    _silent,
)
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
NAMES = Cause(
    "TD-DNS-GONE",
    Text(en="names are not resolved", fr="les noms ne sont pas résolus"),
    Text(
        en="The cluster's DNS is not there or has no pod: no service finds another by its name, whoever starts or "
        "connects anew fails.",
        fr="Le DNS du cluster n'existe plus ou n'a pas de pod : aucun service n'en trouve un autre par son nom, qui "
        "démarre ou se reconnecte échoue.",
    ),
    "lab kubectl -n kube-system get deployment coredns",
    "lab kubectl -n {namespace} scale deployment/{name} --replicas=1",
    _names,
)
CAUSES = (OTHER, CLOCK, CERTIFICATE, STOPPED, SILENT, NODE, DISK, PRESSURE, INOTIFY, CLOSED, NAMES)

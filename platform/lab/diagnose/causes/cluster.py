"""The cluster: whether it is the right one, answers, and knows names; between these, what its nodes lack."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.diagnose.causes import nodes
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import part
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_SKEW_SECONDS = 30
_DNS = "coredns"
_EXPIRED = re.compile(r"certificate[ _](?:has[ _])?expired", re.IGNORECASE)
"""In a program's words, or as TLS calls the alert by which the other side refuses it: CERTIFICATE_EXPIRED."""
_UNBORN = re.compile(r"certificate (?:has expired or )?is not yet valid", re.IGNORECASE)
_OTHER, _DOWN = ("foreign", "other"), ("stopped", "absent", "broken")
_NOBODY = re.compile(r"UnauthorizedError|\(401\)")
"""The API server's answer to who comes in with a certificate that it takes for nobody's."""


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
    told = scene.problem("kubernetes")
    # Into a cluster that it made the tool comes with a certificate, and it knows that cluster's: another one in its
    # place would have failed before any answer. Elsewhere one may come in by a token, or as whom nobody ever knew.
    if _EXPIRED.search(told) or (scene.ours and _NOBODY.search(told)):
        yield Found("Cluster/lab", evidence=told)
    # Only a pod's own words: what the kubelet says of a certificate is about a registry's.
    for pod in scene.fallen:
        if line := next((each for each in pod.lines if _EXPIRED.search(each)), ""):
            yield Found(f"Pod/{pod.name}", pod.namespace, line[-200:])


def _stopped(scene: Scene, _: str) -> Iterator[Found]:
    status, told = _status(scene)
    if status in _DOWN:
        yield Found("Cluster/lab", evidence=told)


def _silent(scene: Scene, _: str) -> Iterator[Found]:
    if told := scene.problem("kubernetes"):
        yield Found("Cluster/lab", evidence=told)


def _names(scene: Scene, _: str) -> Iterator[Found]:
    yield from without(scene, _DNS, "kube-system", _DNS)


def without(scene: Scene, called: str, namespace: str, name: str) -> Iterator[Found]:
    """Go through programs of the cluster itself that have no ready pod, or that are not there.

    Args:
        scene: the state.
        called: what their names have in common.
        namespace: where the one is on clusters that the tool made; elsewhere it may be called anything.
        name: what it is called there.

    """
    there = [workload for workload in scene.system if called in workload.name]
    for workload in there:
        if not part(workload.item, "status", "readyReplicas"):
            yield Found(workload.what, workload.namespace, f"0 of {part(workload.item, 'spec', 'replicas')} pods ready")
    # Where other parts of the cluster were recorded, this one would have been.
    if scene.system and not there and scene.ours:
        yield Found(f"Deployment/{name}", namespace, "not there", mend=f"lab down && lab up {scene.lab}")


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
CAUSES = (OTHER, CLOCK, CERTIFICATE, STOPPED, SILENT, *nodes.CAUSES, NAMES)

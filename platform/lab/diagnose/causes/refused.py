"""Pods that are not let in, or that lack what they name: refused, without room, without their Secret or settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.diagnose.causes.chain import SERVICES
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, Workload, part
from lab.diagnose.causes.scene import Json, Scene
from lab.state.health import SYSTEM
from lab.text import Text

_QUOTA = re.compile(
    r"exceeded quota|must specify (?:limits|requests)|(?:maximum|minimum) \S+ usage per|max limit to request ratio per",
    re.IGNORECASE,
)
"""What a ResourceQuota says, and what a LimitRange does: of one bound bare, of several between brackets."""
_SECURITY = re.compile(r"violates PodSecurity", re.IGNORECASE)
_NO_CONFIG = "CreateContainerConfigError"
_UNMOUNTED = re.compile(r"not found|references non-existent (?:secret|config) key", re.IGNORECASE)
"""What the kubelet says of a volume whose Secret or ConfigMap, or a key in it, is not there."""
_ROOT = re.compile(r"runAsNonRoot|breaks non-root policy", re.IGNORECASE)
"""The kubelet keeps the standard too: it makes no container that would run as root, by its image or by its user."""
_SETTING = re.compile(r"environment variable \w+(?:=\S+)? (?:is unknown|cannot be read|is none of|is out of range)")
_PASSWORD = re.compile(
    r"WRONGPASS|NOAUTH|invalid username-password|password authentication failed(?: for user \"[^\"]+\")?"
    r"|no password supplied"
    r"|InvalidAccessKeyId|SignatureDoesNotMatch|SASL authentication failed",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::(\d+))?")
_RECORDED_BY_NOBODY = ("default", *SYSTEM)
"""Namespaces of the cluster itself, whose Services no bundle holds."""
_SLIPS = 5
"""Refusals that may be somebody's hand at a keyboard; a program tries on."""
_OWNERS = {"redis": "redis", "postgres": "postgres", "objectstore": "objectstore"}
"""What a Secret's name begins with -> the component that is opened with it."""


def said(pods: list[Pod], wanted: re.Pattern[str]) -> str:
    """Return the last line of pods that matches, empty where none does."""
    return next((line[-300:] for pod in pods for line in reversed(pod.lines) if wanted.search(line)), "")


def at(workload: Workload, evidence: str, mend: str = "") -> Found:
    """Return a workload as the place of a cause, with what mends it where that is not what mends the cause."""
    return Found(workload.what, workload.namespace, evidence, mend=mend)


def _turned_away(scene: Scene, component: str, wanted: re.Pattern[str]) -> Iterator[Found]:
    for workload in scene.running(component):
        if not workload.stands and wanted.search(told := workload.refused()):
            yield at(workload, told)


def _quota(scene: Scene, component: str) -> Iterator[Found]:
    yield from _turned_away(scene, component, _QUOTA)


def _security(scene: Scene, component: str) -> Iterator[Found]:
    yield from _turned_away(scene, component, _SECURITY)
    for workload in scene.running(component):
        yield from (at(workload, told) for told in _unmade(workload.pods) if _ROOT.search(told))


def _unmade(pods: list[Pod]) -> list[str]:
    """Return why containers of pods are not made, though their image is there."""
    return [message for pod in pods for reason, message, _ in pod.waiting() if reason == _NO_CONFIG]


def _room(scene: Scene, component: str) -> Iterator[Found]:
    # Closed nodes and claims that wait were asked about before: whatever else keeps a pod from every node is told here.
    for workload in scene.running(component):
        told = [pod.unscheduled for pod in workload.pods if pod.unscheduled]
        if told:
            yield at(workload, told[0])


def _config(scene: Scene, component: str) -> Iterator[Found]:
    for workload in scene.running(component):
        for pod in workload.pods:
            told = [message for message in _unmade([pod]) if not _ROOT.search(message)]
            # What a mount lacked once is of no account any more where a container was made: all is mounted then.
            mounts = [message for reason, message in pod.told if reason == "FailedMount"] if pod.unmade else []
            told += [message for message in mounts if _UNMOUNTED.search(message)]
            if told and not pod.ready:
                yield at(workload, told[0])


def _setting(scene: Scene, component: str) -> Iterator[Found]:
    for workload in scene.running(component):
        fallen = [pod for pod in workload.pods if next(pod.crashes(), None)]
        if told := said(fallen, _SETTING):
            yield at(workload, told)


def _password(scene: Scene, component: str) -> Iterator[Found]:
    yield from _copies(scene, component)
    for workload in scene.running(component):
        told = said(workload.pods, _PASSWORD)
        if told and not _slipped(scene, workload):
            yield at(workload, told)


def _slipped(scene: Scene, workload: Workload) -> bool:
    """Say whether what a server tells of refusals is about nobody of ours: a few, and no pod says that it was refused.

    A server tells of everybody who is refused, also of a person who mistyped a password; whoever of ours holds a wrong
    one says so too, or tries again and again.
    """
    if workload.component not in _OWNERS.values() or not workload.stands:
        return False
    refused = [found[0] for pod in workload.pods for line in pod.lines if (found := _PASSWORD.search(line))]
    others = [line for pod in scene.pods if pod not in workload.pods for line in pod.lines]
    return len(refused) < _SLIPS and not any(each in line for each in refused for line in others)


def _copies(scene: Scene, component: str) -> Iterator[Found]:
    """Go through the Secrets of a component of which a copy is not what the original is."""
    by_name: dict[str, list[dict[str, object]]] = {}
    for each in scene.health.get("copies") or []:
        if _OWNERS.get(str(each.get("name")).partition("-")[0]) == component:
            by_name.setdefault(str(each["name"]), []).append(each)
    for name, copies in by_name.items():
        home = next((each for each in copies if each.get("namespace") == "data"), copies[0])
        for each in copies:
            if each.get("marks") != home.get("marks"):
                told = f"differs from the one in {home.get('namespace')}"
                yield Found(f"Secret/{name}", str(each.get("namespace")), told)


def _address(scene: Scene, component: str) -> Iterator[Found]:
    known: dict[tuple[str, str], set[str]] = {
        place: set() for each in scene.components for place in SERVICES.get(each, ())
    }
    there = ((place, item) for (kind, *place), item in scene.objects.items() if kind == "Service")
    known |= {(namespace, name): ports(item) for (namespace, name), item in there}
    for workload in scene.running(component):
        for variable, value in workload.env():
            if variable != "TARMAC_TRACES" and any(
                _nowhere(known, workload, *found) for found in _ADDRESS.findall(value)
            ):
                yield at(workload, f"{variable}={value}")


def ports(service: Json) -> set[str]:
    """Return the ports that a Service has; none where any will do, for its name leads to the pods themselves."""
    if part(service, "spec", "clusterIP") == "None":
        return set()
    return {str(part(each, "port")) for each in part(service, "spec", "ports") or []}


def _nowhere(known: dict[tuple[str, str], set[str]], workload: Workload, name: str, namespace: str, port: str) -> bool:
    if (namespace, name) in known:
        open_ = known[namespace, name]
        return bool(port and open_ and port not in open_)
    if namespace in _RECORDED_BY_NOBODY:
        return False
    # A namespace that is none of ours is wrong where whoever asks there does not stand.
    return not workload.stands or namespace in {each for each, _ in known}


QUOTA = Cause(
    "TD-QUOTA-REFUSED",
    Text(en="a quota lets no pod in", fr="un quota ne laisse entrer aucun pod"),
    Text(
        en="A ResourceQuota or LimitRange of the namespace forbids the pod; the Deployment waits for ever.",
        fr="Un ResourceQuota ou LimitRange de l'espace de noms interdit le pod ; le Deployment attend sans fin.",
    ),
    "lab kubectl -n {namespace} get resourcequota,limitrange",
    "lab kubectl -n {namespace} delete resourcequota,limitrange --all; lab up {lab}",
    _quota,
)
SECURITY = Cause(
    "TD-SECURITY-REFUSED",
    Text(en="Pod Security lets no pod in", fr="Pod Security ne laisse entrer aucun pod"),
    Text(
        en="The pod asks for what the standard `restricted` forbids: root, privileges, a folder of the node; or its "
        "container would run as root, by its image or its user.",
        fr="Le pod demande ce que le standard `restricted` interdit : root, des privilèges, un dossier du nœud ; ou "
        "son conteneur tournerait en root, par son image ou son utilisateur.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}",
    "lab up {lab}",
    _security,
)
ROOM = Cause(
    "TD-POD-NO-ROOM",
    Text(en="no node has room for a pod", fr="aucun nœud n'a de place pour un pod"),
    Text(
        en="The pod asks for more CPU or memory than is free on any node, or for a node that is not there; it stays "
        "Pending.",
        fr="Le pod demande plus de CPU ou de mémoire qu'il n'en reste sur aucun nœud, ou un nœud qui n'existe pas ; il "
        "reste Pending.",
    ),
    "lab kubectl describe nodes | grep -A8 'Allocated resources'",
    "lab up {lab}",
    _room,
)
CONFIG = Cause(
    "TD-SECRET-MISSING",
    Text(en="a Secret or ConfigMap is missing", fr="un Secret ou ConfigMap manque"),
    Text(
        en="The pod names a Secret, a ConfigMap or a key in one that is not there: its container is not made.",
        fr="Le pod nomme un Secret, un ConfigMap ou une clé qui n'existe pas : son conteneur n'est pas créé.",
    ),
    "lab kubectl -n {namespace} get secrets,configmaps",
    "lab up {lab}",
    _config,
)
SETTING = Cause(
    "TD-SETTING-BAD",
    Text(en="a setting is wrong", fr="un réglage est faux"),
    Text(
        en="A service refuses an environment variable, unknown or out of range, and ends with exit code 2.",
        fr="Un service refuse une variable d'environnement, inconnue ou hors bornes, et finit avec le code 2.",
    ),
    "lab kubectl -n {namespace} logs {kind}/{name} --previous --tail=5",
    "lab up {lab}",
    _setting,
)
PASSWORD = Cause(
    "TD-PASSWORD-WRONG",
    Text(en="a password is wrong", fr="un mot de passe est faux"),
    Text(
        en="A copy of a Secret is not what the original is, or a service comes in with an old password: it is refused.",
        fr="Une copie d'un Secret diffère de l'original, ou un service entre avec un ancien mot de passe : il est "
        "refusé.",
    ),
    "lab kubectl get secrets -A -l app.kubernetes.io/part-of=tarmac",
    "lab kubectl -n {namespace} delete {kind} {name}; lab up {lab}; "
    "lab kubectl -n {namespace} rollout restart deployment",
    _password,
)
ADDRESS = Cause(
    "TD-ADDRESS-WRONG",
    Text(en="an address leads nowhere", fr="une adresse ne mène nulle part"),
    Text(
        en="A setting names a Service that is not there, or a port that it does not have: whoever is asked stays "
        "unreached.",
        fr="Un réglage nomme un Service qui n'existe pas, ou un port qu'il n'a pas : le destinataire n'est pas "
        "atteint.",
    ),
    "lab kubectl get services -A",
    "lab up {lab}",
    _address,
)
CAUSES = (QUOTA, SECURITY, ROOM, CONFIG, SETTING, PASSWORD, ADDRESS)

"""Pods that were started and do not stand, and Services that do not lead to those that do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.diagnose.causes.chain import SERVICES
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, Workload, part
from lab.diagnose.causes.policies import CUT
from lab.diagnose.causes.refused import at
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_OOM = "OOMKilled"
_NOT_EVEN_BEGUN = "OOM-killed"
"""What runc says of a container, or of a pod's sandbox, that died of too little memory before it was anything."""
_TRIES = 30
"""Seconds during which a node may fail to make a pod's sandbox: it tries again."""


def _memory(scene: Scene, component: str) -> Iterator[Found]:
    for workload, pod, ended in _crashes(scene, component):
        told = str(ended.get("message") or "")
        if ended.get("reason") == _OOM or _NOT_EVEN_BEGUN in told:
            yield at(workload, f"pod {pod.name}: {told or _OOM}")
    for workload in scene.running(component):
        for pod in workload.pods:
            yield from (at(workload, f"pod {pod.name}: {told}") for told in pod.unboxed if _NOT_EVEN_BEGUN in told)


def _sandbox(scene: Scene, component: str) -> Iterator[Found]:
    for workload in scene.running(component):
        for pod in workload.pods:
            if pod.unboxed and (pod.age is None or pod.age > _TRIES):
                yield at(workload, f"pod {pod.name}: {pod.unboxed[-1]}")


def _crash(scene: Scene, component: str) -> Iterator[Found]:
    for workload, pod, ended in _crashes(scene, component):
        last = pod.lines[-1][-300:] if pod.lines else "no last words"
        yield at(workload, f"pod {pod.name}: exit code {ended.get('exitCode')}: {last}")


def _crashes(scene: Scene, component: str) -> Iterator[tuple[Workload, Pod, Mapping[str, Any]]]:
    for workload in scene.running(component):
        for pod in workload.pods:
            yield from ((workload, pod, ended) for ended in pod.crashes())


def _stuck(scene: Scene, component: str) -> Iterator[Found]:
    for workload in scene.running(component):
        for pod in workload.pods:
            if told := pod.probed():
                yield at(workload, f"pod {pod.name}: {told}")
            elif not workload.stands and pod.stuck():
                probes = [message for reason, message in pod.told if reason == "Unhealthy"]
                yield at(workload, f"pod {pod.name}: {probes[-1] if probes else 'not ready'}")


def _unserved(scene: Scene, component: str) -> Iterator[Found]:
    slices = scene.of("EndpointSlice")
    for namespace, name in SERVICES.get(component, ()):
        service = scene.objects.get(("Service", namespace, name))
        if service is None:
            if scene.of("Service", namespace):
                yield Found(f"Service/{name}", namespace, "not there")
        elif _misses(service, slices, namespace, name) and scene.stands(component):
            selector = ",".join(f"{key}={value}" for key, value in _selects(service).items())
            yield Found(f"Service/{name}", namespace, f"no endpoint; selector {selector}")


def _misses(service: Mapping[str, Any], slices: list[Mapping[str, Any]], namespace: str, name: str) -> bool:
    return bool(_selects(service)) and _covered(slices, namespace) and not _led(slices, namespace, name)


def _selects(service: Mapping[str, Any]) -> Mapping[str, str]:
    return part(service, "spec", "selector") or {}


def _covered(slices: list[Mapping[str, Any]], namespace: str) -> bool:
    """Say whether the namespace's endpoints were recorded: an older bundle holds the lab's only."""
    return any(part(each, "metadata", "namespace") == namespace for each in slices)


def _led(slices: list[Mapping[str, Any]], namespace: str, name: str) -> bool:
    return any(
        part(each, "metadata", "labels", "kubernetes.io/service-name") == name
        and any(part(end, "conditions", "ready") is not False for end in each.get("endpoints") or [])
        for each in slices
        if part(each, "metadata", "namespace") == namespace
    )


MEMORY = Cause(
    "TD-POD-OOM",
    Text(en="a pod needs more memory than it may have", fr="un pod veut plus de mémoire qu'il n'en a droit"),
    Text(
        en="The kernel ends a container at its memory limit (OOMKilled), again and again, or it cannot even begin.",
        fr="Le noyau met fin à un conteneur à sa limite de mémoire (OOMKilled), encore et encore, ou il ne peut même "
        "pas commencer.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}; lab kubectl -n {namespace} get pods",
    "lab up {lab}",
    _memory,
)
SANDBOX = Cause(
    "TD-POD-SANDBOX",
    Text(en="a pod's sandbox cannot be made", fr="la sandbox d'un pod ne peut être créée"),
    Text(
        en="Before its containers, the node makes a pod's network and first process. It fails at it, again and again: "
        "its network plugin is not there, say, or has no address left.",
        fr="Avant ses conteneurs, le nœud crée le réseau et le premier processus d'un pod. Il échoue, encore et "
        "encore : son plugin réseau est absent, par exemple, ou n'a plus d'adresse.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}; lab kubectl get events -A --field-selector type=Warning",
    "lab down && lab up {lab}",
    _sandbox,
)
CRASH = Cause(
    "TD-POD-CRASH",
    Text(en="a pod crashes again and again", fr="un pod plante sans cesse"),
    Text(
        en="A container ends with an error each time it is started; its last words say why. Nothing upstream explains "
        "it.",
        fr="Un conteneur finit en erreur à chaque démarrage ; ses derniers mots disent pourquoi. Rien en amont ne "
        "l'explique.",
    ),
    "lab kubectl -n {namespace} logs {kind}/{name} --previous --tail=20",
    "lab up {lab}",
    _crash,
)
STUCK = Cause(
    "TD-PROBE-FAILING",
    Text(en="a pod runs but is not ready", fr="un pod tourne sans être prêt"),
    Text(
        en="The container runs, but its probe fails: the Service sends it nothing, or the kubelet ends it. The probe "
        "asks the wrong thing or not patiently enough, or the program waits for something.",
        fr="Le conteneur tourne, mais sa sonde échoue : le Service ne lui envoie rien, ou le kubelet y met fin. La "
        "sonde demande la mauvaise chose ou manque de patience, ou le programme attend.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}; lab kubectl -n {namespace} logs {kind}/{name} --tail=20",
    "lab up {lab}",
    _stuck,
)
UNSERVED = Cause(
    "TD-SERVICE-EMPTY",
    Text(en="a Service leads to no pod", fr="un Service ne mène à aucun pod"),
    Text(
        en="The component's pods are ready, but its Service is not there or its selector chooses none of them: "
        "callers are refused.",
        fr="Les pods du composant sont prêts, mais son Service n'existe pas ou son sélecteur n'en choisit aucun : les "
        "appelants sont refusés.",
    ),
    "lab kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}",
    "lab up {lab}",
    _unserved,
)
CAUSES = (MEMORY, SANDBOX, UNSERVED, CUT, CRASH, STUCK)

"""Prometheus and Jaeger: what they do not get while they run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lab.diagnose.causes.chain import LAB
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, Workload, part
from lab.diagnose.causes.refused import at
from lab.diagnose.causes.scene import Scene
from lab.state.health import FIGURES
from lab.text import Text

_PORT = "prometheus.io/port"
_YOUNG = 60
"""Seconds within which a new pod may not have been read yet, or a new Prometheus may not have read all of them."""
_SETTLED = 300
"""Seconds after which a pod's figures of the last minutes have a sample."""
_MUTE = ("kafka", "objectstore", "postgres")
"""The only workloads of the chain that have no figures: all others announce their pods by the annotation."""
_GIVEN = {"ingest-consumer": "lag", "ingest-producer": "produced", "redis": "redis_refused"}
"""Workload -> a recorded figure that has a sample whenever its pods are read."""
_TRACES = "TARMAC_TRACES"
_PLACE = re.compile(r"^https?://jaeger\.platform\.svc(?:\.cluster\.local)?:(\d+)$")
_LOST = re.compile(r"Failed to export span batch")
_RETRIED = re.compile(r"Transient error .* exporting span batch")
_RETRIES = 3


def _unread(scene: Scene, _: str) -> Iterator[Found]:
    targets = {each.get("pod"): each for each in scene.health.get("targets") or [] if each.get("pod")}
    if not targets or scene.problem("prometheus"):
        return
    for workload in scene.workloads if _aged(scene.running("prometheus"), _YOUNG) else ():
        for pod in workload.pods:
            if pod.ready and _announced(workload, pod) and (pod.age is None or pod.age > _YOUNG):
                told = _how(targets.get(pod.name))
                if told:
                    lost = "" if _PORT in pod.annotations else f"no annotation {_PORT}, "
                    yield at(workload, f"pod {pod.name}: {lost}{told}")
    if _aged(scene.running("prometheus"), _SETTLED):
        yield from _lacking(scene)


def _aged(workloads: Iterable[Workload], seconds: float) -> bool:
    """Say whether all their pods are older than that, or of an age that nobody knows."""
    return all(pod.age is None or pod.age > seconds for each in workloads for pod in each.pods)


def _announced(workload: Workload, pod: Pod) -> bool:
    """Say whether a pod says that it has figures, or ought to."""
    return _PORT in pod.annotations or (workload.component != LAB and workload.name not in _MUTE)


def _lacking(scene: Scene) -> Iterator[Found]:
    """Go through workloads that stand and whose figures are not there: nobody announces their pods any more."""
    figures = scene.health.get("figures") or {}
    for workload in scene.workloads:
        name = _GIVEN.get(workload.name, "")
        lacks = name in figures and not figures[name]
        if lacks and workload.stands and _aged([workload], _SETTLED):
            yield at(workload, f"no sample of {name} ({FIGURES[name]})")


def _how(target: dict[str, object] | None) -> str:
    if target is None:
        return "no target of Prometheus"
    return f"{target.get('error') or 'down'}" if target.get("health") == "down" else ""


def _blocked(scene: Scene, _: str) -> Iterator[Found]:
    if not scene.stands("jaeger"):
        return
    service = scene.objects.get(("Service", "platform", "jaeger"))
    ports = {str(each.get("port")) for each in part(service, "spec", "ports") or []}
    for workload in scene.workloads:
        for variable, value in workload.env():
            if variable == _TRACES and value and ports and not _open(value, ports):
                yield at(workload, f"{_TRACES}={value}")
        for pod in workload.pods:
            if told := _lost(pod):
                yield at(workload, f"pod {pod.name}: {told}")


def _open(address: str, ports: set[str]) -> bool:
    place = _PLACE.match(address.rstrip("/"))
    return place is not None and place[1] in ports


def _lost(pod: Pod) -> str:
    lost = [line for line in pod.lines if _LOST.search(line)]
    retried = [line for line in pod.lines if _RETRIED.search(line)]
    told = lost or (retried if len(retried) >= _RETRIES else [])
    return told[-1][-250:] if told else ""


UNREAD = Cause(
    "TD-SCRAPE-MISSING",
    Text(en="Prometheus does not read a pod", fr="Prometheus ne lit pas un pod"),
    Text(
        en="A pod is ready, but its figures do not come: the port or path of its annotations is wrong, or the "
        "annotation or label by which it is found is missing.",
        fr="Un pod est prêt, mais ses chiffres ne viennent pas : le port ou le chemin de ses annotations est faux, ou "
        "l'annotation ou le label par lequel on le trouve manque.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}",
    "lab up {lab}",
    _unread,
    mild=True,
)
BLOCKED = Cause(
    "TD-TRACES-BLOCKED",
    Text(en="traces do not reach Jaeger", fr="les traces n'atteignent pas Jaeger"),
    Text(
        en="Jaeger runs, but a service cannot send it spans: TARMAC_TRACES is wrong, or the port is closed.",
        fr="Jaeger tourne, mais un service ne peut lui envoyer de spans : TARMAC_TRACES est faux, ou le port est "
        "fermé.",
    ),
    "lab kubectl -n {namespace} logs {kind}/{name} --tail=20",
    "lab up {lab}",
    _blocked,
    mild=True,
)

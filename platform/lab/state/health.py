"""What a deep diagnosis looks at besides a lab's evidence: nodes, every pod, events, last words, targets, ports.

It is a part of its own of the bundle (`health`), so that checks go on seeing what they always saw. Like the rest, a
part that cannot be had is left empty, with a line under the bundle's `problems`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from lab.spec import Course, LabSpec
from lab.state.objects import slim, trimmed

JsonDict = dict[str, Any]

SYSTEM = ("kube-system", "storage")
"""Namespaces of the cluster's own parts: names and volumes come from there."""
_KINDS = ("Pod", "PersistentVolumeClaim", "EndpointSlice", "NetworkPolicy", "ResourceQuota")
_EVENTS = 200
_LINES, _RECENT_SECONDS = 40, 300
_KEPT_LINES = 12
_TROUBLE = ("warn", "error", "fatal", "fail", "refused", "exception", "denied")
FIGURES = {
    "lag": "sum by (topic) (ingest_lag_events)",
    "lag_growth": "sum by (topic) (delta(ingest_lag_events[1m]))",
    "dead_letters": "sum by (topic) (increase(ingest_dead_letters_total[10m]))",
    "produced": "sum by (topic) (rate(ingest_produced_total[2m]))",
    "feature_staleness": "max by (view) (feature_staleness_seconds)",
    "rows_older": 'sum(increase(ingest_online_rows_total{outcome="stale"}[1m]))',
    "redis_refused": "sum(increase(redis_refused_writes_total[5m]))",
    "models_refused": "max by (model, version) (serving_version_refused)",
    "lookup_failures": "sum by (reason) (increase(serving_lookup_failures_total[5m]))",
}
"""PromQL of what a diagnosis weighs, by name; a figure whose component does not stand has no sample."""
_PLACES = {
    "prometheus": "/-/ready", "jaeger": "/", "ingest": "/readyz", "lake": "/readyz", "objectstore": "/health",
    "feature": "/readyz", "mlflow": "/health", "gateway": "/v2/health/ready", "page": "/readyz",
}  # fmt: skip
"""Where components answer at their host ports."""
Tried = Callable[[str, Callable[[], Any], Any], Any]
"""Source, question, what stands for an answer where there is none."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What ought to be there, and what only the machine can tell.

    Attributes:
        components: the lab's.
        topics: names of the topics that they and the lab own.
        secrets: Secrets that are copied: name -> keys.
        cluster: `backend`, `asked` (LAB_CLUSTER), `status`, `error`.
        machine: figures of this machine: `inotify`, `disk_free` in bytes.

    """

    components: Sequence[str]
    topics: Sequence[str] = ()
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cluster: Mapping[str, object] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, course: Course, lab: LabSpec, cluster: Mapping[str, object], machine: Mapping[str, object]) -> Declared:
        """Return what a lab's declarations say, with what the machine tells."""
        opened = [each for name in lab.components for each in course.components[name].secrets]
        return cls(
            lab.components,
            [topic.name for topic in course.topics(lab)],
            {each.name: each.keys for each in opened},
            cluster,
            machine,
        )


class Objects(Protocol):
    """What is asked of the Kubernetes API."""

    def find(self, kind: str, namespace: str | None = None) -> list[JsonDict]:
        """Return the objects of a kind."""

    def skew(self) -> float:
        """Return by how many seconds the API server's clock is ahead of this machine's."""

    def log(  # noqa: PLR0913  as the API has it
        self, pod: str, namespace: str, container: str, *, previous: bool = False, lines: int = 8,
        seconds: int | None = None,
    ) -> str:  # fmt: skip
        """Return the last lines of a container."""


class Questions(Protocol):
    """What is asked over HTTP."""

    def answer(self, place: str) -> JsonDict:
        """Return `status` and `body`."""

    def metric(self, query: str) -> list[JsonDict]:
        """Return `labels` and `value` of each sample."""

    def targets(self) -> list[JsonDict]:
        """Return `namespace`, `pod`, `health` and `error` of what Prometheus reads."""


def examine(
    declared: Declared, namespaces: Sequence[str], objects: Objects, questions: Questions, tried: Tried
) -> JsonDict:
    """Return the part `health` of a bundle.

    Args:
        declared: what ought to be there.
        namespaces: the lab's own and the stack's.
        objects: the Kubernetes API.
        questions: the services behind the host ports.
        tried: asks, and notes what could not be had.

    """
    with ThreadPoolExecutor(8) as pool:
        kept = pool.submit(tried, "kubernetes", lambda: _objects(objects, namespaces), [])
        events = pool.submit(tried, "kubernetes", lambda: _events(objects, namespaces), [])
        skew = pool.submit(tried, "kubernetes", objects.skew, None)
        marks = pool.submit(tried, "kubernetes", lambda: _marks(objects, declared, namespaces), [])
        targets = pool.submit(tried, "prometheus", questions.targets, [])
        figures = dict(zip(FIGURES, pool.map(questions.metric, FIGURES.values()), strict=True))
        asked = {name: path for name, path in _PLACES.items() if name in declared.components}
        answers = dict(zip(asked, pool.map(lambda name: _short(questions, name), asked), strict=True))
    pods = [each for each in kept.result() if each["kind"] == "Pod"]
    return {
        "declared": {"components": list(declared.components), "topics": list(declared.topics)},
        "cluster": dict(declared.cluster),
        "machine": {**declared.machine, "skew_seconds": skew.result()},
        "objects": kept.result(),
        "events": events.result(),
        "copies": marks.result(),
        "logs": tried("kubernetes", lambda: _logs(objects, pods), {}),
        "targets": targets.result(),
        "figures": figures,
        "answers": answers,
    }


def _objects(objects: Objects, namespaces: Sequence[str]) -> list[JsonDict]:
    own = [(kind, namespace) for namespace in namespaces for kind in _KINDS]
    system = [(kind, namespace) for namespace in SYSTEM for kind in ("Deployment", "Pod")]
    found = [item for kind, namespace in (*own, *system) for item in objects.find(kind, namespace)]
    return [slim(item) for item in trimmed([*found, *objects.find("Node")])]


def _events(objects: Objects, namespaces: Sequence[str]) -> list[JsonDict]:
    found = [item for namespace in (*namespaces, *SYSTEM) for item in objects.find("Event", namespace)]
    told = [_event(item) for item in found if item.get("type") == "Warning"]
    return sorted(told, key=lambda each: str(each["last"]))[-_EVENTS:]


def _event(item: JsonDict) -> JsonDict:
    about = item.get("involvedObject") or {}
    return {
        "namespace": about.get("namespace"), "about": about.get("kind"), "object": about.get("name"),
        "reason": item.get("reason"), "message": item.get("message"),
        "last": item.get("lastTimestamp") or item.get("eventTime"),
    }  # fmt: skip


def _marks(objects: Objects, declared: Declared, namespaces: Sequence[str]) -> list[JsonDict]:
    """Return, of each copy of a Secret, marks that are equal where its values are, and that tell nothing else.

    The salt is drawn anew for each recording and thrown away: a mark can be compared inside one bundle only.
    """
    salt = secrets.token_bytes(32)

    def mark(value: object) -> str:
        return hashlib.blake2b(str(value).encode(), key=salt, digest_size=4).hexdigest()

    found = [item for namespace in namespaces for item in objects.find("Secret", namespace)]
    return [
        {
            "name": item["metadata"]["name"],
            "namespace": item["metadata"]["namespace"],
            "marks": [mark((item.get("data") or {}).get(key)) for key in declared.secrets[item["metadata"]["name"]]],
        }
        for item in found
        if item["metadata"]["name"] in declared.secrets
    ]


def _logs(objects: Objects, pods: Sequence[JsonDict]) -> dict[str, list[str]]:
    """Return the last words of each container, `namespace/pod/container` -> lines; of one that stands, its warnings."""
    wanted = [(pod, status) for pod in pods for status in _statuses(pod)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda each: _words(objects, *each), wanted))
    names = [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/{status['name']}" for pod, status in wanted]
    return {name: lines for name, lines in zip(names, told, strict=True) if lines}


def _statuses(pod: JsonDict) -> list[JsonDict]:
    seen = pod.get("status", {})
    return [*(seen.get("initContainerStatuses") or []), *(seen.get("containerStatuses") or [])]


def _words(objects: Objects, pod: JsonDict, status: JsonDict) -> list[str]:
    place = pod["metadata"]["name"], pod["metadata"]["namespace"], status["name"]
    if status.get("ready"):
        lines = objects.log(*place, lines=_LINES, seconds=_RECENT_SECONDS).splitlines()
        return [line for line in lines if any(word in line.lower() for word in _TROUBLE)][-_KEPT_LINES:]
    now = objects.log(*place, lines=_KEPT_LINES)
    before = objects.log(*place, previous=True, lines=_KEPT_LINES) if status.get("restartCount") else ""
    return [*before.splitlines(), *now.splitlines()]


def _short(questions: Questions, name: str) -> JsonDict:
    answer = questions.answer(f"{name}:{_PLACES[name]}")
    return {"status": answer["status"], "body": str(answer["body"])[:200]}

"""Collects a lab's state from a running cluster into a bundle, with secrets taken out before anything is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from lab.api import ROUTING
from lab.state import health
from lab.state.bundle import FORMAT, State
from lab.state.objects import trimmed
from lab.state.redaction import redacted

JsonDict = dict[str, Any]

_LAB_KINDS = (
    "Deployment",
    "StatefulSet",
    "Job",
    "CronJob",
    "Pod",
    "Service",
    "EndpointSlice",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "NetworkPolicy",
    *ROUTING,
)
_STACK_KINDS = ("Deployment", "StatefulSet", "Service", *ROUTING)
# Kubernetes and the platform put these into every namespace; they tell nothing about a trainee's work.
_EVERYWHERE = {("ConfigMap", "kube-root-ca.crt")}
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lab's bundle holds.

    Attributes:
        lab: the lab's two digits.
        namespace: the lab's own; all that trainees make there is recorded.
        stack: the other namespaces; their workloads and services are recorded.
        metrics: PromQL by name.
        http: places such as `lab-01:/link` by name.
        groups: consumer groups.
        traces: services whose traces are recorded.
        models: whether the registry's models are recorded, with their aliases.
        health: what ought to be there, where a diagnosis is to look at the bundle; None: no part `health`.

    """

    lab: str
    namespace: str
    stack: Sequence[str] = ("chain", "data", "platform")
    metrics: Mapping[str, str] = field(default_factory=dict)
    http: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    traces: Sequence[str] = ()
    models: bool = False
    health: health.Declared | None = None


class Objects(health.Objects, Protocol):
    """What is asked of the Kubernetes API."""

    def version(self) -> str:
        """Return the cluster's version."""


class Log(Protocol):
    """What is asked of the broker."""

    def topics(self) -> dict[str, JsonDict]:
        """Return each topic's `partitions`, `config`, `begin` and `end`."""

    def groups(self, names: Sequence[str]) -> dict[str, JsonDict]:
        """Return each group's position per topic: a list of `partition`, `committed`, `lag`."""


class Questions(health.Questions, Protocol):
    """What is asked over HTTP."""

    def traces(self, service: str) -> list[JsonDict]:
        """Return `traceId`, `operations` and `services` of each trace."""

    def models(self) -> JsonDict:
        """Return each registered model's `aliases` (alias -> version) and `versions`, oldest first."""


def collect(wanted: Wanted, objects: Objects, log: Log, questions: Questions) -> State:
    """Return a lab's state as it is now.

    A part of the stack that does not answer leaves its part of the bundle empty and a line under `problems`, for a
    stuck trainee needs a bundle most of all when something is down.
    """
    problems: list[str] = []
    none: JsonDict = {}
    with ThreadPoolExecutor(8) as pool:
        found = pool.submit(_tried, "kubernetes", lambda: _objects(wanted, objects), [], problems)
        version = pool.submit(_tried, "kubernetes", objects.version, "", problems)
        topics = pool.submit(_tried, "kafka", log.topics, {}, problems)
        groups = pool.submit(_tried, "kafka", lambda: log.groups(wanted.groups), {}, problems)
        models = pool.submit(_tried, "mlflow", lambda: questions.models() if wanted.models else none, none, problems)
        metrics = dict(zip(wanted.metrics, pool.map(questions.metric, wanted.metrics.values()), strict=True))
        traces = dict(zip(wanted.traces, pool.map(questions.traces, wanted.traces), strict=True))
        answers = dict(zip(wanted.http, pool.map(questions.answer, wanted.http.values()), strict=True))
    state: State = {
        "format": FORMAT,
        "lab": wanted.lab,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"kubernetes": version.result()},
        "objects": found.result(),
        "topics": topics.result(),
        "groups": groups.result(),
        "metrics": metrics,
        "traces": traces,
        "answers": answers,
        "models": models.result(),
    }
    if wanted.health:
        places = (wanted.namespace, *wanted.stack)
        state["health"] = health.examine(
            wanted.health,
            places,
            objects,
            questions,
            lambda source, read, otherwise: _tried(source, read, otherwise, problems),
        )
    state["problems"] = sorted(set(problems))
    clean = redacted(state)
    return clean if isinstance(clean, dict) else state


def _objects(wanted: Wanted, objects: Objects) -> list[JsonDict]:
    own = [(kind, wanted.namespace) for kind in _LAB_KINDS]
    stack = [(kind, namespace) for namespace in wanted.stack for kind in _STACK_KINDS]
    found = [item for kind, namespace in (*own, *stack) for item in objects.find(kind, namespace)]
    return trimmed(item for item in found if (item.get("kind"), _name(item)) not in _EVERYWHERE)


def _name(item: JsonDict) -> object:
    metadata = item.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


def _tried(source: str, read: Callable[[], _Part], otherwise: _Part, problems: list[str]) -> _Part:
    try:
        return read()
    except Exception as error:  # noqa: BLE001  whatever is down: the rest of the bundle is what helps
        problems.append(f"{source}: {type(error).__name__}: {error}".splitlines()[0])
        return otherwise

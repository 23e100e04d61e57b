"""A recorded state as causes look at it: workloads with their pods, last words, events, figures.

Nothing here raises: a bundle may come from a cluster of which hardly anything answered, or from an older version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from lab.api import ready
from lab.diagnose.causes.chain import LAB, PART_OF, WORKLOADS
from lab.diagnose.causes.pods import Pod, Workload, part
from lab.state.health import SYSTEM

Json = Mapping[str, Any]

_OURS = ("kind", "k3s")


class Scene:
    """One recorded state.

    Args:
        state: the bundle's JSON.

    """

    def __init__(self, state: Json) -> None:
        self._state = state
        self.lab = str(state.get("lab") or "")
        self.namespace = f"lab-{self.lab}"
        self.health: Json = part(state, "health") or {}
        self.problems = [str(each) for each in state.get("problems") or []]

    @cached_property
    def objects(self) -> dict[tuple[str, str, str], Json]:
        """Return every recorded object by kind, namespace and name."""
        found: dict[tuple[str, str, str], Json] = {}
        for item in [*(part(self.health, "objects") or []), *(self._state.get("objects") or [])]:
            place = part(item, "metadata", "namespace") or "", part(item, "metadata", "name") or ""
            found[str(part(item, "kind")), str(place[0]), str(place[1])] = item
        return found

    def of(self, kind: str, namespace: str | None = None) -> list[Json]:
        """Return the objects of a kind."""
        return [
            item
            for (each, place, _), item in self.objects.items()
            if each == kind and (namespace is None or place == namespace)
        ]

    @property
    def ours(self) -> bool:
        """Say whether the tool made the cluster: it is known what runs there, and that its disk is this machine's."""
        return part(self.health, "cluster", "backend") in _OURS

    @cached_property
    def components(self) -> list[str]:
        """Return the components that ought to stand, in the chain's order."""
        declared = part(self.health, "declared", "components")
        if declared is not None:
            return [name for name in WORKLOADS if PART_OF.get(name, name) in declared]
        there = {(namespace, kind, name) for kind, namespace, name in self.objects}
        return [name for name, parts in WORKLOADS.items() if there & set(parts)]

    @cached_property
    def workloads(self) -> list[Workload]:
        """Return what ought to run, component by component, then the lab's own; also what is not there."""
        chain = [(name, place) for name in self.components for place in WORKLOADS[name]]
        own = [
            (LAB, (self.namespace, kind, str(part(item, "metadata", "name"))))
            for kind in ("StatefulSet", "Deployment")
            for item in self.of(kind, self.namespace)
        ]
        return [self._workload(component, *place) for component, place in (*chain, *own)]

    def running(self, component: str) -> list[Workload]:
        """Return the workloads of a component."""
        return [each for each in self.workloads if each.component == component]

    def stands(self, component: str) -> bool:
        """Say whether all of a component stands."""
        parts = self.running(component)
        return bool(parts) and all(each.stands for each in parts)

    @cached_property
    def system(self) -> list[Workload]:
        """Return the cluster's own workloads that were recorded."""
        return [
            self._workload("cluster", namespace, kind, name)
            for kind, namespace, name in self.objects
            if kind == "Deployment" and namespace in SYSTEM
        ]

    @cached_property
    def pods(self) -> list[Pod]:
        """Return every pod."""
        return [Pod(item, self._lines(item), self._told(item), self.taken) for item in self.of("Pod")]

    @cached_property
    def fallen(self) -> list[Pod]:
        """Return the pods that are not ready, of workloads that do not stand; of the cluster's own, each by itself."""
        down = [each for each in (*self.system, *self.workloads) if not each.stands]
        of_workloads = [pod for workload in down for pod in workload.pods if not pod.ready]
        return of_workloads + [pod for pod in self._nodes_own if pod.phase == "Running" and not pod.ready]

    @cached_property
    def taken(self) -> datetime | None:
        """Return when the state was recorded."""
        return instant(self._state.get("taken"))

    def logs(self, *components: str) -> Iterator[tuple[Pod, str]]:
        """Go through the recorded lines of components' pods."""
        for workload in self.workloads:
            if workload.component in components:
                yield from ((pod, line) for pod in workload.pods for line in pod.lines)

    def topics(self) -> Json:
        """Return the topics by name."""
        return part(self._state, "topics") or {}

    def models(self) -> Json:
        """Return the registry's models by name."""
        return part(self._state, "models") or {}

    def traces(self) -> Json:
        """Return the recorded traces by service."""
        return part(self._state, "traces") or {}

    def figure(self, name: str, label: str = "") -> dict[str, float]:
        """Return a figure's samples by the value of a label."""
        return {str(part(each, "labels", label) or ""): float(part(each, "value") or 0) for each in self.samples(name)}

    def samples(self, name: str) -> Sequence[Json]:
        """Return a figure's samples with all their labels."""
        return part(self.health, "figures", name) or []

    def problem(self, source: str) -> str:
        """Return what a source could not give, empty where it answered."""
        return next((each for each in self.problems if each.startswith(f"{source}:")), "")

    def warnings(self, namespace: str, name: str) -> list[str]:
        """Return what the cluster warned of an object, oldest first."""
        return [str(part(each, "message")) for each in self._events(namespace, name)]

    def _workload(self, component: str, namespace: str, kind: str, name: str) -> Workload:
        item = self.objects.get((kind, namespace, name))
        wanted = part(item, "spec", "selector", "matchLabels") or {}
        pods = [pod for pod in self.pods if pod.namespace == namespace and pod.carries(wanted)] if wanted else []
        told = self.warnings(namespace, name)
        stands = item is not None and ready({"kind": kind, **item})
        return Workload(component, namespace, kind, name, item or {}, pods, told, item is not None, stands)

    @property
    def _nodes_own(self) -> list[Pod]:
        """Return the cluster's pods that no recorded workload has: those of a DaemonSet, those of the kubelet's files.

        Those of a job end, and are not ready either.
        """
        owned = {(pod.namespace, pod.name) for workload in self.system for pod in workload.pods}
        return [pod for pod in self.pods if pod.namespace in SYSTEM and (pod.namespace, pod.name) not in owned]

    def _events(self, namespace: str, name: str) -> list[Json]:
        return self._told_of.get((namespace, name), [])

    @cached_property
    def _told_of(self) -> dict[tuple[str, str], list[Json]]:
        found: dict[tuple[str, str], list[Json]] = {}
        for each in part(self.health, "events") or []:
            found.setdefault((str(part(each, "namespace")), str(part(each, "object"))), []).append(each)
        return found

    def _told(self, item: Json) -> list[Json]:
        return self._events(str(part(item, "metadata", "namespace")), str(part(item, "metadata", "name")))

    def _lines(self, item: Json) -> list[str]:
        place = f"{part(item, 'metadata', 'namespace')}/{part(item, 'metadata', 'name')}/"
        logs = part(self.health, "logs") or {}
        return [str(line) for name, lines in logs.items() if name.startswith(place) for line in lines]


def instant(told: object) -> datetime | None:
    """Return an instant out of JSON, None where it is none."""
    try:
        return datetime.fromisoformat(str(told))
    except ValueError:
        return None

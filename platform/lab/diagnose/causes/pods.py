"""Pods and workloads as causes look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]

_LATELY = 600
"""Seconds during which a pod that came back is still taken for one that crashes again and again."""
_AGAIN = 3
_BACK_OFF = "CrashLoopBackOff"
_LINGERS = 120
"""Seconds after the end of its time for which a deleted pod may be left: its node may be busy."""
_BEFORE = ("ContainerCreating", "PodInitializing")
"""What a container waits for before it is made."""
_PERMANENT = 2
"""Exit code of our services for what no restart cures."""
_OOM = "OOMKilled"
_SIGNALS = (137, 143)
"""Exit codes of what was ended by SIGKILL and SIGTERM."""
_ENDING = ("Liveness", "Startup")
"""What the warnings of probes begin with for which the kubelet ends a container."""
_STARTING = 120
"""Seconds that a pod may take before it is said that it does not become ready."""


class Pod:
    """One pod.

    Args:
        item: its JSON.
        lines: its recorded last words.
        told: warnings of the cluster about it, oldest first.
        taken: when the state was recorded.

    """

    def __init__(self, item: Json, lines: list[str], told: list[Json], taken: datetime | None) -> None:
        self._item = item
        self.name = str(part(item, "metadata", "name"))
        self.namespace = str(part(item, "metadata", "namespace"))
        self.lines = lines
        self.told = [(str(each.get("reason")), str(each.get("message"))) for each in told]
        self._told = told
        self._taken = taken

    @property
    def labels(self) -> Json:
        """Return its labels."""
        return part(self._item, "metadata", "labels") or {}

    def carries(self, labels: Json) -> bool:
        """Say whether it has all these labels."""
        return all(self.labels.get(key) == value for key, value in labels.items())

    @property
    def annotations(self) -> Json:
        """Return its annotations."""
        return part(self._item, "metadata", "annotations") or {}

    @property
    def phase(self) -> str:
        """Return its phase."""
        return str(part(self._item, "status", "phase") or "")

    @property
    def reason(self) -> tuple[str, str]:
        """Return the reason and message of its end (`Evicted`), empty where there is none."""
        return str(part(self._item, "status", "reason") or ""), str(part(self._item, "status", "message") or "")

    @property
    def ready(self) -> bool:
        """Say whether it is ready."""
        return self._condition("Ready").get("status") == "True"

    @property
    def unscheduled(self) -> str:
        """Return why it has no node, empty where it has one."""
        seen = self._condition("PodScheduled")
        return str(seen.get("message") or seen.get("reason") or "?") if seen.get("status") == "False" else ""

    @property
    def undecided(self) -> bool:
        """Say whether the scheduler is still at it: no node, and not a word why.

        Where a node is found, but not yet the volumes there, it waits ten minutes for whoever makes them.
        """
        placed = part(self._item, "spec", "nodeName") or self._condition("PodScheduled")
        return self.phase == "Pending" and not placed

    @property
    def statuses(self) -> list[Json]:
        """Return the states of its containers."""
        seen = part(self._item, "status") or {}
        return [*(seen.get("initContainerStatuses") or []), *(seen.get("containerStatuses") or [])]

    def waiting(self) -> Iterator[tuple[str, str, str]]:
        """Go through containers that wait: reason, message, image."""
        for status in self.statuses:
            waits = part(status, "state", "waiting")
            if waits:
                yield str(waits.get("reason")), str(waits.get("message") or ""), str(status.get("image") or "")

    @property
    def unmade(self) -> bool:
        """Say whether none of its containers was made yet: its volumes are not mounted, or its network is not there."""
        waits = [part(status, "state", "waiting", "reason") for status in self.statuses]
        return all(each in _BEFORE for each in waits)

    @property
    def unboxed(self) -> list[str]:
        """Return why the node could not make what its containers run in, oldest first; empty once one was made."""
        return [message for reason, message in self.told if reason == "FailedCreatePodSandBox"] if self.unmade else []

    def crashes(self) -> Iterator[Json]:
        """Go through how containers ended that do not stay up; a past end of a pod that stands now is none."""
        for status in self.statuses:
            now, last = part(status, "state", "terminated"), part(status, "lastState", "terminated")
            ended = now or last
            if (
                ended
                and (ended.get("exitCode") or ended.get("reason") == _OOM)
                and self._unstable(status, ended)
                and not self._ended_by_probe(ended)
            ):
                yield ended

    def probed(self) -> str:
        """Return what the probe says for which the kubelet ends a container again and again, empty for none."""
        for status in self.statuses:
            last = part(status, "lastState", "terminated")
            if last and self._unstable(status, last) and (told := self._ended_by_probe(last)):
                return told
        return ""

    def stuck(self) -> bool:
        """Say whether it runs, without a crash, and does not become ready: a probe says so, or a long time."""
        if self.ready or self.phase != "Running" or next(self.crashes(), None):
            return False
        old = self.age is not None and self.age > _STARTING
        probes = [message for reason, message in self.told if reason == "Unhealthy"]
        settled = [message for message in probes if not message.startswith("Startup")]
        return bool(settled) or old

    @property
    def age(self) -> float | None:
        """Return the seconds since it was started, None where that is not known."""
        return self._since(part(self._item, "status", "startTime"))

    @property
    def overdue(self) -> float:
        """Return the seconds since it should have ended, having been deleted; 0 for one that may take its time."""
        # The API server writes down when the time is over that a pod may take, not when it was deleted.
        late = self._since(part(self._item, "metadata", "deletionTimestamp"))
        return late if late is not None and late > _LINGERS else 0.0

    def _ended_by_probe(self, ended: Json) -> str:
        """Return what the probe said for which the kubelet ended a container, empty where it was not that.

        It ends one by a signal, as the kernel would too, and says so. What it said before that container began is of a
        life before: a start may take long, and nothing come of it.
        """
        if ended.get("exitCode") not in _SIGNALS or ended.get("reason") == _OOM:
            return ""
        began = self._since(ended.get("startedAt"))
        said = [each for each in self._told if str(each.get("message")).startswith(_ENDING)]
        for each in reversed(said):
            ago = self._since(each.get("last"))
            if each.get("reason") == "Unhealthy" and (began is None or ago is None or ago <= began):
                return str(each.get("message"))
        return ""

    def _unstable(self, status: Json, ended: Json) -> bool:
        if not status.get("ready"):
            # Once is no loop: a first start may come before a neighbour's that it needs.
            waits = part(status, "state", "waiting", "reason")
            if waits and waits != _BACK_OFF:
                return False  # made anew on a node that came back, say: its end is of a life before
            if waits or part(status, "state", "terminated"):
                return True
            again = status.get("restartCount", 0) >= _AGAIN or ended.get("exitCode") == _PERMANENT
            ago = self._since(ended.get("finishedAt"))
            return again and (ago is None or ago < _LATELY)
        ago = self._since(ended.get("finishedAt"))
        return status.get("restartCount", 0) >= _AGAIN and ago is not None and ago < _LATELY

    def _since(self, told: object) -> float | None:
        try:
            return (self._taken - datetime.fromisoformat(str(told))).total_seconds() if self._taken else None
        except (ValueError, TypeError):
            return None

    def _condition(self, kind: str) -> Json:
        conditions = part(self._item, "status", "conditions") or []
        return next((each for each in conditions if each.get("type") == kind), {})


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet that ought to run.

    Attributes:
        component: whose part it is.
        namespace: where.
        kind: Deployment or StatefulSet.
        name: its name.
        item: its JSON, empty where it is not there.
        pods: its pods.
        told: messages of warnings about it.
        there: whether the object is there.
        stands: whether it is as it was last asked to be.

    """

    component: str
    namespace: str
    kind: str
    name: str
    item: Json
    pods: list[Pod]
    told: list[str]
    there: bool
    stands: bool

    @property
    def what(self) -> str:
        """Return its kind and name."""
        return f"{self.kind}/{self.name}"

    @property
    def idle(self) -> bool:
        """Say whether it is asked to run no pod."""
        return self.there and part(self.item, "spec", "replicas") == 0

    def refused(self) -> str:
        """Return why the API server takes no pod of it, empty where it does."""
        conditions = part(self.item, "status", "conditions") or []
        failed = [str(each.get("message")) for each in conditions if each.get("type") == "ReplicaFailure"]
        return next((message for message in [*failed, *self.told] if "forbidden" in message), "")

    def claims(self, pod: Pod) -> set[str]:
        """Return the names of the claims that one of its pods mounts."""
        volumes = part(self.item, "spec", "template", "spec", "volumes") or []
        named = {str(part(each, "persistentVolumeClaim", "claimName")) for each in volumes}
        templates = part(self.item, "spec", "volumeClaimTemplates") or []
        return named | {f"{part(each, 'metadata', 'name')}-{pod.name}" for each in templates}

    def env(self) -> Iterator[tuple[str, str]]:
        """Go through the environment variables of its containers that are given as they are."""
        for container in part(self.item, "spec", "template", "spec", "containers") or []:
            for each in container.get("env") or []:
                if each.get("value") is not None:
                    yield str(each.get("name")), str(each["value"])


def part(value: object, *keys: str) -> Any:  # noqa: ANN401  JSON
    """Return what lies under the keys, None where nothing does."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value

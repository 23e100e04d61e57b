"""A recorded state that can be broken as a cluster breaks: pods fall, Services lose their pods, neighbours complain.

What a fault brings about downstream is part of it: a diagnosis that only ever sees the first thing go is not measured.
How hard neighbours take it differs from one run to the next (they warn, they are not ready, they crash), and so it does
here, by `severity`: the root cause has to be found among all of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from lab.diagnose.causes.chain import LAB, SERVICES, WORKLOADS
from lab.diagnose.causes.pods import part

Json = dict[str, Any]

WARN, UNREADY, CRASH = 0, 1, 2
"""How hard neighbours take it."""
_SEEN = {
    "kafka": ("ingest", "lake", "serving", "follow", LAB), "objectstore": ("lake", "mlflow"), "postgres": ("mlflow",),
    "redis": ("ingest", "feature", LAB), "feature": ("serving",), "mlflow": ("serving", LAB),
    "gateway": ("follow", LAB), "prometheus": ("page", LAB),
}  # fmt: skip
"""Component -> whose pods complain when it is away."""
_WORDS = {
    "kafka": '{"level": "warning", "event": "waiting for Kafka", "cause": "NoBrokersAvailable"}',
    "objectstore": '{"level": "warning", "event": "the lake does not take events", "cause": "error sending request"}',
    "postgres": "sqlalchemy.exc.OperationalError: connection to server failed: Connection refused",
    "redis": '{"level": "warning", "event": "no connection to Redis", "cause": "Connection refused"}',
    "feature": '{"level": "warning", "event": "feature service http://feature.chain.svc:6566: ConnectError"}',
    "mlflow": '{"level": "warning", "event": "MLflow at http://mlflow.data.svc:5000: Connection refused"}',
    "gateway": '{"level": "warning", "event": "no answer", "address": "http://gateway.platform.svc:8080"}',
    "prometheus": '{"level": "warning", "event": "Prometheus does not answer", "cause": "Connection refused"}',
    "jaeger": "Transient error Connection refused encountered while exporting span batch, retrying in 1.02s.",
}
"""What a pod says while a component is away."""
_UNKNOWN = "{}: ConnectionError: 0 ConnectError: [Errno 111] Connection refused"
_ASKED = {"kafka": ("topics", "groups"), "mlflow": ("models",), "prometheus": ("metrics",), "jaeger": ("traces",)}
"""Component -> parts of the bundle that cannot be had without it."""


class World:
    """One state that is being broken.

    Args:
        state: completed and healthy; changed in place.
        severity: how hard neighbours take what happens.

    """

    def __init__(self, state: Json, severity: int) -> None:
        self.state = state
        self.severity = severity
        self.health: Json = state["health"]

    def objects(self, kind: str, namespace: str, name: str = "") -> list[Json]:
        """Return every record of an object (a bundle may hold a pod twice), or of all of a kind in a namespace."""
        return [
            each
            for each in [*self.health["objects"], *self.state["objects"]]
            if each["kind"] == kind
            and (each["metadata"].get("namespace") or "") == namespace
            and (not name or each["metadata"]["name"] == name)
        ]

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Take an object out of every part that holds it."""
        for holder in (self.health, self.state):
            holder["objects"] = [
                each
                for each in holder["objects"]
                if (each["kind"], each["metadata"].get("namespace") or "", each["metadata"]["name"])
                != (kind, namespace, name)
            ]

    def workload(self, namespace: str, kind: str, name: str) -> Json:
        """Return a workload."""
        return self.objects(kind, namespace, name)[0]

    def pods(self, namespace: str, kind: str, name: str) -> list[Json]:
        """Return every record of a workload's pods."""
        wanted = self.workload(namespace, kind, name)["spec"]["selector"]["matchLabels"].items()
        return [each for each in self.objects("Pod", namespace) if wanted <= each["metadata"]["labels"].items()]

    def parts(self, component: str) -> Iterator[tuple[str, str, str]]:
        """Go through the workloads of a component that are there."""
        own = f"lab-{self.state['lab']}"
        lab = [
            (own, kind, each["metadata"]["name"])
            for kind in ("Deployment", "StatefulSet")
            for each in self.objects(kind, own)
        ]
        for place in lab if component == LAB else WORKLOADS.get(component, ()):
            if self.objects(place[1], place[0], place[2]):
                yield place

    def rolled(self, place: tuple[str, str, str], shape: Callable[[Json], None], said: str = "") -> None:
        """Change a workload's template so that its new pod takes a shape; the old one stays where the strategy lets it.

        Args:
            place: namespace, kind and name.
            shape: changes a pod that stands.
            said: what the new pod says.

        """
        workload, pods = self.workload(*place), self.pods(*place)
        kept = workload["kind"] == "Deployment" and part(workload, "spec", "strategy", "type") != "Recreate"
        if kept:
            new = copy.deepcopy(pods[0])
            new["metadata"]["name"] += "-new"
            self.health["objects"].append(new)
            self._shaped(new, shape, said)
            workload["status"] |= {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "unavailableReplicas": 1}
        else:
            self.fallen(place, shape, said)

    def fallen(self, place: tuple[str, str, str], shape: Callable[[Json], None], said: str = "") -> None:
        """Let the pods of a workload that stands take a shape, with all that follows."""
        for pod in self.pods(*place):
            self._shaped(pod, shape, said)
        self.unready(place)
        self.missed(place)

    def gone(self, place: tuple[str, str, str], *, kept: bool) -> None:
        """Let a workload have no pod: deleted, or asked for none; with all that follows."""
        names = {pod["metadata"]["name"] for pod in self.pods(*place)}
        for name in names:
            self.forget("Pod", place[0], name)
        self.health["targets"] = [each for each in self.health["targets"] if each["pod"] not in names]
        if kept:
            workload = self.workload(*place)
            workload["spec"]["replicas"] = 0
            workload["status"] = {"observedGeneration": workload["metadata"].get("generation", 1)}
        self.unready(place)
        if not kept:
            self.forget(place[1], place[0], place[2])
        self.missed(place)

    def unready(self, place: tuple[str, str, str]) -> None:
        """Let a workload, its Services and its targets be without a ready pod."""
        workload = self.workload(*place)
        if workload["spec"]["replicas"]:
            workload["status"] |= {"readyReplicas": 0, "unavailableReplicas": 1}
        names = {pod["metadata"]["name"] for pod in self.pods(*place)}
        for each in self.objects("EndpointSlice", place[0]):
            each["endpoints"] = [
                {**end, "conditions": {"ready": part(end, "targetRef", "name") not in names}}
                for end in each.get("endpoints") or []
                if part(end, "targetRef", "name") in {*names, *self._running(place[0])}
            ]
        for target in self.health["targets"]:
            if target["pod"] in names:
                target |= {"health": "down", "error": "connect: connection refused"}

    def missed(self, place: tuple[str, str, str]) -> None:
        """Let neighbours miss a workload."""
        component = next((name for name, places in WORKLOADS.items() if place in places), LAB)
        for name in _ASKED.get(component, ()):
            self.state[name] = {}
            self.problem(component)
        if component == "prometheus":
            self.health |= {"targets": [], "figures": {}}
        if component == "jaeger":
            for each in self.all():
                self.says(each, _WORDS["jaeger"], 4)
        for neighbour in _SEEN.get(component, ()):
            for each in self.parts(neighbour):
                self.complains(each, _WORDS[component])
        self._figures(place[2])

    def _figures(self, name: str) -> None:
        if name in ("ingest-consumer", "kafka", "redis"):
            self.figure("feature_staleness", "weather_by_origin", 900)
        if name == "ingest-consumer":
            for topic in ("flight.departed.v1", "flight.arrived.v1"):
                self.figure("lag", topic, 20000)
                self.figure("lag_growth", topic, 800)
        if name in ("ingest-producer", "kafka"):
            self.health["figures"]["produced"] = []

    def all(self) -> Iterator[tuple[str, str, str]]:
        """Go through every workload of the chain and the lab."""
        for component in (*WORKLOADS, LAB):
            yield from self.parts(component)

    def complains(self, place: tuple[str, str, str], words: str, *, hard: int | None = None) -> None:
        """Let a workload suffer from what is away upstream of it."""
        severity = self.severity if hard is None else hard
        self.says(place, words, 3)
        if not self.workload(*place)["spec"]["replicas"] or severity == WARN:
            return
        for pod in self.pods(*place):
            self._shaped(pod, looping(1) if severity == CRASH else stuck, "")
        self.unready(place)

    def says(self, place: tuple[str, str, str], words: str, times: int = 1) -> None:
        """Let a workload's pods say something."""
        for pod in self.pods(*place):
            self._line(pod, words, times)

    def tells(self, about: str, namespace: str, name: str, reason: str, message: str) -> None:
        """Let the cluster warn of an object."""
        event = {"namespace": namespace, "about": about, "object": name, "reason": reason, "message": message}
        self.health["events"].append({**event, "last": self.state["taken"]})

    def problem(self, source: str, words: str = "") -> None:
        """Let a source not answer."""
        self.state["problems"] = [*self.state["problems"], f"{source}: {words}" if words else _UNKNOWN.format(source)]

    def figure(self, name: str, label: str, value: float) -> None:
        """Set one sample of a figure."""
        key = {"feature_staleness": "view", "lookup_failures": "reason", "models_refused": "model"}.get(name, "topic")
        samples = self.health["figures"].setdefault(name, [])
        samples[:] = [each for each in samples if each["labels"].get(key) != label]
        samples.append({"labels": {key: label}, "value": float(value)})

    def services(self, component: str) -> list[Json]:
        """Return the Services of a component."""
        return [each for place in SERVICES[component] for each in self.objects("Service", *place)]

    def _running(self, namespace: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.objects("Pod", namespace)}

    def _shaped(self, pod: Json, shape: Callable[[Json], None], said: str) -> None:
        shape(pod)
        meta = pod["metadata"]
        self.health["targets"] = [each for each in self.health["targets"] if each["pod"] != meta["name"]]
        for reason, message in pod.pop("told", []):
            self.tells("Pod", meta["namespace"], meta["name"], reason, message)
        if said:
            self._line(pod, said, 1)

    def _line(self, pod: Json, words: str, times: int) -> None:
        meta = pod["metadata"]
        place = f"{meta['namespace']}/{meta['name']}/{pod['spec']['containers'][0]['name']}"
        lines = self.health["logs"].setdefault(place, [])
        lines += [words] * max(0, times - lines.count(words))


def looping(code: int, reason: str = "Error", message: str = "") -> Callable[[Json], None]:
    """Return the shape of a pod whose first container ends again and again, or cannot even be begun."""

    def shape(pod: Json) -> None:
        _unready(pod)
        ended = {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": None}}
        waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s restarting failed container"}}
        pod["status"]["containerStatuses"][0] |= {"restartCount": 5, "state": waits, "lastState": ended}
        pod["told"] = [("BackOff", "Back-off restarting failed container")]

    return shape


def waiting(reason: str, message: str, image: str = "") -> Callable[[Json], None]:
    """Return the shape of a pod whose first container cannot be made."""

    def shape(pod: Json) -> None:
        _unready(pod)
        pod["status"]["phase"] = "Pending"
        status = pod["status"]["containerStatuses"][0]
        status |= {"state": {"waiting": {"reason": reason, "message": message}}, "image": image or status["image"]}
        pod["told"] = [("Failed", message)]

    return shape


def unboxed(message: str) -> Callable[[Json], None]:
    """Return the shape of a pod whose network or first process the node cannot make."""

    def shape(pod: Json) -> None:
        _unready(pod)
        pod["status"]["phase"] = "Pending"
        for each in pod["status"]["containerStatuses"]:
            each |= {"ready": False, "restartCount": 0, "lastState": {}}
            each["state"] = {"waiting": {"reason": "ContainerCreating"}}
        pod["told"] = [("FailedCreatePodSandBox", f"Failed to create pod sandbox: rpc error: {message}")]

    return shape


def stuck(pod: Json) -> None:
    """Shape a pod that runs and is not ready."""
    _unready(pod)
    pod["status"]["containerStatuses"][0]["state"] = {"running": {}}
    pod["told"] = [("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")]


def unplaced(message: str) -> Callable[[Json], None]:
    """Return the shape of a pod without a node."""

    def shape(pod: Json) -> None:
        pod["spec"].pop("nodeName", None)
        seen = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [seen]}
        pod["told"] = [("FailedScheduling", message)]

    return shape


def undecided(pod: Json) -> None:
    """Make a pod one that has no node yet, and of which the scheduler has said nothing."""
    pod["spec"].pop("nodeName", None)
    pod["status"] = {"phase": "Pending", "nominatedNodeName": "node"}
    pod["told"] = []


def _unready(pod: Json) -> None:
    for each in pod["status"]["conditions"]:
        if each["type"] in ("Ready", "ContainersReady"):
            each["status"] = "False"
    pod["status"]["containerStatuses"][0]["ready"] = False

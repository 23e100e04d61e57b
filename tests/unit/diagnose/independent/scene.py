"""A recorded state as a cluster that has been in use shows it, and the shapes that its pods take when they fail.

It stands on the simulation's own mechanism (`World`), but what is said in it (events, container states, last words, who
suffers downstream and how it complains) is written by somebody who had not read what a diagnosis looks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from lab.diagnose.faults.acts import Target
from lab.diagnose.faults.world import Json, World
from unit.diagnose.independent.neighbours import DOORS, NO_DATABASE, SUFFER, WORKLOADS, Place

Shape = Callable[[Json], None]
MINUTE, HOUR = 60, 3600


class Scene(World):
    """One cluster that has been in use for an hour.

    Args:
        state: completed and healthy; changed in place.
        severity: how hard neighbours take what happens.

    """

    def __init__(self, state: Json, severity: int) -> None:
        super().__init__(state, severity)
        components = self.health["declared"]["components"]
        self.health["answers"] = {name: {"status": 200, "body": "ok"} for name in DOORS if name in components}
        self._begun()

    def _begun(self) -> None:
        """Leave what bringing a lab up leaves: probes that failed while things started, jobs that ended."""
        probe = 'Startup probe failed: Get "http://10.244.0.17:8080/readyz": dial tcp 10.244.0.17:8080: connect: '
        for place in list(self.all())[:4]:
            for pod in self.pods(*place)[:1]:
                name = pod["metadata"]["name"]
                self.warn("Pod", place[0], name, "Unhealthy", probe + "connection refused", ago=52 * MINUTE)
        for owner, namespace, job in (("feature", "chain", "feature-apply"), ("lake", "chain", "lake-build")):
            if owner in self.health["declared"]["components"]:
                self.job(owner, namespace, job)

    def job(self, owner: str, namespace: str, name: str, code: int = 0) -> Json:
        """Leave the pod of a job that ended."""
        done = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": self.at(50 * MINUTE)}
        unready = [
            {"type": kind, "status": "False", "reason": "PodFailed" if code else "PodCompleted"}
            for kind in ("Ready", "ContainersReady")
        ]
        pod: Json = {
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-29412345-x7k2q", "namespace": namespace,
                "labels": {
                    "app.kubernetes.io/name": owner, "app.kubernetes.io/component": name.rpartition("-")[2],
                    "app.kubernetes.io/part-of": "tarmac", "tarmac.dev/component": owner,
                    "batch.kubernetes.io/job-name": f"{name}-29412345",
                },
                "ownerReferences": [{"kind": "Job", "name": f"{name}-29412345", "controller": True}],
            },
            "spec": {"nodeName": self.node["metadata"]["name"], "containers": [{"name": name, "image": "job:1"}]},
            "status": {
                "phase": "Failed" if code else "Succeeded",
                "conditions": [{"type": "PodScheduled", "status": "True"}, *unready],
                "containerStatuses": [
                    {"name": name, "image": "job:1", "ready": False, "restartCount": 0, "lastState": {},
                     "state": {"terminated": done}}
                ],
            },
        }  # fmt: skip
        self.health["objects"].append(pod)
        return pod

    @property
    def node(self) -> Json:
        """Return the node."""
        return next(each for each in self.health["objects"] if each["kind"] == "Node")

    @property
    def own(self) -> str:
        """Return the lab's namespace."""
        return f"lab-{self.state['lab']}"

    def at(self, ago: float) -> str:
        """Return the time so many seconds before the recording, as the API writes it."""
        taken = datetime.fromisoformat(self.state["taken"]) - timedelta(seconds=ago)
        return taken.strftime("%Y-%m-%dT%H:%M:%SZ")

    def warn(  # noqa: PLR0913  as an event has it
        self, about: str, namespace: str, name: str, reason: str, message: str, *, ago: float = 15
    ) -> None:
        """Let the cluster warn of an object so many seconds before the recording."""
        event = {"namespace": namespace, "about": about, "object": name, "reason": reason, "message": message}
        self.health["events"].append({**event, "last": self.at(ago)})

    def line(self, logger: str, event: str, level: str = "warning", ago: float = 10, **more: object) -> str:
        """Return a line as our services write them."""
        time = self.at(ago).replace("Z", ".412+00:00")
        told = {"time": time, "level": level, "service": logger.partition(".")[0], "logger": logger, "event": event}
        return json.dumps({**told, **more})

    def utter(self, place: Place, *lines: str, container: str = "") -> None:
        """Let every pod of a workload have said lines last."""
        for pod in self.pods(*place):
            self.words(pod, *lines, container=container)

    def words(self, pod: Json, *lines: str, container: str = "") -> None:
        """Let a pod have said lines last."""
        name = container or pod["spec"]["containers"][0]["name"]
        said = self.health["logs"].setdefault(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/{name}", [])
        # A bundle may hold a pod twice, a log once.
        said += [each for each in lines if each not in said]

    def door(self, component: str, status: int, body: str) -> None:
        """Let a component answer so at its host port."""
        if component in self.health["answers"]:
            self.health["answers"][component] = {"status": status, "body": body}

    def missed(self, place: Place) -> None:
        """Let neighbours miss a workload, and those who ask it at its port."""
        component = next((name for name, places in WORKLOADS.items() if place in places), "")
        self.away(component)
        self._figures(place[2])

    def away(self, component: str, *, cause: str = "ConnectError: [Errno 111] Connection refused") -> None:
        """Let a component not answer; whoever needs it suffers."""
        self.door(component, 0, cause)
        if component == "kafka":
            self.state |= {"topics": {}, "groups": {}}
            self.problem("kafka", "NotConverged: Kafka does not do what was asked: NoBrokersAvailable: bootstrap")
        if component == "mlflow" and "mlflow" in self.health["declared"]["components"]:
            self.state["models"] = {}
            self.problem("mlflow", f"ConnectionError: registered-models: 0 {cause}")
        if component == "prometheus":
            self.health |= {"targets": [], "figures": {name: [] for name in self.health["figures"]}}
            self.state["metrics"] = {name: [] for name in self.state["metrics"]}
            self.problem("prometheus", f"ConnectionError: targets: 0 {cause}")
        if component == "jaeger":
            self.state["traces"] = {name: [] for name in self.state["traces"]}
            self._exporters("ConnectionRefusedError(111, 'Connection refused')")
        if component == "postgres" and self.objects("Deployment", "data", "mlflow"):
            self.complains(("data", "Deployment", "mlflow"), NO_DATABASE)
        for suffers, logger, event, more in SUFFER.get(component, ()):
            if self.objects(suffers[1], suffers[0], suffers[2]):
                self.complains(suffers, self.line(logger, event, **more))

    def _exporters(self, cause: str) -> None:
        """Let all who trace say that their spans are not taken."""
        for place in self.all():
            if place[0] == "chain":
                self.utter(
                    place,
                    self.line(
                        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
                        f"Transient error {cause} encountered while exporting span batch, retrying in 1.93s.",
                    ),
                    self.line(
                        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
                        "Failed to export span batch code: None, reason: max retries exceeded", "error",
                    ),
                )  # fmt: skip

    def _shaped(self, pod: Json, shape: Shape, said: str) -> None:
        """Shape a pod; Prometheus goes on asking one that runs."""
        name = pod["metadata"]["name"]
        before = [each for each in self.health["targets"] if each["pod"] == name]
        super()._shaped(pod, shape, said)
        if pod["status"]["phase"] == "Running":
            why = 'Get "http://10.244.0.31:8080/metrics": dial tcp 10.244.0.31:8080: connect: connection refused'
            self.health["targets"] += [{**each, "health": "down", "error": why} for each in before]

    # Shapes of pods -------------------------------------------------------------------------------------------------

    def crashes(
        self, *lines: str, code: int = 1, reason: str = "Error", restarts: int = 6, index: int = 0,
        backing_off: bool = True,
    ) -> Shape:  # fmt: skip
        """Return the shape of a pod one of whose containers ends again and again.

        Args:
            lines: its last words.
            code: its exit code.
            reason: why it was ended, in the runtime's words.
            restarts: so far.
            index: of the container.
            backing_off: whether the recording met it while it waits, rather than in the seconds that it runs.

        """

        def shape(pod: Json) -> None:
            status = pod["status"]["containerStatuses"][index]
            name, where = status["name"], f"{pod['metadata']['name']}_{pod['metadata']['namespace']}(6f0c1f9e)"
            waits = {
                "reason": "CrashLoopBackOff",
                "message": f"back-off 2m40s restarting failed container={name} pod={where}",
            }
            ended = {"exitCode": code, "reason": reason, "startedAt": self.at(95), "finishedAt": self.at(90)}
            state = {"waiting": waits} if backing_off else {"running": {"startedAt": self.at(2)}}
            status |= {"restartCount": restarts, "state": state, "lastState": {"terminated": ended}}
            self.not_ready(pod, name)
            self.words(pod, *lines, container=name)
            pod["told"] = [("BackOff", f"Back-off restarting failed container {name} in pod {where}")]

        return shape

    def begins_badly(self, name: str, *lines: str, code: int = 1) -> Shape:
        """Return the shape of a pod whose init container ends again and again."""

        def shape(pod: Json) -> None:
            where = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}(6f0c1f9e)"
            ended = {"exitCode": code, "reason": "Error", "startedAt": self.at(95), "finishedAt": self.at(90)}
            waits = {"reason": "CrashLoopBackOff", "message": f"back-off 1m20s restarting failed container={name}"}
            first = {
                "name": name, "image": pod["spec"]["containers"][0]["image"], "ready": False, "restartCount": 5,
                "state": {"waiting": waits}, "lastState": {"terminated": ended},
            }  # fmt: skip
            pod["status"]["phase"] = "Pending"
            pod["status"]["initContainerStatuses"] = [first]
            for each in pod["status"]["containerStatuses"]:
                each |= {"ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}
            self.not_ready(pod, *(each["name"] for each in pod["spec"]["containers"]))
            self.words(pod, *lines, container=name)
            pod["told"] = [("BackOff", f"Back-off restarting failed container {name} in pod {where}")]

        return shape

    def waits(self, reason: str, message: str, *events: tuple[str, str], image: str = "") -> Shape:
        """Return the shape of a pod whose first container cannot be made."""

        def shape(pod: Json) -> None:
            status = pod["status"]["containerStatuses"][0]
            status |= {"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": 0, "lastState": {}}
            if image:
                status["image"] = pod["spec"]["containers"][0]["image"] = image
            pod["status"]["phase"] = "Pending"
            self.not_ready(pod, status["name"])
            pod["told"] = list(events)

        return shape

    def creating(self, *events: tuple[str, str]) -> Shape:
        """Return the shape of a pod whose volumes or network cannot be made."""

        def shape(pod: Json) -> None:
            pod["status"]["phase"] = "Pending"
            for each in pod["status"]["containerStatuses"]:
                each |= {"state": {"waiting": {"reason": "ContainerCreating"}}, "restartCount": 0, "lastState": {}}
            self.not_ready(pod, *(each["name"] for each in pod["spec"]["containers"]))
            pod["told"] = list(events)

        return shape

    def pending(self, message: str) -> Shape:
        """Return the shape of a pod that the scheduler finds no node for."""

        def shape(pod: Json) -> None:
            pod["spec"].pop("nodeName", None)
            seen = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            pod["status"] = {"phase": "Pending", "conditions": [seen], "qosClass": "Burstable"}
            pod["told"] = [("FailedScheduling", message)]

        return shape

    def unready(self, place: Place) -> None:
        """Let a workload stand without a ready pod."""
        super().unready(place)
        workload = self.workload(*place)
        if workload["kind"] == "Deployment" and workload["spec"]["replicas"]:
            workload["status"]["conditions"] = [
                {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                 "message": "Deployment does not have minimum availability."},
            ]  # fmt: skip

    def hangs(self, *lines: str, probe: str = "Readiness", said: str = "", restarts: int = 0) -> Shape:
        """Return the shape of a pod that runs and is not ready."""
        told = said or f"{probe} probe failed: HTTP probe failed with statuscode: 503"

        def shape(pod: Json) -> None:
            status = pod["status"]["containerStatuses"][0]
            status |= {"state": {"running": {"startedAt": self.at(3 * MINUTE)}}, "restartCount": restarts}
            if restarts:
                ended = {"exitCode": 137, "reason": "Error", "finishedAt": self.at(3 * MINUTE)}
                status["lastState"] = {"terminated": ended}
            self.not_ready(pod, status["name"])
            self.words(pod, *lines)
            pod["told"] = [("Unhealthy", told)]

        return shape

    def not_ready(self, pod: Json, *containers: str) -> None:
        """Let containers of a pod, and so the pod, not be ready."""
        told = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(containers)}]"}
        for each in pod["status"]["conditions"]:
            if each["type"] in ("Ready", "ContainersReady"):
                each |= {"status": "False", **told}
        for status in pod["status"]["containerStatuses"]:
            if status["name"] in containers:
                status |= {"ready": False, "started": False}

    # What is changed about workloads --------------------------------------------------------------------------------

    def env(self, target: Target, name: str, value: str | None) -> None:
        """Change an environment variable of a workload; None takes it away."""
        containers = self.workload(*target.place)["spec"]["template"]["spec"]["containers"]
        for each in containers:
            if each["name"] == target.container:
                kept = [entry for entry in each.get("env", []) if entry["name"] != name]
                each["env"] = kept + ([{"name": name, "value": value}] if value is not None else [])

    def image(self, target: Target, image: str) -> None:
        """Change the image of a workload."""
        for each in self.workload(*target.place)["spec"]["template"]["spec"]["containers"]:
            if each["name"] == target.container:
                each["image"] = image

    def image_of(self, target: Target) -> str:
        """Return the image of a workload's pods."""
        return str(self.pods(*target.place)[0]["spec"]["containers"][0]["image"])

    def refused(self, place: Place, why: str) -> None:
        """Let the API refuse every new pod of a workload whose old one is gone."""
        workload = self.workload(*place)
        self.gone(place, kept=True)
        workload["spec"]["replicas"] = 1
        workload["status"] = {"observedGeneration": workload["metadata"].get("generation", 1), "replicas": 0}
        about, name = (
            ("ReplicaSet", f"{place[2]}-77d8b9c6f5") if place[1] == "Deployment" else ("StatefulSet", place[2])
        )
        if place[1] == "Deployment":
            workload["status"] |= {
                "unavailableReplicas": 1,
                "conditions": [
                    {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"},
                    {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why},
                ],
            }
        self.warn(about, place[0], name, "FailedCreate", f"Error creating: {why}")

    def claim(self, namespace: str, name: str, phase: str = "Pending", storage: str = "standard") -> None:
        """Put a claim there."""
        self.health["objects"].append(
            {
                "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "storageClassName": storage,
                    "resources": {"requests": {"storage": "1Gi"}},
                },
                "status": {"phase": phase},
            }
        )  # fmt: skip

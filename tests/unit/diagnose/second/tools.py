"""What the second set needs to tell besides what a scene can: one pod of several, init containers, leftovers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from lab.diagnose.faults.acts import CONSUMER, FEATURE, FOLLOW, Target
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.neighbours import Place
from unit.diagnose.independent.scene import Scene, Shape

Play = Callable[[Scene], None]

_UNRESOLVED = "ConnectError('[Errno -3] Temporary failure in name resolution')"


def gone(target: Target, *, kept: bool) -> Play:
    """Delete a workload, or (kept) scale it to none."""
    return lambda scene: scene.gone(target.place, kept=kept)


def all_of(*plays: Play) -> Play:
    """Let several things happen, one after the other."""

    def play(scene: Scene) -> None:
        for each in plays:
            each(scene)

    return play


def fallen(target: Target, shape: Callable[[Scene], Shape], *, rolled: bool = False) -> Play:
    """Shape a workload's pod, or (rolled) that of its next release."""

    def play(scene: Scene) -> None:
        (scene.rolled if rolled else scene.fallen)(target.place, shape(scene))

    return play


def ends(target: Target, *lines: str, code: int = 1, reason: str = "Error", restarts: int = 6, index: int = 0) -> Play:
    """Let a container end again and again."""
    return fallen(target, lambda scene: scene.crashes(*lines, code=code, reason=reason, restarts=restarts, index=index))


def crashed(target: Target, *lines: str, code: int = 1) -> Play:
    """Let a container end again and again with its last words."""
    return ends(target, *lines, code=code, restarts=7)


def shaped(scene: Scene, pods: Iterable[Json], shape: Shape) -> None:
    """Shape some pods of a workload, and leave the others."""
    for pod in pods:
        shape(pod)
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        told = pod.pop("told", [])
        # A bundle may hold a pod twice, an event once.
        if not any(each["object"] == name for each in scene.health["events"]):
            for reason, message in told:
                scene.warn("Pod", namespace, name, reason, message)
        for each in scene.health["targets"]:
            if each["pod"] == name:
                each |= {"health": "down", "error": "connection refused"}


def twin(scene: Scene, target: Target, shape: Shape | None = None) -> Json:
    """Give a workload a second pod; it is healthy, unless it is shaped."""
    workload = scene.workload(*target.place)
    pod: Json = copy.deepcopy(scene.pods(*target.place)[0])
    pod["metadata"]["name"] = pod["metadata"]["name"][:-5] + "b7t4n"
    scene.health["objects"].append(pod)
    ready = 1 if shape else 2
    workload["spec"]["replicas"] = 2
    workload["status"] |= {"replicas": 2, "updatedReplicas": 2, "readyReplicas": ready, "availableReplicas": ready}
    if shape:
        workload["status"]["unavailableReplicas"] = 1
        shaped(scene, [pod], shape)
    return pod


def init(pod: Json, name: str, reason: str, message: str = "", ended: Json | None = None) -> None:
    """Let an init container of a pod wait for something."""
    status = {
        "name": name, "image": pod["spec"]["containers"][0]["image"], "ready": False, "started": False,
        "restartCount": 5 if ended else 0, "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": ended} if ended else {},
    }  # fmt: skip
    pod["status"] |= {"phase": "Pending", "initContainerStatuses": [status]}
    for each in pod["status"]["containerStatuses"]:
        each |= {"state": {"waiting": {"reason": "PodInitializing"}}, "restartCount": 0, "lastState": {}}


def left(scene: Scene, target: Target, name: str, why: tuple[str, str], ago: float) -> Json:
    """Leave a pod that ended long ago and has been replaced since."""
    old: Json = copy.deepcopy(scene.pods(*target.place)[0])
    old["metadata"]["name"] = name
    old["status"] = {
        "phase": "Failed", "reason": why[0], "message": why[1], "startTime": scene.at(ago), "conditions": []
    }  # fmt: skip
    scene.health["objects"].append(old)
    return old


def policy(namespace: str, name: str, **spec: object) -> Play:
    """Put a network policy there."""
    body = {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return lambda scene: scene.health["objects"].append(body)


def quota(namespace: str, name: str, hard: dict[str, str], used: dict[str, str]) -> Play:
    """Put a quota there."""
    body = {
        "kind": "ResourceQuota", "metadata": {"name": name, "namespace": namespace},
        "spec": {"hard": hard}, "status": {"hard": hard, "used": used},
    }  # fmt: skip
    return lambda scene: scene.health["objects"].append(body)


def unbound(scene: Scene, namespace: str, name: str, storage: str) -> None:
    """Let a claim have no volume, instead of the one that it had."""
    scene.health["objects"] = [
        each
        for each in scene.health["objects"]
        if (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        != ("PersistentVolumeClaim", namespace, name)
    ]
    scene.claim(namespace, name, storage=storage)


def emptied(scene: Scene, namespace: str, service: str) -> None:
    """Take the endpoints of a Service away."""
    for each in scene.objects("EndpointSlice", namespace):
        if each["metadata"]["labels"].get("kubernetes.io/service-name") == service:
            each["endpoints"] = None


def own(scene: Scene, name: str) -> Place:
    """Return one of the lab's own workloads."""
    return next(place for place in scene.all() if place[0] == scene.own and place[2] == name)


def said(target: Target, logger: str, event: str, *, times: int = 2, level: str = "warning", **more: object) -> Play:
    """Let a healthy workload have complained."""

    def play(scene: Scene) -> None:
        for ago in range(times):
            scene.utter(target.place, scene.line(logger, event, level, ago=8 + 9 * ago, **more))

    return play


def nameless(scene: Scene) -> None:
    """Let those who look for others by name say that names are not resolved."""
    for target, logger, event, cause in (
        (CONSUMER, "runtime.broker", "poll failed", "DnsResolutionError('kafka.platform.svc:9092')"),
        (FEATURE, "feature.wire", "no connection to Redis", "[Errno -3] Temporary failure in name resolution"),
        (FOLLOW, "serving.workers.follow", "no answer", _UNRESOLVED),
    ):  # fmt: skip
        if scene.objects("Deployment", "chain", target.name):
            scene.complains(target.place, scene.line(logger, event, cause=cause))


def no_endpoints(scene: Scene) -> None:
    """Let the gateway have nobody to send to, and say so loudest."""
    scene.door("gateway", 503, "no healthy upstream")
    line = scene.line("serving.workers.follow", "no prediction", status=503, reason="no healthy upstream")
    scene.utter(FOLLOW.place, line, line, line)


def answers_not(scene: Scene, why: str) -> None:
    """Let nothing be had from the Kubernetes API; what is asked elsewhere goes on."""
    scene.health |= {"objects": [], "events": [], "copies": [], "logs": {}}
    scene.health["machine"]["skew_seconds"] = None
    scene.state |= {"objects": [], "versions": {"kubernetes": ""}}
    scene.problem("kubernetes", why)

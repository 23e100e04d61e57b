"""What the third set is made of: pods that fall by the name of their container, neighbours that notice, a dark cluster.

It adds to what the scene and the second set's tools can tell; it was written without a look at any cause.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.faults.acts import Target
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.scene import MINUTE, Scene, Shape
from unit.diagnose.second.tools import Play, answers_not

CANARY = Target("serving", "chain", "Deployment", "serving-canary", "server")
LABELS = Target("serving", "chain", "Deployment", "serving-labels", "labels")
HOOK = (
    'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post '
    '"https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service "kyverno-svc"'
)
NO_ACCOUNT = '{{pod}}: error looking up service account {0}: serviceaccount "{1}" not found'
EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def mine(lab: str, name: str, kind: str = "Deployment") -> Target:
    """Return one of a lab's own workloads."""
    return Target("", f"lab-{lab}", kind, name, name)


def there(scene: Scene, target: Target) -> bool:
    """Say whether a workload stands in this lab."""
    return bool(scene.objects(target.kind, target.namespace, target.name))


def befalls(target: Target, shape: Callable[[Scene], Shape], *, rolled: bool = False) -> Play:
    """Let something befall the container that is meant, in whichever order the kubelet tells of a pod's containers."""

    def play(scene: Scene) -> None:
        made = shape(scene)

        def first(pod: Json) -> None:
            pod["status"]["containerStatuses"].sort(key=lambda each: each["name"] != target.container)
            made(pod)

        (scene.rolled if rolled else scene.fallen)(target.place, first)

    return play


def dies(  # noqa: PLR0913  as a kubelet tells it
    target: Target, *lines: str, code: int = 1, reason: str = "Error", restarts: int = 6, backing_off: bool = True,
    rolled: bool = False,
) -> Play:  # fmt: skip
    """Let the container end each time it is started."""
    return befalls(
        target,
        lambda scene: scene.crashes(*lines, code=code, reason=reason, restarts=restarts, backing_off=backing_off),
        rolled=rolled,
    )


def hung(
    target: Target, *lines: str, said: str = "", probe: str = "Readiness", restarts: int = 0, rolled: bool = False
) -> Play:
    """Let the container run and not be ready."""
    return befalls(
        target, lambda scene: scene.hangs(*lines, probe=probe, said=said, restarts=restarts), rolled=rolled
    )  # fmt: skip


def held(target: Target, reason: str, message: str, *, image: str = "", rolled: bool = False) -> Play:
    """Let the kubelet not come to start the container; an image of that name is asked for."""

    def play(scene: Scene) -> None:
        if image:
            scene.image(target, image)
        events = (("Failed", f"Error: {message}" if not image else message), ("Failed", f"Error: {reason}"))
        befalls(target, lambda each: each.waits(reason, message, *events, image=image), rolled=rolled)(scene)

    return play


def unpulled(target: Target, image: str, why: str) -> Play:
    """Let a release ask for an image that does not come."""
    told = f'Back-off pulling image "{image}": ErrImagePull: failed to pull and unpack image "{image}": {why}'
    return held(target, "ImagePullBackOff", told, image=image, rolled=True)


def unmounted(target: Target, *told: str) -> Play:
    """Let a volume of a pod not be mounted."""
    return befalls(target, lambda scene: scene.creating(*(("FailedMount", each) for each in told)))


def unplaced(target: Target, why: str, *, rolled: bool = True) -> Play:
    """Let the scheduler find no node."""
    told = f"0/1 nodes are available: {why}. preemption: 0/1 nodes are available: 1 No preemption victims found for "
    return befalls(target, lambda scene: scene.pending(told + "incoming pod."), rolled=rolled)


def refused(target: Target, why: str) -> Play:
    """Let the API refuse every new pod; {pod} is what it would have been called."""
    made = f"{target.name}-0" if target.kind == "StatefulSet" else f"{target.name}-77d8b9c6f5-m4x9z"
    told = why.format(pod=f'pods "{made}" is forbidden')

    def play(scene: Scene) -> None:
        scene.refused(target.place, told)
        if target.kind == "StatefulSet":
            said = f"create Pod {made} in StatefulSet {target.name} failed error: {told}"
            scene.health["events"][-1]["message"] = said

    return play


def minds(target: Target, logger: str, event: str, **more: object) -> Play:
    """Let a neighbour suffer, where it stands: it warns, is not ready or ends, as hard as it is played."""

    def play(scene: Scene) -> None:
        if there(scene, target):
            scene.complains(target.place, scene.line(logger, event, "warning", 10, **more))

    return play


def warned(target: Target, reason: str, message: str, ago: float = 15) -> Play:
    """Let the cluster have warned of the pods of a workload."""

    def play(scene: Scene) -> None:
        for name in sorted({pod["metadata"]["name"] for pod in scene.pods(*target.place)}):
            scene.warn("Pod", target.namespace, name, reason, message, ago=ago)

    return play


def told_of_node(reason: str, message: str, ago: float = 40) -> Play:
    """Let the cluster have warned of its node."""
    return lambda scene: scene.warn("Node", "", scene.node["metadata"]["name"], reason, message, ago=ago)


def env(target: Target, name: str, value: str) -> Play:
    """Give a workload another value of a variable."""
    return lambda scene: scene.env(target, name, value)


def says(target: Target, *lines: str, container: str = "") -> Play:
    """Let a workload have said lines, where it stands."""

    def play(scene: Scene) -> None:
        if there(scene, target):
            scene.utter(target.place, *lines, container=container)

    return play


def stale(*views: str, seconds: float = 2400) -> Play:
    """Let views of features stand still."""

    def play(scene: Scene) -> None:
        for view in views:
            scene.figure("feature_staleness", view, seconds)

    return play


def dark(scene: Scene, why: str, **cluster: str) -> None:
    """Let nothing answer at all, and the cluster stand so."""
    refusal = "ConnectError: [Errno 111] Connection refused"
    for component in ("kafka", "mlflow", "prometheus"):
        if component in scene.health["declared"]["components"]:
            scene.away(component)
    for name in scene.health["answers"]:
        scene.door(name, 0, refusal)
    scene.state["answers"] = {name: {"status": 0, "body": refusal} for name in scene.state["answers"]}
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}
    answers_not(scene, why)
    scene.health["cluster"] |= cluster


def condition(scene: Scene, kind: str, **told: str) -> None:
    """Let the node say another thing of itself."""
    next(each for each in scene.node["status"]["conditions"] if each["type"] == kind).update(told)


def unserved(scene: Scene) -> None:
    """Let the gateway have no server to ask, and the live traffic hear so."""
    scene.door("gateway", 503, "no healthy upstream")
    follow = Target("serving", "chain", "Deployment", "serving-follow", "follow")
    line = scene.line("serving.workers.follow", "no prediction", status=503, reason="no healthy upstream")
    says(follow, line, line)(scene)


def letters(counts: dict[str, float]) -> Play:
    """Let so many events of each topic have been refused."""

    def play(scene: Scene) -> None:
        for topic, count in counts.items():
            scene.figure("dead_letters", topic, count)
        whole = int(sum(counts.values()))
        scene.state["topics"]["dead-letter.v1"]["end"] = [whole]
        scene.state["metrics"]["dead_letters"] = [{"labels": {}, "value": float(whole)}]

    return play


def failed_job(owner: str, job: str, *lines: str, code: int = 1) -> Play:
    """Let a job of the chain have used up its attempts just now."""

    def play(scene: Scene) -> None:
        scene.health["objects"] = [
            each
            for each in scene.health["objects"]
            if each["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name") != f"{job}-now"
        ]
        for ago, tail in ((6, "r4mw8"), (4, "c9jd2"), (2, "zz5kt")):
            pod = scene.job(owner, "chain", job, code=code)
            pod["metadata"]["name"] = f"{job}-now-{tail}"
            pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] = f"{job}-now"
            pod["metadata"]["ownerReferences"][0]["name"] = f"{job}-now"
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = scene.at(ago * MINUTE)
            scene.words(pod, *lines)
        told = "Job has reached the specified backoff limit"
        scene.warn("Job", "chain", f"{job}-now", "BackoffLimitExceeded", told, ago=110)

    return play

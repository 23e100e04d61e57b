"""The second set: what a person who knows clusters would pass over."""

from __future__ import annotations

import copy

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    CONTROLLER,
    DNS,
    FEATURE,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    REDIS,
    STABLE,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import HOUR, MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, left, policy, quota, said, twin


def _restarted(target: Target, times: int, ago: float, *lines: str, code: int = 1, reason: str = "Error") -> Play:
    """Let a pod have been restarted; it is ready since."""

    def play(scene: Scene) -> None:
        ended = {"exitCode": code, "reason": reason, "startedAt": scene.at(ago + 30), "finishedAt": scene.at(ago)}
        for pod in scene.pods(*target.place):
            pod["status"]["containerStatuses"][0] |= {
                "restartCount": times, "lastState": {"terminated": ended},
                "state": {"running": {"startedAt": scene.at(ago - 2)}},
            }  # fmt: skip
            scene.words(pod, *lines)

    return play


def _event(target: Target, reason: str, message: str, ago: float, name: str = "") -> Play:
    """Let a warning be about a pod that is well, or (name) that is no more."""

    def play(scene: Scene) -> None:
        for pod in scene.pods(*target.place)[:1]:
            scene.warn("Pod", target.namespace, name or pod["metadata"]["name"], reason, message, ago=ago)

    return play


def _other(about: tuple[str, str, str], reason: str, message: str, ago: float) -> Play:
    return lambda scene: scene.warn(*about, reason, message, ago=ago)


def _evicted(target: Target, message: str, ago: float, count: int = 1) -> Play:
    def play(scene: Scene) -> None:
        for number in range(count):
            old = left(scene, target, f"{target.name}-7c6d5f4b8-o{number}ld", ("Evicted", message), ago)
            if ago < HOUR:
                scene.warn("Pod", target.namespace, old["metadata"]["name"], "Evicted", message, ago=ago)

    return play


def _not_ready_once(scene: Scene) -> None:
    """Let the node have been away for half a minute; its conditions tell since when it is back."""
    name = scene.node["metadata"]["name"]
    for each in scene.node["status"]["conditions"]:
        if each["type"] == "Ready":
            each["lastTransitionTime"] = scene.at(24 * MINUTE)
    scene.warn("Node", "", name, "NodeNotReady", f"Node {name} status is now: NodeNotReady", ago=25 * MINUTE)
    for target in (KAFKA, CONSUMER, PROMETHEUS):
        _event(target, "NodeNotReady", "Node is not ready", 25 * MINUTE)(scene)


def _second_node(scene: Scene, name: str = "tarmac-worker") -> Json:
    node: Json = copy.deepcopy(scene.node)
    node["metadata"]["name"] = name
    node["metadata"]["labels"] = {**node["metadata"].get("labels", {}), "kubernetes.io/hostname": name}
    scene.health["objects"].append(node)
    return node


def _drained(scene: Scene) -> None:
    """Let a second node have been cordoned that nothing runs on."""
    _second_node(scene)["spec"] = {
        "unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
    }  # fmt: skip


def _preferred(scene: Scene) -> None:
    scene.node["spec"]["taints"] = [{"key": "spot", "value": "true", "effect": "PreferNoSchedule"}]


def _shut_down(scene: Scene) -> None:
    """Let the node have been shut down in good order last night."""
    for target in (JAEGER, PROMETHEUS):
        message = "Pod was terminated in response to imminent node shutdown."
        left(scene, target, f"{target.name}-6b5c4d3f2-night", ("Terminated", message), 11 * HOUR)


def _jobs(scene: Scene) -> None:
    """Let one run of a nightly job have used up its attempts; the next ones ended well."""
    for attempt in ("2hhnf", "9dd4k", "v8s5m"):
        pod = scene.job("lake", "chain", "lake-build", code=1)
        pod["metadata"]["name"] = f"lake-build-29412300-{attempt}"
        scene.words(pod, "lake.errors.StoreUnavailable: the object store does not answer: Connection refused")
    told = "Job has reached the specified backoff limit"
    scene.warn("Job", "chain", "lake-build-29412300", "BackoffLimitExceeded", told, ago=45 * MINUTE)


def _withdrawn(scene: Scene) -> None:
    """Let a release have been taken back: its pods are gone, what they said stands in the events."""
    name, image = "serving-stable-6f7d8c9b5-wq8zt", "tarmac.local/serving:0000000beef0"
    for reason, message in (
        ("Failed", f'Failed to pull image "{image}": not found'), ("Failed", "Error: ImagePullBackOff"),
        ("BackOff", f'Back-off pulling image "{image}"'),
    ):  # fmt: skip
        scene.warn("Pod", "chain", name, reason, message, ago=6 * MINUTE)
    metadata = scene.workload(*STABLE.place)["metadata"]
    metadata["annotations"] = {**metadata.get("annotations", {}), "deployment.kubernetes.io/revision": "3"}


def _catching_up(scene: Scene) -> None:
    """Let the consumer have been restarted, and work off what came in meanwhile."""
    scene.figure("lag", "weather.read.v1", 8100)
    scene.figure("lag_growth", "weather.read.v1", -2100)
    for each in scene.state["groups"]["ingest"]["weather.read.v1"]:
        each["lag"] += 8100
    _restarted(CONSUMER, 1, 3 * MINUTE, code=0, reason="Completed")(scene)


def _console(scene: Scene) -> None:
    """Let somebody's console consumer have left its group, far behind; and a topic of their own."""
    scene.state["groups"]["console-consumer-48213"] = {
        "flight.departed.v1": [{"committed": 10, "lag": 1400, "partition": 0}]
    }
    scene.state["topics"]["scratch"] = {"begin": [0], "config": {}, "end": [3], "partitions": 1}


def _old_letters(scene: Scene) -> None:
    """Let dead letters lie from last week; none came since."""
    scene.state["topics"]["dead-letter.v1"]["end"] = [58]


def _partitions(scene: Scene) -> None:
    """Let a topic have been given more partitions: those are empty."""
    topic = scene.state["topics"]["weather.read.v1"]
    topic |= {"partitions": 4, "begin": [*topic["begin"], 0, 0, 0], "end": [*topic["end"], 0, 0, 0]}


def _gone_target(scene: Scene) -> None:
    """Let Prometheus still list a pod that a release replaced seconds ago."""
    scene.health["targets"].append(
        {"namespace": "chain", "pod": "ingest-producer-5b4c3d2f1-gg7hh", "job": "pods", "health": "down",
         "error": 'Get "http://10.244.0.19:8080/metrics": dial tcp 10.244.0.19:8080: connect: no route to host'}
    )  # fmt: skip


def _forgot(scene: Scene) -> None:
    """Let Jaeger have been rolled a minute ago: it keeps traces in memory, and one trace in a hundred is drawn."""
    for pod in scene.pods(*JAEGER.place):
        pod["status"]["startTime"] = scene.at(70)
        pod["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": scene.at(66)}}
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


def _promoted(scene: Scene) -> None:
    """Let all traffic go to the canary: blue and green were exchanged."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        for ref, weight in zip(route["spec"]["rules"][0]["backendRefs"], (0, 100), strict=True):
            ref["weight"] = weight


def _shell(scene: Scene) -> None:
    """Let a shell of `kubectl run` have been left with Ctrl-C."""
    pod = scene.job("shell", scene.own, "shell", code=130)
    pod["metadata"] |= {"name": "shell", "labels": {"run": "shell"}}
    pod["metadata"].pop("ownerReferences")


def _two_servers(scene: Scene) -> None:
    """Let a second server stand beside the first.

    First without a target of Prometheus: but a pod that has been ready for minutes, announces its figures and is not
    read is what TD-SCRAPE-MISSING says. One that is well is read, like the first.
    """
    first = scene.pods(*STABLE.place)[0]["metadata"]["name"]
    second = twin(scene, STABLE)["metadata"]["name"]
    scene.health["targets"] += [{**each, "pod": second} for each in scene.health["targets"] if each["pod"] == first]


def _psql(scene: Scene) -> None:
    """Let somebody have mistyped a password, once."""
    scene.utter(
        POSTGRES.place,
        '2026-11-27 16:03:11.402 UTC [733] FATAL:  password authentication failed for user "trainee"',
        '2026-11-27 16:03:11.402 UTC [733] DETAIL:  Role "trainee" does not exist.',
    )


def _friends(scene: Scene) -> None:
    """Let Redis be reached by those who need it, and by nobody else."""
    names = ["chain", "data", "platform", scene.own]
    select = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}]}
    labels = {"matchLabels": {"app.kubernetes.io/name": "redis"}}
    rule = {"from": [{"namespaceSelector": select}]}
    policy("data", "redis", podSelector=labels, policyTypes=["Ingress"], ingress=[rule])(scene)


def _versions(scene: Scene) -> None:
    """Let the champion be an older version, as after a model was taken back."""
    aliases = {"champion": "2", "previous": "3", "challenger": "4"}
    scene.state["models"]["delay-boosting"] = {"aliases": aliases, "versions": [1, 2, 3, 4]}


def _leftover_policy(scene: Scene) -> None:
    """Let a policy be left that chooses no pod of anybody."""
    labels = {"matchLabels": {"app": "retired"}}
    policy("chain", "retired", podSelector=labels, policyTypes=["Ingress", "Egress"])(scene)


_DOWN = 'Get "http://10.244.0.{}:8080/{}": dial tcp 10.244.0.{}:8080: connect: connection refused'
_DISK = "The node was low on resource: ephemeral-storage. Threshold quantity: 7730941132, available: 5120444Ki. "
_LEADER = '{"level":"error","logger":"provider","msg":"failed to run","error":"leader election lost"}'
CASES: tuple[Case, ...] = (
    Case("names-restarted-this-morning", None, (), _restarted(DNS, 3, 7 * HOUR, code=137)),
    Case("broker-restarted-often-yesterday", None, (), _restarted(KAFKA, 14, 19 * HOUR, code=143)),
    Case("store-killed-for-memory-yesterday", None, ("objectstore",), _restarted(
        OBJECTSTORE, 2, 22 * HOUR, code=137, reason="OOMKilled")),
    Case("leader-lost-once", None, ("gateway",), _restarted(CONTROLLER, 1, 40 * MINUTE, _LEADER)),
    Case("node-away-for-a-moment", None, (), _not_ready_once),
    Case("empty-node-cordoned", None, (), _drained),
    Case("node-is-not-preferred", None, (), _preferred),
    Case("evicted-for-disk-last-night", None, (), _evicted(PROMETHEUS, _DISK, 9 * HOUR, 4)),
    Case("scratch-space-exceeded-once", None, ("lake",), _evicted(
        BRONZE, 'Usage of EmptyDir volume "tmp" exceeds the limit "512Mi". ', 35 * MINUTE)),
    Case("node-was-shut-down", None, (), _shut_down),
    Case("job-gave-up-the-next-did-not", None, ("lake",), _jobs),
    Case("release-taken-back", None, ("serving",), _withdrawn),
    Case("consumer-catches-up", None, (), _catching_up),
    Case("console-consumer-left", None, (), _console),
    Case("dead-letters-of-last-week", None, (), _old_letters),
    Case("more-partitions", None, (), _partitions),
    Case("target-of-a-replaced-pod", None, (), _gone_target),
    Case("jaeger-has-forgotten", None, (), _forgot),
    Case("all-to-the-canary", None, ("serving",), _promoted),
    Case("shell-left", None, (), _shell),
    Case("two-servers-serve", None, ("serving",), _two_servers),
    Case("password-mistyped-once", None, ("postgres",), _psql),
    Case("redis-for-its-friends", None, ("redis",), _friends),
    Case("policy-for-nobody", None, (), _leftover_policy),
    Case("quota-nearly-used", None, (), quota("platform", "compute", {"limits.memory": "8Gi"}, {
        "limits.memory": "7900Mi"})),
    Case("an-older-champion", None, ("serving",), _versions),
    Case("too-many-name-servers", None, (), all_of(*(_event(
        target, "DNSConfigForming", "Nameserver limits were exceeded, some nameservers have been omitted, the applied "
        "nameserver line is: 10.96.0.10 172.18.0.1 8.8.8.8", 20) for target in (KAFKA, CONSUMER, PROMETHEUS)))),
    Case("slices-updated-late", None, (), _other(
        ("Service", "chain", "ingest"), "FailedToUpdateEndpointSlices", "Error updating Endpoint Slices for Service "
        "chain/ingest: failed to update EndpointSlice: Operation cannot be fulfilled on endpointslices.discovery.k8s.io"
        ' "ingest-abcde": the object has been modified; please apply your changes to the latest version and try again',
        2 * MINUTE)),
    Case("kubelet-measured-no-disk", None, (), lambda scene: scene.warn(
        "Node", "", scene.node["metadata"]["name"], "InvalidDiskCapacity", "invalid capacity 0 on image filesystem",
        ago=50 * MINUTE)),
    Case("volume-mounted-at-the-second-attempt", None, (), _event(
        PROMETHEUS, "FailedMount", 'MountVolume.SetUp failed for volume "config" : failed to sync configmap cache: '
        "timed out waiting for the condition", 90)),
    Case("autoscaler-without-metrics", None, (), lambda scene: scene.warn(
        "HorizontalPodAutoscaler", scene.own, "mine", "FailedGetResourceMetric", "failed to get cpu utilization: "
        "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could "
        "not find the requested resource (get pods.metrics.k8s.io)", ago=12)),
    Case("runs-missed-while-asleep", None, ("lake",), _other(
        ("CronJob", "chain", "lake-build"), "MissSchedule", "Missed scheduled time to start a job: Fri, 27 Nov 2026 "
        "03:40:00 UTC", 30 * MINUTE)),
    Case("liveness-late-once", None, ("feature",), _event(
        FEATURE, "Unhealthy", 'Liveness probe failed: Get "http://10.244.0.47:6566/livez": context deadline exceeded '
        "(Client.Timeout exceeded while awaiting headers)", 70)),
    Case("pod-of-an-hour-ago-crashed", None, (), _event(
        PRODUCER, "BackOff", "Back-off restarting failed container producer in pod ingest-producer-6d5c4b3f2-"
        "rr9pp_chain(77aa)", 25 * MINUTE, "ingest-producer-6d5c4b3f2-rr9pp")),
    Case("server-drained-in-a-hurry", None, ("serving",), all_of(
        _event(STABLE, "FailedPreStopHook", "PreStopHook failed", 5 * MINUTE, "serving-stable-774bdc89f4-xx0lb"),
        _event(STABLE, "Unhealthy", "Readiness probe failed: " + _DOWN.format(31, "readyz", 31), 5 * MINUTE,
               "serving-stable-774bdc89f4-xx0lb"))),
    Case("mlflow-began-slowly", None, ("mlflow",), _event(
        MLFLOW, "Unhealthy", 'Startup probe failed: Get "http://10.244.0.48:5000/health": dial tcp 10.244.0.48:5000: '
        "connect: connection refused", 8 * MINUTE)),
    Case("commit-repeated", None, (), said(
        CONSUMER, "runtime.broker", "commit failed; it will be repeated", times=1, cause="RebalanceInProgressError()")),
    Case("redis-saves-with-a-warning", None, ("redis",), lambda scene: scene.utter(
        REDIS.place, "1:M 27 Nov 2026 16:00:02.118 * Asynchronous AOF fsync is taking too long (disk is busy?). "
        "Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.")),
)  # fmt: skip

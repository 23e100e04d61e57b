"""Cases in which nothing may be blamed: what any cluster in use shows without being broken."""

from __future__ import annotations

import copy
from collections.abc import Callable

from lab.diagnose.causes.chain import LAB
from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    FEATURE,
    KAFKA,
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

Play = Callable[[Scene], None]


def _nothing(_scene: Scene) -> None:
    """Leave it as it is: an hour after a lab was brought up."""


def _restarted(target: Target, code: int, reason: str, times: int, ago: float) -> Play:
    """Let a pod have been restarted some time ago; it is ready since."""

    def play(scene: Scene) -> None:
        for pod in scene.pods(*target.place):
            ended = {"exitCode": code, "reason": reason, "startedAt": scene.at(ago + 9), "finishedAt": scene.at(ago)}
            pod["status"]["containerStatuses"][0] |= {
                "restartCount": times, "lastState": {"terminated": ended},
                "state": {"running": {"startedAt": scene.at(ago - 20)}},
            }  # fmt: skip
            name = pod["metadata"]["name"]
            told = f"Back-off restarting failed container {target.container} in pod {name}_{target.namespace}(6f0c)"
            scene.warn("Pod", target.namespace, name, "BackOff", told, ago=ago - 10)

    return play


def _events(*told: tuple[Target, str, str, float]) -> Play:
    """Let warnings be left of what is over."""

    def play(scene: Scene) -> None:
        for target, reason, message, ago in told:
            for pod in scene.pods(*target.place)[:1]:
                scene.warn("Pod", target.namespace, pod["metadata"]["name"], reason, message, ago=ago)

    return play


def _draining(scene: Scene) -> None:
    """Let the consumer work off what came in while it was away."""
    for topic in ("flight.departed.v1", "flight.arrived.v1"):
        scene.figure("lag", topic, 31000)
        scene.figure("lag_growth", topic, -2400)


def _jitter(scene: Scene) -> None:
    """Let the lag go up a little: a batch came in."""
    scene.figure("lag", "flight.departed.v1", 340)
    scene.figure("lag_growth", "flight.departed.v1", 55)


def _starting(target: Target) -> Play:
    """Let a second replica have been asked for seconds ago."""

    def play(scene: Scene) -> None:
        workload = scene.workload(*target.place)
        workload["spec"]["replicas"] = 2
        workload["status"] |= {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "unavailableReplicas": 1}
        pod: Json = copy.deepcopy(scene.pods(*target.place)[0])
        pod["metadata"]["name"] = pod["metadata"]["name"][:-5] + "9wq2z"
        pod["status"]["startTime"] = scene.at(6)
        status = pod["status"]["containerStatuses"][0]
        status |= {"restartCount": 0, "lastState": {}, "state": {"running": {"startedAt": scene.at(4)}}}
        scene.not_ready(pod, status["name"])
        scene.health["objects"].append(pod)
        told = 'Startup probe failed: Get "http://10.244.0.44:8080/readyz": dial tcp: connect: connection refused'
        scene.warn("Pod", target.namespace, pod["metadata"]["name"], "Unhealthy", told, ago=1)

    return play


def _rolling(scene: Scene) -> None:
    """Let a new version have been rolled out seconds ago: its pod is being made, the old one serves."""
    workload = scene.workload(*FEATURE.place)
    workload["status"] |= {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "unavailableReplicas": 1}
    pod: Json = copy.deepcopy(scene.pods(*FEATURE.place)[0])
    pod["metadata"]["name"] = "feature-6b5d9c7f8d-q7m4k"
    pod["status"]["startTime"] = scene.at(3)
    scene.creating()(pod)
    del pod["told"]
    scene.health["objects"].append(pod)


def _leaving(scene: Scene) -> None:
    """Let the old pod of a roll be ending."""
    pod: Json = copy.deepcopy(scene.pods(*CONSUMER.place)[0])
    pod["metadata"] |= {
        "name": "ingest-consumer-6c4b7d5f9-zz2pl", "deletionTimestamp": scene.at(-10), "deletionGracePeriodSeconds": 15,
    }  # fmt: skip
    scene.not_ready(pod, "consumer")
    scene.health["objects"].append(pod)


def _unknown_target(scene: Scene) -> None:
    """Let Prometheus not have asked a new pod yet."""
    for each in scene.health["targets"][:1]:
        each |= {"health": "unknown", "error": ""}


def _retried_job(scene: Scene) -> None:
    """Let a job have succeeded at its second attempt."""
    pod = scene.job("feature", "chain", "feature-apply", code=1)
    pod["metadata"]["name"] = "feature-apply-29412345-5tq8w"
    scene.words(pod, "feature.errors.RegistryUnavailable: the registry does not answer: Connection refused")


def _chatter(scene: Scene) -> None:
    """Let servers grumble as they do when all is well."""
    scene.utter(
        KAFKA.place,
        "[2026-11-27 03:50:02,118] WARN [SocketServer listenerType=BROKER, nodeId=1] Unexpected error from /10.244.0.1 "
        "(channelId=10.244.0.9:9092-10.244.0.1:51234-12); closing connection (Selector)",
        "[2026-11-27 03:50:02,118] ERROR Unexpected GET request in handshake: InvalidReceiveException: Invalid receive "
        "(size = 1195725856 larger than 104857600)",
    )
    for target, line in (
        (PROMETHEUS, 'time=2026-11-27T03:50:44Z level=WARN msg="Error on ingesting out-of-order samples" dropped=2'),
        (POSTGRES, "2026-11-27 03:50:30.118 UTC [412] LOG:  could not receive data from client: Connection reset"),
        (REDIS, ("1:M 27 Nov 2026 03:00:02.118 # WARNING Memory overcommit must be enabled! Without it, a background "
         "save or replication may fail under low memory condition.")),
        (CONSUMER, scene.line("runtime.broker", "commit failed; it will be repeated", ago=4 * MINUTE,
                              cause="RebalanceInProgressError()")),
        (BRONZE, scene.line("ingest.bronze.compaction", "upkeep waits", ago=4 * MINUTE, topic="weather.read.v1",
                            cause="Transaction failed: a concurrent transaction deleted data this one read")),
    ):  # fmt: skip
        if scene.objects(target.kind, target.namespace, target.name):
            scene.utter(target.place, line)


def _one_retry(scene: Scene) -> None:
    """Let one batch of spans have been sent twice, minutes ago."""
    scene.utter(
        CONSUMER.place,
        scene.line(
            "opentelemetry.exporter.otlp.proto.http.trace_exporter", ago=4 * MINUTE,
            event="Transient error Service Unavailable encountered while exporting span batch, retrying in 1.01s.",
        ),
    )  # fmt: skip


def _blip(scene: Scene) -> None:
    """Let Redis have been away for some seconds, minutes ago; all who use it are ready again."""
    scene.utter(
        FEATURE.place,
        scene.line("feature.wire", "the connection to Redis broke", ago=4 * MINUTE),
        scene.line("feature.wire", "no connection to Redis", ago=4 * MINUTE, again_in=0.5,
                   cause="[Errno 111] Connect call failed ('10.96.88.12', 6379)"),
    )  # fmt: skip
    scene.figure("lookup_failures", "timeout", 2)


def _node_was_away(scene: Scene) -> None:
    """Let the machine have slept over lunch."""
    name = scene.node["metadata"]["name"]
    scene.warn("Node", "", name, "NodeNotReady", f"Node {name} status is now: NodeNotReady", ago=70 * MINUTE)
    for place in list(scene.all())[:5]:
        for pod in scene.pods(*place)[:1]:
            scene.warn("Pod", place[0], pod["metadata"]["name"], "NodeNotReady", "Node is not ready", ago=70 * MINUTE)


def _was_evicted(scene: Scene) -> None:
    """Let an evicted pod be left from yesterday; its successor serves."""
    old: Json = copy.deepcopy(scene.pods(*PROMETHEUS.place)[0])
    old["metadata"]["name"] = "prometheus-5d8f9c7b4-aa11b"
    message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 61208Ki. "
    old["status"] = {
        "phase": "Failed", "reason": "Evicted", "message": message, "startTime": scene.at(20 * HOUR), "conditions": [],
    }  # fmt: skip
    scene.health["objects"].append(old)


def _clock(scene: Scene) -> None:
    scene.health["machine"]["skew_seconds"] = -1.4


def _narrow(scene: Scene) -> None:
    """Let the disk be far from empty, and far from full."""
    scene.health["machine"]["disk_free"] = 14 << 30
    scene.health["machine"]["inotify"] = {"max_user_watches": 524288, "max_user_instances": 512}


def _open_policy(scene: Scene) -> None:
    """Let somebody have written a policy that lets everything through, and a quota with room."""
    scene.health["objects"] += [
        {
            "kind": "NetworkPolicy", "metadata": {"name": "allow-all", "namespace": "chain"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
        },
        {
            "kind": "ResourceQuota", "metadata": {"name": "team", "namespace": "chain"},
            "spec": {"hard": {"pods": "60"}}, "status": {"hard": {"pods": "60"}, "used": {"pods": "11"}},
        },
    ]  # fmt: skip


def _unused_claim(scene: Scene) -> None:
    """Let a trainee's claim wait for a pod that uses it: its class binds at first use."""
    scene.claim(scene.own, "scratch")


def _debugging(scene: Scene) -> None:
    """Let a trainee's `kubectl run` have ended."""
    pod = scene.job("debug", scene.own, "debug-shell")
    pod["metadata"] |= {"name": "debug", "labels": {"run": "debug"}}
    pod["metadata"].pop("ownerReferences")


def _own_model(scene: Scene) -> None:
    """Let a trainee have registered a model that serves nobody yet."""
    scene.state["models"] |= {
        "my-delay": {"aliases": {}, "versions": [1, 2]},
        "delay-boosting": {"aliases": {"champion": "2", "challenger": "3"}, "versions": [1, 2, 3]},
    }


def _half(scene: Scene) -> None:
    """Let half of the traffic go to the canary: the exercise's own mistake."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        for ref in route["spec"]["rules"][0]["backendRefs"]:
            ref["weight"] = 50


def _own_scaled(scene: Scene) -> None:
    """Let the lab's worker have been scaled to none, as its exercise asks for."""
    for place in scene.parts(LAB):
        if place[2] == "worker":
            scene.gone(place, kept=True)


def _own_service(scene: Scene) -> None:
    """Let the trainee's Service have a label that no pod bears: the check says so, the chain is whole."""
    for each in scene.objects("Service", scene.own, "delays"):
        each["spec"]["selector"] = {"app.kubernetes.io/name": "delay"}
    for each in scene.objects("EndpointSlice", scene.own):
        if each["metadata"]["labels"].get("kubernetes.io/service-name") == "delays":
            each["endpoints"] = None


_NO_SANDBOX = "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded"
CASES = (
    Case("an-hour-later", None, (), _nothing),
    Case("killed-for-memory-an-hour-ago", None, (), _restarted(CONSUMER, 137, "OOMKilled", 1, 65 * MINUTE)),
    Case("crashed-while-the-broker-started", None, (), _restarted(PRODUCER, 1, "Error", 5, 45 * MINUTE)),
    Case("restarted-twice-this-morning", None, ("redis",), _restarted(REDIS, 0, "Completed", 2, 3 * HOUR)),
    Case("scheduled-late", None, (), _events(
        (KAFKA, "FailedScheduling", ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not "
         "found"), 55 * MINUTE), (KAFKA, "FailedMount", ('MountVolume.SetUp failed for volume "config" : failed to '
         "sync configmap cache: timed out waiting for the condition"), 54 * MINUTE))),
    Case("pulled-at-the-third-attempt", None, (), _events(
        (CONSUMER, "Failed", 'Failed to pull image "tarmac.local/ingest:8144e6587e51": not found', 50 * MINUTE),
        (CONSUMER, "Failed", "Error: ImagePullBackOff", 49 * MINUTE))),
    Case("slow-probe-minutes-ago", None, (), _events(
        (PROMETHEUS, "Unhealthy", ('Readiness probe failed: Get "http://10.244.0.7:9090/-/ready": context deadline '
         "exceeded (Client.Timeout exceeded while awaiting headers)"), 4 * MINUTE),
        (KAFKA, "Unhealthy", "Liveness probe failed: command timed out", 6 * MINUTE))),
    Case("sandbox-at-the-second-attempt", None, (), _events(
        (PRODUCER, "FailedCreatePodSandBox", _NO_SANDBOX, 30 * MINUTE))),
    Case("lag-that-drains", None, (), _draining),
    Case("lag-of-a-batch", None, (), _jitter),
    Case("second-server-starts", None, ("serving",), _starting(STABLE)),
    Case("second-feature-server-starts", None, ("feature",), _starting(FEATURE)),
    Case("new-version-rolls-out", None, ("feature",), _rolling),
    Case("old-pod-leaves", None, (), _leaving),
    Case("target-not-asked-yet", None, (), _unknown_target),
    Case("job-at-its-second-attempt", None, ("feature",), _retried_job),
    Case("servers-grumble", None, (), _chatter),
    Case("spans-sent-twice", None, (), _one_retry),
    Case("redis-blinked", None, ("feature",), _blip),
    Case("machine-slept", None, (), _node_was_away),
    Case("evicted-yesterday", None, (), _was_evicted),
    Case("clock-a-second-off", None, (), _clock),
    Case("disk-rather-full", None, (), _narrow),
    Case("policy-that-allows", None, (), _open_policy),
    Case("claim-nobody-uses", None, (), _unused_claim),
    Case("debugging-pod-ended", None, (), _debugging),
    Case("models-of-a-trainee", None, ("serving",), _own_model),
    Case("half-to-the-canary", None, ("serving",), _half),
    Case("worker-scaled-to-none", None, (), _own_scaled, labs=("01",)),
    Case("service-of-the-exercise", None, (), _own_service, labs=("01",)),
)  # fmt: skip

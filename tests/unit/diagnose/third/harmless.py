"""The third set: what is seen on clusters in use, and is nobody's fault."""

from __future__ import annotations

import copy

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    CONTROLLER,
    DNS,
    FEATURE,
    FOLLOW,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    PAGE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    PROVISIONER,
    PROXY,
    REDIS,
    STABLE,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import HOUR, MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, left, policy, quota, said, twin
from unit.diagnose.third.tools import EXPORTER, condition, letters, says, told_of_node, warned

_ERROR = {"exitCode": 1, "reason": "Error"}
_REBOOT = {"exitCode": 255, "reason": "Unknown"}


def _back(ago: float, times: int, ended: Json, *targets: Target) -> Play:
    """Let containers have come back so long ago; all is ready since."""

    def play(scene: Scene) -> None:
        for target in targets:
            for pod in scene.pods(*target.place):
                for each in pod["status"]["containerStatuses"]:
                    each |= {
                        "restartCount": times, "state": {"running": {"startedAt": scene.at(ago - 8)}},
                        "lastState": {"terminated": {**ended, "finishedAt": scene.at(ago)}},
                    }  # fmt: skip

    return play


def _rebooted(scene: Scene) -> None:
    """Let the machine have been started anew this morning: every container bears a restart."""
    for place in list(scene.all()):
        _back(2 * HOUR, 1, _REBOOT, Target("", *place, ""))(scene)
    name = scene.node["metadata"]["name"]
    told_of_node("Rebooted", f"Node {name} has been rebooted, boot id: 3875b1db-126d-4ff6-aef6-7aea22e7657f", 2 * HOUR)(
        scene
    )


def _rolls(target: Target, age: float, name: str) -> Play:
    """Let a release be under way: the new pod is being made, the old one serves until it is there."""

    def play(scene: Scene) -> None:
        new: Json = copy.deepcopy(scene.pods(*target.place)[0])
        new["metadata"]["name"] = name
        new["status"]["startTime"] = scene.at(age)
        for each in new["status"]["containerStatuses"]:
            each |= {"state": {"running": {"startedAt": scene.at(age - 2)}}, "restartCount": 0, "lastState": {}}
        scene.not_ready(new, *(each["name"] for each in new["spec"]["containers"]))
        scene.health["objects"].append(new)
        workload = scene.workload(*target.place)
        told = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
        counts = {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        workload["status"] |= {**counts, "unavailableReplicas": 1, "conditions": [told]}
        probe = "Startup probe failed: HTTP probe failed with statuscode: 503"
        scene.warn("Pod", target.namespace, name, "Unhealthy", probe, ago=1)

    return play


def _at_most(scene: Scene) -> None:
    """Let an autoscaler have given the servers all that it may; both serve, and both are read."""
    first = scene.pods(*STABLE.place)[0]["metadata"]["name"]
    second = twin(scene, STABLE)["metadata"]["name"]
    scene.health["targets"] += [{**each, "pod": second} for each in scene.health["targets"] if each["pod"] == first]
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
    scene.health["objects"].append(
        {
            "kind": "HorizontalPodAutoscaler", "metadata": {"name": "serving-stable", "namespace": "chain"},
            "spec": {"minReplicas": 1, "maxReplicas": 2},
            "status": {"currentReplicas": 2, "desiredReplicas": 2, "conditions": [limited]},
        }
    )  # fmt: skip


def _pressed_before(scene: Scene) -> None:
    """Let the node have been short of memory half an hour ago; it says itself that this is over."""
    condition(scene, "MemoryPressure", lastTransitionTime=scene.at(26 * MINUTE))
    told_of_node("EvictionThresholdMet", "Attempting to reclaim memory", 31 * MINUTE)(scene)
    message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 91204Ki. "
    old = left(scene, JAEGER, "jaeger-7c9d8f6b5-mem0r", ("Evicted", message), 31 * MINUTE)
    scene.warn("Pod", "platform", old["metadata"]["name"], "Evicted", message, ago=31 * MINUTE)


def _job_runs(scene: Scene) -> None:
    """Let a nightly job be under way: its pod is not ready, for it has no probe to say so, and has begun just now."""
    pod = scene.job("lake", "chain", "lake-quality")
    pod["metadata"]["name"] = "lake-quality-29930001-h2h7c"
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]
    pod["status"] |= {"phase": "Pending", "startTime": scene.at(3), "conditions": conditions}
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ContainerCreating"}}


def _tried_again(scene: Scene) -> None:
    """Let the training have failed at its first attempt, while MLflow came up, and ended well at the second."""
    pod = scene.job("training", "chain", "training", code=1)
    pod["metadata"]["name"] = "training-now-9fw2t"
    pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "training-now"
    pod["metadata"]["ownerReferences"][0]["name"] = "training-now"
    scene.words(
        pod, "requests.exceptions.ConnectionError: HTTPConnectionPool(host='mlflow.data.svc', port=5000): refused"
    )


def _rebalanced(scene: Scene) -> None:
    """Let the consumer have joined its group anew: a minute of lag, which it works off."""
    for topic in ("flight.departed.v1", "flight.arrived.v1", "weather.read.v1"):
        scene.figure("lag", topic, 900)
        scene.figure("lag_growth", topic, -60)
    said(CONSUMER, "kafka.coordinator", "Heartbeat failed for group ingest because it is rebalancing", times=1)(scene)


def _lapsed_copy(scene: Scene) -> None:
    """Let a Secret lie in the lab's namespace that only bears a well-known name in part."""
    scene.health["objects"].append(
        {"kind": "Secret", "metadata": {"name": "redis-old", "namespace": scene.own}, "data": {"password": "REDACTED"}}
    )


def _ended(scene: Scene) -> None:
    """Let the trainee's cluster have pods of Helm's tests and hooks that ended, one of them with an error."""
    for name, code in (("gateway-certificates-check", 0), ("serving-test-connection", 1)):
        pod = scene.job("test", scene.own, name, code=code)
        pod["metadata"] |= {"name": name, "labels": {"helm.sh/chart": "test"}, "annotations": {"helm.sh/hook": "test"}}
        pod["metadata"].pop("ownerReferences")


def _drifts(scene: Scene) -> None:
    scene.health["machine"] |= {"skew_seconds": 2.2, "disk_free": 21 << 30}


def _released(scene: Scene) -> None:
    """Let a claim of an exercise that is over have been left, bound and used by nobody."""
    scene.claim(scene.own, "store-edge-7", phase="Bound")


def _batch_views(scene: Scene) -> None:
    """Let what the nightly build makes be as old as the night."""
    scene.figure("feature_staleness", "turn_by_tailnum", 540)
    scene.figure("feature_staleness", "weather_by_origin", 14)


def _no_letters(scene: Scene) -> None:
    letters({"flight.departed.v1": 0, "flight.arrived.v1": 0, "weather.read.v1": 0})(scene)
    scene.state["topics"]["dead-letter.v1"] |= {"begin": [412], "end": [412]}


def _blue_green(scene: Scene) -> None:
    """Let a route lead to one server only: the canary has no part in it."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        refs = route["spec"]["rules"][0]["backendRefs"]
        route["spec"]["rules"][0]["backendRefs"] = [{**refs[0], "weight": 1}]


_TIMED_OUT = 'Get "http://10.244.0.{}:{}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
_SANDBOX = (
    'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1f": plugin '
    'type="ptp" failed (add): failed to allocate for range 0: 10.244.0.61 has been allocated'
)
_KUBE = "[INFO] SIGTERM: Shutting down servers then terminating", "[WARNING] No files matching import glob pattern"
CASES: tuple[Case, ...] = (
    Case("machine-started-anew", None, (), _rebooted),
    Case("provisioner-lost-its-lease-at-night", None, (), _back(9 * HOUR, 6, _ERROR, PROVISIONER)),
    Case("exporter-fell-once", None, ("redis",), _back(3 * HOUR, 1, {"exitCode": 137, "reason": "OOMKilled"}, REDIS)),
    Case("page-is-being-released", None, ("page",), _rolls(PAGE, 7, "page-66d9f8c7b5-n2n8k")),
    Case("server-is-being-released", None, ("serving",), _rolls(STABLE, 9, "serving-stable-6f7d8c9b5-k4k7s")),
    Case("autoscaler-at-its-most", None, ("serving",), _at_most),
    Case("memory-was-short", None, (), _pressed_before),
    Case("quality-job-begins", None, ("lake",), _job_runs),
    Case("training-at-its-second-attempt", None, ("serving",), _tried_again),
    Case("group-rebalanced", None, (), _rebalanced),
    Case("old-secret-lies-there", None, (), _lapsed_copy),
    Case("tests-of-a-chart-ended", None, (), _ended),
    Case("clock-two-seconds-off", None, (), _drifts),
    Case("claim-of-yesterday", None, (), _released),
    Case("batch-features-of-the-night", None, ("feature",), _batch_views),
    Case("dead-letters-were-replayed", None, (), _no_letters),
    Case("canary-not-routed", None, ("serving",), _blue_green),
    Case("broker-warms-up", None, (), says(
        KAFKA, "[2026-11-27 16:00:02,118] ERROR [RaftManager id=1] Connection to node 1 could not be established. Node "
        "may not be available. (org.apache.kafka.clients.NetworkClient)", "[2026-11-27 16:00:03,004] WARN [Broker"
        "LifecycleManager id=1] Broker 1 sent a heartbeat request but received error BROKER_ID_NOT_REGISTERED")),
    Case("database-ended-an-idle-client", None, ("postgres",), says(
        POSTGRES, '2026-11-27 16:40:30.118 UTC [733] ERROR:  relation "alembic_version" does not exist at character 32',
        "2026-11-27 16:41:30.118 UTC [734] FATAL:  terminating connection due to idle-session timeout")),
    Case("proxy-lost-its-stream-once", None, ("gateway",), says(
        PROXY, "[2026-11-27 16:40:12.120][1][warning][config] DeltaAggregatedResources gRPC config stream to xds_"
        "cluster closed: 13, ", "[2026-11-27 16:41:12.120][1][warning][main] Usage of the deprecated runtime key "
        "overload.global_downstream_max_connections")),
    Case("controller-tried-twice", None, ("gateway",), says(
        CONTROLLER, '2026-11-27T16:40:40.119Z\terror\tprovider\tReconciler error\t{"error": "Operation cannot be '
        'fulfilled on httproutes.gateway.networking.k8s.io: the object has been modified"}')),
    Case("mlflow-warns-of-what-is-old", None, ("mlflow",), says(
        MLFLOW, "FutureWarning: The filesystem tracking backend is deprecated", "WARNING mlflow.server: error while "
        "reading allowed hosts, defaults are taken")),
    Case("one-export-late", None, (), all_of(*(said(
        each, EXPORTER, "Transient error Read timed out. encountered while exporting span batch, retrying in 0.9s.",
        times=1) for each in (PRODUCER,)))),
    Case("one-prediction-was-late", None, ("serving",), said(
        FOLLOW, "serving.workers.follow", "no prediction", times=1, status=503, reason='{"error":"feature service '
        'http://feature.chain.svc:6566: no answer within 0.8 s - try again after the seconds of Retry-After"}')),
    Case("lake-written-by-two", None, ("lake",), said(
        BRONZE, "ingest.bronze.compaction", "upkeep waits", times=1, topic="flight.departed.v1", cause=(
            "Commit failed: a concurrent transaction deleted data this operation read"))),
    Case("probe-late-under-load", None, ("feature", "objectstore"), all_of(
        warned(FEATURE, "Unhealthy", "Readiness probe failed: " + _TIMED_OUT.format(47, "6566/readyz"), 100),
        warned(OBJECTSTORE, "Unhealthy", "Liveness probe failed: " + _TIMED_OUT.format(33, "7070/health"), 160))),
    Case("address-given-twice", None, (), warned(CONSUMER, "FailedCreatePodSandBox", _SANDBOX, 11 * MINUTE)),
    Case("names-were-renewed", None, (), all_of(says(DNS, *_KUBE), warned(
        DNS, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 8 * MINUTE))),
    Case("quota-with-room-and-metrics-allowed", None, ("redis",), all_of(
        quota("data", "team", {"pods": "40", "requests.storage": "50Gi"}, {"pods": "5", "requests.storage": "9Gi"}),
        policy("data", "allow-metrics", podSelector={}, policyTypes=["Ingress"], ingress=[{}]))),
    Case("target-answered-slowly", None, (), lambda scene: scene.health["targets"].append(
        {"job": "kubelet", "namespace": None, "pod": None, "health": "unknown", "error": ""})),
    Case("figures-of-prometheus-late", None, (), says(
        PROMETHEUS, 'time=2026-11-27T16:50:44Z level=WARN source=manager.go:216 msg="Evaluating rule failed" err="'
        'found duplicate series for the match group"')),
)  # fmt: skip

"""The third set: pods that are not let in, find no node, or whose containers are not made."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    CONTROLLER,
    FEATURE,
    FOLLOW,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    PROXY,
    STABLE,
    WATCH,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, gone, init, left, quota
from unit.diagnose.third.tools import CANARY, dies, env, held, minds, mine, refused, unmounted, unplaced, unserved

_PIPELINES, _EDGE = mine("02", "pipelines"), mine("01", "edge", "StatefulSet")


def _claim_refused(scene: Scene) -> None:
    """Let a quota of storage not let the broker's claim be made anew."""
    hard = {"requests.storage": "8Gi"}
    quota("platform", "storage", hard, {"requests.storage": "7Gi"})(scene)
    gone(KAFKA, kept=True)(scene)
    scene.workload(*KAFKA.place)["spec"]["replicas"] = 1
    told = (
        'create Claim data-kafka-0 for Pod kafka-0 in StatefulSet kafka failed error: persistentvolumeclaims "data-'
        'kafka-0" is forbidden: exceeded quota: storage, requested: requests.storage=2Gi, used: requests.storage=7Gi, '
        "limited: requests.storage=8Gi"
    )
    scene.warn("StatefulSet", "platform", "kafka", "FailedCreate", told)


def _ranged(namespace: str, **limits: Json) -> Play:
    """Put bounds for each container there."""
    spec = {"limits": [{"type": "Container", **limits}]}
    body = {"kind": "LimitRange", "metadata": {"name": "bounds", "namespace": namespace}, "spec": spec}
    return lambda scene: scene.health["objects"].append(body)


def _unadmitted(scene: Scene) -> None:
    """Let the kubelet turn away what the scheduler sent it, again and again."""
    why = ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 1000, used: 1425, capacity: 2000")
    unplaced(CONSUMER, "1 Insufficient cpu", rolled=False)(scene)
    for number in range(3):
        name = f"ingest-consumer-6f5d4c3b2-a{number}mtt"
        old = left(scene, CONSUMER, name, (why[0], f"Pod was rejected: {why[1]}"), 90 - 30 * number)
        old["spec"]["nodeName"] = scene.node["metadata"]["name"]
        scene.warn("Pod", "chain", name, why[0], why[1], ago=90 - 30 * number)


def _root_first(scene: Scene) -> None:
    """Let MLflow's first step be made of an image that runs as root."""
    where = 'pod: "mlflow-77d8b9c6f5-m4x9z_data(0c9d)", container: migrate'
    told = f"container has runAsNonRoot and image will run as root ({where})"

    def shape(pod: Json) -> None:
        init(pod, "migrate", "CreateContainerConfigError", told)
        scene.not_ready(pod, "mlflow")
        pod["told"] = [("Failed", f"Error: {told}")]

    scene.fallen(MLFLOW.place, shape)


def _bad(target: Target, name: str, value: str, what: str, remedy: str) -> Play:
    """Give a service a value that it refuses."""

    def play(scene: Scene) -> None:
        told = f"environment variable {name}{what}"
        line = scene.line("runtime.process", told, "error", remedy=remedy, kind="BadSetting")
        env(target, name, value)(scene)
        dies(target, line, code=2, restarts=5, rolled=True)(scene)

    return play


def _older_warning(scene: Scene) -> None:
    """Leave a probe's warning of another pod from when it started."""
    for pod in scene.pods(*PRODUCER.place):
        told = 'Startup probe failed: Get "http://10.244.0.204:8080/readyz": dial tcp 10.244.0.204:8080: refused'
        scene.warn("Pod", "chain", pod["metadata"]["name"], "Unhealthy", told, ago=21 * MINUTE)


_RESTRICTED = (
    '{{pod}}: violates PodSecurity "restricted:v1.37": runAsNonRoot != true (pod or container "{0}" must set security'
    'Context.runAsNonRoot=true), seccompProfile (pod or container "{0}" must set securityContext.seccompProfile.type '
    'to "RuntimeDefault" or "Localhost")'
)
_NETWORK = (
    '{pod}: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPort (container "envoy"'
)
_CONFIG = "CreateContainerConfigError"
_NO_CONFIG = 'MountVolume.SetUp failed for volume "config" : configmap "prometheus" not found'
_NO_PROPERTIES = 'MountVolume.SetUp failed for volume "config" : references non-existent config key: server.properties'
_NO_MODEL = "couldn't find key model in ConfigMap chain/serving-follow"
CASES: tuple[Case, ...] = (
    Case("no-room-for-a-claim", "TD-QUOTA-REFUSED", (), _claim_refused, "kafka"),
    Case("more-than-a-container-may", "TD-QUOTA-REFUSED", ("serving",), all_of(
        _ranged("chain", max={"memory": "256Mi"}), refused(
            STABLE, "{pod}: maximum memory usage per Container is 256Mi, but limit is 512Mi"), unserved),
        "serving-stable"),
    Case("less-than-a-container-must", "TD-QUOTA-REFUSED", ("objectstore",), all_of(
        _ranged("data", min={"cpu": "50m"}), refused(OBJECTSTORE, "{pod}: [minimum cpu usage per Container is 50m, but "
                "request is 25m, minimum cpu usage per Container is 50m, but request is 5m]")), "objectstore"),
    Case("namespace-became-strict", "TD-SECURITY-REFUSED", ("feature",), refused(
        FEATURE, _RESTRICTED.format("server")), "feature"),
    Case("proxy-on-the-nodes-network", "TD-SECURITY-REFUSED", ("gateway",), refused(
        PROXY, f'{_NETWORK}"envoy" uses hostPort 80)'), "gateway"),
    Case("first-step-runs-as-root", "TD-SECURITY-REFUSED", ("mlflow",), _root_first, "mlflow"),
    Case("user-zero-of-the-store", "TD-SECURITY-REFUSED", ("objectstore",), held(
        OBJECTSTORE, _CONFIG, "container's runAsUser breaks non-root policy (pod: \"objectstore-77d8b9c6f5_data\", "
        "container: objectstore)"), "objectstore"),
    Case("canary-wants-a-graphics-card", "TD-POD-NO-ROOM", ("serving",), unplaced(
        CANARY, "1 Insufficient nvidia.com/gpu"), "serving-canary"),
    Case("watch-wants-fast-disks", "TD-POD-NO-ROOM", ("lake",), unplaced(
        WATCH, "1 node(s) didn't match Pod's node affinity/selector"), "lake-watch"),
    Case("database-asks-for-too-much", "TD-POD-NO-ROOM", ("mlflow",), unplaced(
        POSTGRES, "1 Insufficient memory, 1 Insufficient cpu", rolled=False), "postgres"),
    Case("kubelet-turns-pods-away", "TD-POD-NO-ROOM", (), _unadmitted, "ingest-consumer"),
    Case("configuration-deleted", "TD-SECRET-MISSING", (), unmounted(PROMETHEUS, _NO_CONFIG, _NO_CONFIG), "prometheus"),
    Case("broker-without-its-properties", "TD-SECRET-MISSING", (), unmounted(KAFKA, _NO_PROPERTIES), "kafka"),
    Case("model-of-the-live-traffic-not-named", "TD-SECRET-MISSING", ("serving",), held(
        FOLLOW, _CONFIG, _NO_MODEL), "serving-follow"),
    Case("copy-for-the-lab-deleted", "TD-SECRET-MISSING", ("redis",), all_of(
        held(_PIPELINES, _CONFIG, 'secret "objectstore" not found'),
        lambda scene: scene.health.update(copies=[each for each in scene.health["copies"] if (
            each["namespace"], each["name"]) != ("lab-02", "objectstore")])), "pipelines", labs=("02",)),
    Case("certificates-of-the-controller-deleted", "TD-SECRET-MISSING", ("gateway",), unmounted(
        CONTROLLER, 'MountVolume.SetUp failed for volume "certs" : secret "envoy-gateway" not found'), "envoy-gateway"),
    Case("clock-misspelt", "TD-SETTING-BAD", ("feature",), all_of(_older_warning, _bad(
        FEATURE, "TARMAC_CLOCK", "evnet", "='evnet' is none of its values", "give it event, wall")), "feature"),
    Case("no-seconds-between-batches", "TD-SETTING-BAD", ("lake",), all_of(_bad(
        BRONZE, "TARMAC_LAKE_BATCH_SECONDS", "0", "='0' is out of range", "give it a number from 0.05 to 300"), minds(
        WATCH, "lake.quality.watch", "late", table="bronze.weather_read")), "lake-bronze"),
    Case("edge-keeps-nothing", "TD-SETTING-BAD", (), _bad(
        _EDGE, "TARMAC_STORE_READINGS", "many", "='many' cannot be read", "give it a whole number"), "edge",
        labs=("01",)),
    Case("jaeger-waits-for-huge-pages", "TD-POD-NO-ROOM", (), unplaced(
        JAEGER, "1 Insufficient hugepages-2Mi"), "jaeger"),
)  # fmt: skip

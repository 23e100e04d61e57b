"""Faults of the cluster and of what runs on it without a pod that falls: names, clocks, topics, models, routes."""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.faults import acts
from lab.diagnose.faults.acts import Act, Make, Patch, RemoveTopic, Send
from lab.diagnose.faults.fault import Fault
from lab.diagnose.faults.world import UNREADY, Json, World, looping, stuck, unplaced

_NODE = "tarmac-control-plane"
_NO_NAMES = '{"level": "warning", "event": "Temporary failure in name resolution"}'
_WRONG = '{"level": "warning", "event": "no connection to Redis", "cause": "WRONGPASS invalid username-password pair"}'
_BAD_EVENTS = tuple(f'{{"type": "weather.read.v1", "id": "bad-{number}", "temp": "warm"}}' for number in range(25))
_BUCKET = '{"level": "warning", "event": "the lake does not take events", "cause": "NoSuchBucket: s3://lakes"}'
_UNFIT = (
    '{"level": "warning", "event": "feature service delay_v1 answers without departures", '
    '"remedy": "let the feature service and the model have the same definitions"}'
)
_AWAY = "HTTPSConnectionPool: Max retries exceeded: "


def _blind(world: World, words: str) -> None:
    """Let the API not be asked: nothing of the cluster is known."""
    world.problem("kubernetes", words)
    world.state["objects"] = []
    world.health |= {"objects": [], "events": [], "logs": {}, "copies": []}


def _cut_off(world: World) -> None:
    """Let nothing on the cluster answer."""
    for source in ("kafka", "prometheus"):
        world.problem(source)
    world.state |= {"topics": {}, "groups": {}, "metrics": {}, "traces": {}}
    world.health |= {"targets": [], "figures": {}}


def _other(world: World) -> None:
    told = "cluster tarmac was made with LAB_CLUSTER=kind, not context:prod"
    world.health["cluster"] |= {"asked": "context:prod", "status": "other", "error": told}
    _blind(world, told)
    _cut_off(world)


def _stopped(world: World) -> None:
    world.health["cluster"] |= {"status": "stopped"}
    _blind(world, f"{_AWAY}Connection refused")
    _cut_off(world)


def _api(world: World) -> None:
    _blind(world, f"{_AWAY}Read timed out")


def _certificate(world: World) -> None:
    _blind(world, f"{_AWAY}certificate verify failed: certificate has expired (_ssl.c:1006)")
    world.health["cluster"] |= {"status": "broken"}


def _clock(world: World) -> None:
    world.health["machine"] |= {"skew_seconds": -90_000.0}
    _blind(world, f"{_AWAY}certificate verify failed: certificate is not yet valid (_ssl.c:1006)")


def _node(kind: str, status: str) -> Callable[[World], None]:
    def simulate(world: World) -> None:
        for node in world.objects("Node", ""):
            for each in node["status"]["conditions"]:
                if each["type"] == kind:
                    each |= {"status": status, "message": f"kubelet has {kind}"}
        for component in ("kafka", "prometheus"):
            for place in world.parts(component):
                world.fallen(place, stuck)

    return simulate


def _full(world: World) -> None:
    for component in ("kafka", "prometheus"):
        for place in world.parts(component):
            world.fallen(place, looping(1), "java.io.IOException: No space left on device")


def _watches(world: World) -> None:
    place = acts.PROMETHEUS.place
    world.fallen(place, looping(1), "failed to create fsnotify watcher: too many open files")


def _closed(world: World) -> None:
    for node in world.objects("Node", ""):
        node["spec"]["unschedulable"] = True
    world.fallen(acts.PRODUCER.place, unplaced("0/1 nodes are available: 1 node(s) were unschedulable."))


def _names(world: World) -> None:
    world.gone(acts.DNS.place, kept=True)
    for component in ("ingest", "lake", "feature", "serving", "page"):
        for place in world.parts(component):
            world.complains(place, _NO_NAMES)


def _silent(world: World) -> None:
    world.problem("kafka")
    world.state |= {"topics": {}, "groups": {}}


def _topic(world: World) -> None:
    world.state["topics"].pop("weather.read.v1", None)
    for target in (acts.PRODUCER, acts.CONSUMER):
        world.complains(target.place, '{"level": "warning", "event": "waiting for Kafka", "cause": "no such topic"}')


def _bucket(world: World) -> None:
    world.rolled(acts.BRONZE.place, stuck, _BUCKET)


def _password(world: World) -> None:
    for each in world.health["copies"]:
        if (each["name"], each["namespace"]) == ("redis", "chain"):
            each["marks"] = ["other"]
    for target in (acts.FEATURE, acts.CONSUMER):
        world.complains(target.place, _WRONG)


def _redis_full(world: World) -> None:
    world.figure("redis_refused", "", 412)
    world.figure("feature_staleness", "weather_by_origin", 900)
    world.complains(
        acts.CONSUMER.place, "OOM command not allowed when used memory > 'maxmemory'", hard=min(world.severity, UNREADY)
    )


def _lag(world: World) -> None:
    for topic in ("flight.departed.v1", "flight.arrived.v1"):
        world.figure("lag", topic, 48_000)
        world.figure("lag_growth", topic, 900)
    world.figure("feature_staleness", "weather_by_origin", 40)


def _poison(world: World) -> None:
    world.figure("dead_letters", "weather.read.v1", 26.4)
    world.state["topics"]["dead-letter.v1"]["end"] = [25]
    world.says(acts.CONSUMER.place, '{"level": "warning", "event": "dead letters wait"}')


def _stale(world: World) -> None:
    world.figure("feature_staleness", "weather_by_origin", 1400)


def _ahead(world: World) -> None:
    world.figure("rows_older", "", 640)
    for sample in world.health["figures"]["feature_staleness"]:
        sample["value"] = max(sample["value"], 95.0)


def _env(target: acts.Target, name: str, value: str) -> Callable[[World], None]:
    def simulate(world: World) -> None:
        containers = world.workload(*target.place)["spec"]["template"]["spec"]["containers"]
        next(each for each in containers[0]["env"] if each["name"] == name)["value"] = value
        world.says(acts.FOLLOW.place, '{"level": "warning", "event": "no prediction", "status": 404}', 3)

    return simulate


def _no_models(world: World) -> None:
    world.state["models"] = {}
    world.says(acts.FOLLOW.place, '{"level": "warning", "event": "no prediction", "status": 404}', 3)


def _unfit(world: World) -> None:
    world.figure("lookup_failures", "unknown", 310)
    world.says(acts.STABLE.place, _UNFIT, 3)
    world.says(acts.FOLLOW.place, '{"level": "warning", "event": "no prediction", "status": 422}', 3)


def _refused(world: World) -> None:
    world.figure("models_refused", "delay-boosting", 3)
    world.says(acts.STABLE.place, '{"level": "error", "event": "model delay-boosting version 7: not ONNX"}', 2)


def _nowhere(world: World) -> None:
    for route in world.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["rules"][0]["backendRefs"][0]["name"] = "serving-nowhere"
        told = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "serving-nowhere"}
        route["status"]["parents"][0]["conditions"].append(told)
    world.says(acts.FOLLOW.place, '{"level": "warning", "event": "no prediction", "status": 500}', 4)


def _cut(world: World) -> None:
    world.health["objects"].append(_POLICY)
    for pod in world.pods(*acts.CONSUMER.place):
        for target in world.health["targets"]:
            if target["pod"] == pod["metadata"]["name"]:
                target |= {"health": "down", "error": "context deadline exceeded"}
    world.says(acts.CONSUMER.place, '{"level": "warning", "event": "poll failed", "cause": "timed out"}', 3)


def _otlp(world: World) -> None:
    for service in world.objects("Service", "platform", "jaeger"):
        service["spec"]["ports"] = [each for each in service["spec"]["ports"] if each["port"] != _OTLP]
    for place in world.all():
        world.says(place, "Transient error timed out encountered while exporting span batch, retrying in 4.12s.", 4)


_OTLP = 4318
_POLICY: Json = {
    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
    "metadata": {"name": "quarantine", "namespace": "chain"},
    "spec": {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "ingest"}}, "policyTypes": ["Ingress"]},
}  # fmt: skip
_CLOSED: Json = {"spec": {"ports": [{"port": _OTLP, "$patch": "delete"}]}}
_ROUTE = {"spec": {"rules": [{"backendRefs": [{"name": "serving-nowhere", "port": 8080}]}]}}
_SLOW = {"limits": {"cpu": "50m"}, "requests": {"cpu": "50m"}}


def _fault(name: str, code: str, where: str, needs: str, simulate: Callable[[World], None], *done: Act) -> Fault:
    return Fault(name, code, where, tuple(needs.split()), simulate, done)


FAULTS = (
    _fault("wrong-context", "TD-CLUSTER-OTHER", "lab", "", _other),
    _fault("cluster-stopped", "TD-CLUSTER-STOPPED", "lab", "", _stopped),
    _fault("api-silent", "TD-API-SILENT", "lab", "", _api),
    _fault("certificate-expired", "TD-CERTIFICATE-EXPIRED", "lab", "", _certificate),
    _fault("clock-skew", "TD-CLOCK-SKEW", "clock", "", _clock),
    _fault("node-not-ready", "TD-NODE-NOT-READY", _NODE, "", _node("Ready", "Unknown")),
    _fault("memory-pressure", "TD-NODE-PRESSURE", _NODE, "", _node("MemoryPressure", "True")),
    _fault("disk-pressure", "TD-DISK-FULL", _NODE, "", _node("DiskPressure", "True")),
    _fault("disk-full", "TD-DISK-FULL", "kafka", "kafka", _full),
    _fault("inotify", "TD-INOTIFY", "prometheus", "prometheus", _watches),
    _fault(
        "node-closed", "TD-NODE-CLOSED", _NODE, "ingest", _closed,
        Patch("Node", None, "", {"spec": {"unschedulable": True}}), acts.PRODUCER.renewed(),
    ),
    _fault("dns-gone", "TD-DNS-GONE", "coredns", "ingest", _names, acts.DNS.scaled(0), acts.PRODUCER.renewed()),
    _fault("kafka-silent", "TD-KAFKA-SILENT", "kafka", "kafka", _silent),
    _fault("topic-missing", "TD-TOPIC-MISSING", "weather.read.v1", "ingest", _topic, RemoveTopic("weather.read.v1")),
    _fault(
        "bucket-missing", "TD-BUCKET-MISSING", "lake-bronze", "lake", _bucket,
        acts.BRONZE.setting("TARMAC_LAKE", "s3://lakes"),
    ),
    _fault(
        "wrong-password", "TD-PASSWORD-WRONG", "redis", "redis feature", _password,
        Patch("Secret", "chain", "redis", {"stringData": {"password": "not-the-one"}}),
        acts.FEATURE.renewed(), acts.CONSUMER.renewed(),
    ),
    _fault("redis-full", "TD-REDIS-FULL", "redis", "redis", _redis_full),
    _fault(
        "lag", "TD-INGEST-LAG", "ingest-consumer", "ingest", _lag,
        acts.PRODUCER.setting("TARMAC_SPEEDUP", "100000"), acts.CONSUMER.container_with(resources=_SLOW),
    ),
    _fault(
        "poisoned-events", "TD-EVENTS-POISONED", "weather.read.v1", "ingest", _poison,
        Send("weather.read.v1", _BAD_EVENTS),
    ),
    _fault(
        "stale-features", "TD-FEATURES-STALE", "weather_by_origin", "ingest feature", _stale,
        acts.CONSUMER.setting("TARMAC_REDIS", None),
    ),
    _fault("features-ahead", "TD-FEATURES-AHEAD", "redis", "ingest redis feature", _ahead),
    _fault(
        "alias-wrong", "TD-ALIAS-WRONG", "serving-stable", "serving", _env(acts.STABLE, "TARMAC_ALIAS", "champoin"),
        acts.STABLE.setting("TARMAC_ALIAS", "champoin"),
    ),
    _fault(
        "default-model-wrong", "TD-ALIAS-WRONG", "serving-stable", "serving",
        _env(acts.STABLE, "TARMAC_DEFAULT_MODEL", "delay-bosting"),
        acts.STABLE.setting("TARMAC_DEFAULT_MODEL", "delay-bosting"),
    ),
    _fault("models-missing", "TD-MODELS-MISSING", "mlflow", "serving", _no_models),
    _fault("signature-mismatch", "TD-SIGNATURE-MISMATCH", "serving-stable", "serving", _unfit),
    _fault("model-refused", "TD-MODEL-REFUSED", "delay-boosting", "serving", _refused),
    _fault(
        "route-nowhere", "TD-ROUTE-NOWHERE", "serving", "gateway serving", _nowhere,
        Patch("HTTPRoute", "chain", "serving", _ROUTE),
    ),
    _fault(
        "traces-port", "TD-TRACES-BLOCKED", "", "jaeger ingest", _otlp,
        Patch("Service", "platform", "jaeger", _CLOSED),
    ),
    Fault("policy-blocked", "TD-POLICY-BLOCKED", "quarantine", ("ingest",), _cut, (Make(_POLICY),), drawn=False),
)  # fmt: skip

"""Cases of who is reached: addresses that lead nowhere, Services without pods, policies that cut a pod off."""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.faults.acts import CONSUMER, FEATURE, PRODUCER, Target
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import Scene

Play = Callable[[Scene], None]
_UNKNOWN_HOST = "[Errno -2] Name or service not known"


def _elsewhere(target: Target, name: str, value: str, *lines: tuple[str, str, str]) -> Play:
    """Let a workload look for a neighbour at an address that is none."""

    def play(scene: Scene) -> None:
        scene.env(target, name, value)
        told = [scene.line(logger, event, cause=cause) for logger, event, cause in lines]
        scene.rolled(target.place, scene.hangs(*told))

    return play


def _selector(scene: Scene) -> None:
    """Give a Service a label that no pod bears."""
    for each in scene.objects("Service", "chain", "feature"):
        each["spec"]["selector"] = {"app.kubernetes.io/name": "features"}
    for each in scene.objects("EndpointSlice", "chain"):
        if each["metadata"]["labels"]["kubernetes.io/service-name"] == "feature":
            each["endpoints"] = None
    scene.away("feature")
    scene.figure("lookup_failures", "timeout", 240)


def _broker_selector(scene: Scene) -> None:
    for each in scene.objects("Service", "platform", "kafka"):
        each["spec"]["selector"] |= {"app.kubernetes.io/component": "broker"}
    for each in scene.objects("EndpointSlice", "platform"):
        if each["metadata"]["labels"]["kubernetes.io/service-name"] == "kafka":
            each["endpoints"] = []
    for place in (PRODUCER.place, CONSUMER.place):
        line = scene.line("runtime.patience", "waiting for Kafka", cause="NoBrokersAvailable()", seconds=40)
        scene.complains(place, line)
    scene.health["figures"]["produced"] = []


def _policy(namespace: str, name: str, spec: dict[str, object]) -> dict[str, object]:
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _walled(scene: Scene) -> None:
    """Let a policy refuse all that comes into the namespace of Redis."""
    spec: dict[str, object] = {"podSelector": {}, "policyTypes": ["Ingress"]}
    scene.health["objects"].append(_policy("data", "default-deny-ingress", spec))
    late = "Timeout connecting to server"
    scene.complains(FEATURE.place, scene.line("feature.wire", "no connection to Redis", cause="", again_in=8.0))
    scene.complains(CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=late))
    scene.figure("feature_staleness", "weather_by_origin", 1100)
    scene.door("objectstore", 0, "ConnectTimeout: timed out")
    if "mlflow" in scene.health["declared"]["components"]:
        scene.away("mlflow", cause="ReadTimeout: timed out")
    for target in scene.health["targets"]:
        if target["namespace"] == "data":
            target |= {"health": "down", "error": 'Get "http://10.244.0.14:9121/metrics": context deadline exceeded'}


def _caged(scene: Scene) -> None:
    """Let a policy leave the consumer only its name server."""
    scene.health["objects"].append(
        _policy("chain", "consumer-egress", {
            "podSelector": {"matchLabels": {"app.kubernetes.io/component": "consumer"}}, "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
        })
    )  # fmt: skip
    line = scene.line("runtime.broker", "poll failed", cause="KafkaTimeoutError('timed out connecting')")
    scene.fallen(CONSUMER.place, scene.hangs(line, line))


CASES = (
    Case("broker-misspelt", "TD-ADDRESS-WRONG", (), _elsewhere(
        CONSUMER, "TARMAC_KAFKA", "kafka.platfrom.svc:9092",
        ("runtime.patience", "waiting for Kafka", "DnsResolutionError('kafka.platfrom.svc:9092')")), "ingest-consumer"),
    Case("redis-misspelt", "TD-ADDRESS-WRONG", ("feature",), _elsewhere(
        FEATURE, "TARMAC_REDIS", "redis.dat.svc:6379",
        ("feature.wire", "no connection to Redis", _UNKNOWN_HOST)), "feature"),
    Case("broker-at-another-port", "TD-ADDRESS-WRONG", (), _elsewhere(
        PRODUCER, "TARMAC_KAFKA", "kafka.platform.svc:9093",
        ("runtime.patience", "waiting for Kafka", "NoBrokersAvailable()")), "ingest-producer"),
    Case("service-without-pods", "TD-SERVICE-EMPTY", ("feature",), _selector, "feature"),
    Case("broker-service-without-pods", "TD-SERVICE-EMPTY", (), _broker_selector, "kafka"),
    Case("namespace-walled", "TD-POLICY-BLOCKED", ("redis", "feature"), _walled),
    Case("consumer-caged", "TD-POLICY-BLOCKED", (), _caged),
)  # fmt: skip

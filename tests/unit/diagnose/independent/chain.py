"""Cases of the chain: what is gone, what is stale, what is registered wrongly, what leads nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    PAGE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    PROXY,
    REDIS,
    STABLE,
    Target,
)
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene

Play = Callable[[Scene], None]


def _gone(target: Target, *, kept: bool) -> Play:
    """Delete a workload, or (kept) scale it to none."""
    return lambda scene: scene.gone(target.place, kept=kept)


def _silent_broker(scene: Scene) -> None:
    """Let the broker's pod be ready, as far as a TCP probe sees, and answer nobody."""
    scene.state |= {"topics": {}, "groups": {}}
    scene.problem("kafka", "NotConverged: Kafka does not do what was asked: KafkaTimeoutError: Failed to update "
                  "metadata after 5.0 secs.")  # fmt: skip
    line = scene.line("runtime.patience", "waiting for Kafka", cause="KafkaTimeoutError()", seconds=120)
    for place in (PRODUCER.place, CONSUMER.place):
        scene.complains(place, line)
    scene.health["figures"]["produced"] = []
    scene.utter(
        KAFKA.place,
        "[2026-11-27 03:51:20,118] WARN [RaftManager id=1] Graceful shutdown timed out after 5000ms",
        "[2026-11-27 03:51:31,004] ERROR [QuorumController id=1] Encountered fatal fault: exception while renouncing "
        "leadership (org.apache.kafka.server.fault.LoggingFaultHandler)",
    )


def _no_topic(topic: str) -> Play:
    def play(scene: Scene) -> None:
        del scene.state["topics"][topic]
        asked: dict[str, Any] = {"for": f"the partitions of topic {topic}", "seconds": 70}
        line = scene.line(
            "runtime.patience", "waiting for Kafka", **asked,
            cause="UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION')",
        )  # fmt: skip
        for target in (PRODUCER, CONSUMER):
            scene.complains(target.place, line)
        scene.health["figures"]["produced"] = [
            each for each in scene.health["figures"]["produced"] if each["labels"]["topic"] != topic
        ]

    return play


def _no_bucket(scene: Scene) -> None:
    told = (
        "Generic S3 error: Error performing PUT http://objectstore.data.svc:7070/lake/bronze/weather.read.v1/_delta_log/"
        '_commit_1.tmp in 2.2ms - Server returned non-2xx status code: 404 Not Found: <?xml version="1.0" encoding='
        '"UTF-8"?><Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>'
        "lake</BucketName></Error>"
    )
    scene.fallen(
        BRONZE.place, scene.hangs(scene.line("ingest.bronze.writer", "the lake does not take events", cause=told))
    )
    if scene.objects("Deployment", "chain", "lake-watch"):
        scene.complains(
            ("chain", "Deployment", "lake-watch"),
            scene.line("lake.quality.watch", "the lake cannot be read", cause=told),
        )


def _full_store(scene: Scene) -> None:
    told = "OOM command not allowed when used memory > 'maxmemory'."
    scene.health["figures"]["redis_refused"] = [{"labels": {}, "value": 3120.0}]
    scene.complains(CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=told))
    scene.figure("feature_staleness", "weather_by_origin", 640)


def _behind(scene: Scene) -> None:
    """Let the consumer be slower than what comes in: it is healthy, and further behind each minute."""
    for topic, lag in (("flight.departed.v1", 48211), ("flight.arrived.v1", 46002)):
        scene.figure("lag", topic, lag)
        scene.figure("lag_growth", topic, 950)
    for topic, partitions in scene.state["groups"].get("ingest", {}).items():
        for each in partitions:
            each["lag"] += 15000 if topic.startswith("flight") else 0


def _poisoned(scene: Scene) -> None:
    scene.figure("dead_letters", "flight.departed.v1", 412)
    for topic in scene.state["topics"]:
        if topic == "dead-letter.v1":
            scene.state["topics"][topic]["end"] = [412]
    scene.state["metrics"]["dead_letters"] = [{"labels": {}, "value": 412.0}]


def _two_refused(scene: Scene) -> None:
    """Let two events of many thousands have been refused."""
    scene.figure("dead_letters", "weather.read.v1", 2)


def _stale(scene: Scene) -> None:
    """Let one view stand still while events come in: what makes it does nothing."""
    scene.figure("feature_staleness", "weather_by_origin", 2600)


def _no_models(scene: Scene) -> None:
    scene.state["models"] = {}
    told = (
        'MLflow at http://mlflow.data.svc:5000: GET registered-models/get: 404 {"error_code": '
        '"RESOURCE_DOES_NOT_EXIST", "message": "Registered Model with name=delay-boosting not found"}'
    )
    for place in (STABLE.place, ("chain", "Deployment", "serving-canary")):
        scene.complains(place, scene.line("serving.stock", told, remedy="see on MLflow's page what is registered"))
    _no_predictions(scene, 404, "model delay-boosting is unknown - there are none")


def _no_predictions(scene: Scene, status: int, reason: str) -> None:
    line = scene.line("serving.workers.follow", "no prediction", status=status, reason='{"error":"' + reason + '"}')
    scene.utter(FOLLOW.place, line, line)


def _alias_to_nothing(scene: Scene) -> None:
    scene.state["models"]["delay-boosting"] = {"aliases": {"champion": "7"}, "versions": [1, 2]}
    told = "alias champion of model delay-boosting points to version 7, which is not there"
    scene.utter(STABLE.place, scene.line("serving.repository", told, remedy="point it to one of 1, 2"))
    _no_predictions(scene, 404, told)


def _no_alias(scene: Scene) -> None:
    scene.state["models"]["delay-boosting"] = {"aliases": {"champoin": "1"}, "versions": [1]}
    told = "model delay-boosting has no version or alias champion"
    _no_predictions(scene, 404, f"{told} - there are champoin, 1")


def _signature(scene: Scene) -> None:
    """Promote a version that was trained on other columns than its card says."""
    scene.state["models"]["delay-boosting"] = {"aliases": {"champion": "2"}, "versions": [1, 2]}
    told = (
        "model delay-boosting version 2: its tensors are [('features', 'FP32', (-1, 11)), ('delay', 'FP32', (-1, 1))], "
        "its card asks for [('features', 'FP32', (-1, 14)), ('delay', 'FP32', (-1, 1))]"
    )
    line = scene.line(
        "serving.repository.repository", told, "error", model="delay-boosting", version="2", kind="CardWrong",
        remedy="export it with the input and output of the contract, or without a card",
    )  # fmt: skip
    scene.utter(STABLE.place, line, line)
    scene.figure("models_refused", "delay-boosting", 12)


def _pickle(scene: Scene) -> None:
    """Promote a version that is no ONNX at all."""
    scene.state["models"]["delay-boosting"] = {"aliases": {"champion": "2"}, "versions": [1, 2]}
    told = "model delay-boosting version 2: model.onnx is a Python pickle; it was not opened"
    line = scene.line(
        "serving.repository.repository", told, "error", model="delay-boosting", version="2", kind="NotOnnx",
        remedy="export it as ONNX",
    )  # fmt: skip
    scene.utter(STABLE.place, line, line)
    scene.figure("models_refused", "delay-boosting", 12)


def _route(reason: str, message: str, service: str, port: int) -> Play:
    """Lead the route to what is not there."""

    def play(scene: Scene) -> None:
        for route in scene.objects("HTTPRoute", "chain", "serving"):
            for ref in route["spec"]["rules"][0]["backendRefs"][:1]:
                ref |= {"name": service, "port": port}
            for condition in route["status"]["parents"][0]["conditions"]:
                if condition["type"] == "ResolvedRefs":
                    condition |= {"status": "False", "reason": reason, "message": message}
        scene.door("gateway", 500, "")
        line = scene.line("serving.workers.follow", "no prediction", status=500, reason="")
        scene.utter(FOLLOW.place, line, line)

    return play


def _no_listener(scene: Scene) -> None:
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["parentRefs"][0]["sectionName"] = "https"
        for condition in route["status"]["parents"][0]["conditions"]:
            if condition["type"] == "Accepted":
                told = {"reason": "NoMatchingParent", "message": "No listeners match this parent ref"}
                condition |= {"status": "False", **told}
    scene.door("gateway", 404, "")
    line = scene.line("serving.workers.follow", "no prediction", status=404, reason="")
    scene.utter(FOLLOW.place, line, line)


def unread(target: Target, error: str) -> Play:
    """Let Prometheus ask a healthy pod in vain."""

    def play(scene: Scene) -> None:
        names = {pod["metadata"]["name"] for pod in scene.pods(*target.place)}
        for each in scene.health["targets"]:
            if each["pod"] in names:
                each |= {"health": "down", "error": error}

    return play


def _not_listed(scene: Scene) -> None:
    """Take the annotation away by which Prometheus finds the pod."""
    annotations = scene.workload(*CONSUMER.place)["spec"]["template"]["metadata"]["annotations"]
    annotations.pop("prometheus.io/port", None)
    names = set()
    for pod in scene.pods(*CONSUMER.place):
        pod["metadata"].get("annotations", {}).pop("prometheus.io/port", None)
        names.add(pod["metadata"]["name"])
    scene.health["targets"] = [each for each in scene.health["targets"] if each["pod"] not in names]
    for name in ("lag", "lag_growth", "dead_letters"):
        scene.health["figures"][name] = []


def _traces_away(scene: Scene) -> None:
    """Let all look for the collector at a port that nobody serves: Jaeger stands, and holds nothing."""
    for target in (PRODUCER, CONSUMER):
        scene.env(target, "TARMAC_TRACES", "http://jaeger.platform.svc:14318")
        scene.utter(
            target.place,
            *(
                scene.line(
                    "opentelemetry.exporter.otlp.proto.http.trace_exporter", event, level, ago=ago
                )
                for event, level, ago in (
                    (("Transient error HTTPConnectionPool(host='jaeger.platform.svc', port=14318): Max retries "
                     "exceeded with url: /v1/traces (Caused by NewConnectionError: Failed to establish a new "
                     "connection: [Errno 111] Connection refused) encountered while exporting span batch, retrying."),
                     "warning", 30),
                    ("Failed to export span batch code: None, reason: max retries exceeded", "error", 12),
                    ("Failed to export span batch code: None, reason: max retries exceeded", "error", 6),
                )
            ),
        )  # fmt: skip
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


def _late_database(scene: Scene) -> None:
    """Scale the database away; MLflow, restarted since, does not get past its first step."""
    scene.gone(POSTGRES.place, kept=True)
    scene.fallen(
        MLFLOW.place,
        scene.begins_badly(
            "migrate",
            'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "postgres.data.svc" '
            "(10.96.40.7), port 5432 failed: Connection refused",
        ),
    )


def _noisy_consumer(scene: Scene) -> None:
    """Scale the consumer away; the gap it leaves looks like stale features, and a job failed long ago."""
    scene.gone(CONSUMER.place, kept=True)
    if "lake" in scene.health["declared"]["components"]:
        scene.job("lake", "chain", "lake-compact", code=1)
    scene.warn("Pod", "platform", "kafka-0", "Unhealthy", "Readiness probe failed: dial tcp 10.244.0.9:9092: connect: "
               "connection refused", ago=40 * MINUTE)  # fmt: skip


_MISSING = "Failed to process route rule 0 backendRef 0: service chain/serving-blue not found."
_PORT = "Failed to process route rule 0 backendRef 0: TCP Port 8081 not found on Service chain/serving-stable."
CASES = (
    Case("broker-deleted", "TD-KAFKA-GONE", (), _gone(KAFKA, kept=False), "kafka"),
    Case("broker-scaled-away", "TD-KAFKA-GONE", (), _gone(KAFKA, kept=True), "kafka"),
    Case("broker-answers-nobody", "TD-KAFKA-SILENT", (), _silent_broker),
    Case("topic-deleted", "TD-TOPIC-MISSING", (), _no_topic("flight.arrived.v1"), "flight.arrived.v1"),
    Case("weather-topic-deleted", "TD-TOPIC-MISSING", (), _no_topic("weather.read.v1"), "weather.read.v1"),
    Case("store-scaled-away", "TD-OBJECTSTORE-GONE", ("objectstore",), _gone(OBJECTSTORE, kept=True), "objectstore"),
    Case("bucket-deleted", "TD-BUCKET-MISSING", ("lake",), _no_bucket),
    Case("database-scaled-away", "TD-POSTGRES-GONE", ("mlflow",), _late_database, "postgres"),
    Case("database-deleted", "TD-POSTGRES-GONE", ("postgres",), _gone(POSTGRES, kept=False), "postgres"),
    Case("redis-deleted", "TD-REDIS-GONE", ("redis",), _gone(REDIS, kept=False), "redis"),
    Case("redis-scaled-away", "TD-REDIS-GONE", ("redis",), _gone(REDIS, kept=True), "redis"),
    Case("redis-full", "TD-REDIS-FULL", ("feature",), _full_store),
    Case("consumer-scaled-away", "TD-INGEST-GONE", (), _noisy_consumer, "ingest-consumer"),
    Case("producer-deleted", "TD-INGEST-GONE", (), _gone(PRODUCER, kept=False), "ingest-producer"),
    Case("consumer-too-slow", "TD-INGEST-LAG", (), _behind),
    Case("events-refused", "TD-EVENTS-POISONED", (), _poisoned),
    # First expected to be harmless. But the replayed events all keep their contract, and the platform's own alert is
    # about a single one that does not.
    Case("two-events-refused", "TD-EVENTS-POISONED", (), _two_refused, "weather.read.v1"),
    Case("bronze-scaled-away", "TD-LAKE-GONE", ("lake",), _gone(BRONZE, kept=True), "lake-bronze"),
    Case("feature-deleted", "TD-FEATURE-GONE", ("feature",), _gone(FEATURE, kept=False), "feature"),
    Case("one-view-stands-still", "TD-FEATURES-STALE", ("feature",), _stale),
    Case("mlflow-scaled-away", "TD-MLFLOW-GONE", ("mlflow",), _gone(MLFLOW, kept=True), "mlflow"),
    Case("registry-empty", "TD-MODELS-MISSING", ("serving",), _no_models),
    Case("alias-to-no-version", "TD-ALIAS-WRONG", ("serving",), _alias_to_nothing),
    Case("alias-misspelt", "TD-ALIAS-WRONG", ("serving",), _no_alias),
    Case("server-scaled-away", "TD-SERVING-GONE", ("serving",), _gone(STABLE, kept=True), "serving-stable"),
    Case("tensors-other-than-the-card", "TD-SIGNATURE-MISMATCH", ("serving",), _signature),
    Case("model-is-a-pickle", "TD-MODEL-REFUSED", ("serving",), _pickle),
    Case("proxy-deleted", "TD-GATEWAY-GONE", ("gateway",), _gone(PROXY, kept=False), "gateway"),
    Case("controller-scaled-away", "TD-GATEWAY-GONE", ("gateway",), _gone(CONTROLLER, kept=True), "gateway"),
    Case("route-to-no-service", "TD-ROUTE-NOWHERE", ("serving",), _route("BackendNotFound", _MISSING, "serving-blue",
         8080)),
    Case("route-to-no-port", "TD-ROUTE-NOWHERE", ("serving",), _route("PortNotFound", _PORT, "serving-stable", 8081)),
    Case("route-at-no-listener", "TD-ROUTE-NOWHERE", ("serving",), _no_listener),
    Case("follow-scaled-away", "TD-FOLLOW-GONE", ("serving",), _gone(FOLLOW, kept=True), "serving-follow"),
    Case("prometheus-scaled-away", "TD-PROMETHEUS-GONE", (), _gone(PROMETHEUS, kept=True), "prometheus"),
    Case("metrics-at-a-wrong-path", "TD-SCRAPE-MISSING", (), unread(
        PRODUCER, "server returned HTTP status 404 Not Found")),
    Case("metrics-are-a-page", "TD-SCRAPE-MISSING", ("feature",), unread(
        FEATURE, 'received unsupported Content-Type "text/html; charset=utf-8" and no fallback_scrape_protocol '
        "specified for target")),
    Case("metrics-not-announced", "TD-SCRAPE-MISSING", (), _not_listed),
    Case("jaeger-deleted", "TD-JAEGER-GONE", (), _gone(JAEGER, kept=False), "jaeger"),
    Case("traces-to-a-wrong-port", "TD-TRACES-BLOCKED", (), _traces_away),
    Case("page-scaled-away", "TD-PAGE-GONE", ("page",), _gone(PAGE, kept=True), "page"),
)  # fmt: skip

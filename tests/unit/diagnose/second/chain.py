"""The second set: links of the chain that are gone, silent or wrong, with the noise elsewhere."""

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
from unit.diagnose.independent.scene import HOUR, MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, gone, no_endpoints, own, said

_NO_BUCKET = (
    "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist"
)
_NO_SERVER = (
    "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "
    '"10.96.40.7", port 5432 failed: Connection refused'
)
_NO_REDIS = "ConnectionRefusedError: [Errno 111] Connect call failed ('10.96.88.12', 6379)"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def _loud(broken: Play, *crashing: tuple[Target, str]) -> Play:
    """Let neighbours end again and again for want of what is broken, an innocent restart of Jaeger among them."""

    def play(scene: Scene) -> None:
        broken(scene)
        for target, line in crashing:
            if scene.objects(target.kind, target.namespace, target.name):
                scene.fallen(target.place, scene.crashes(line, restarts=9))
        for pod in scene.pods(*JAEGER.place):
            ended = {"exitCode": 2, "reason": "Error", "finishedAt": scene.at(5 * HOUR)}
            pod["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": {"terminated": ended}}

    return play


def _heap(scene: Scene) -> None:
    """Let the broker's heap be used up: its port opens, its threads are dead."""
    scene.state |= {"topics": {}, "groups": {}}
    scene.problem("kafka", "NotConverged: Kafka does not do what was asked: KafkaTimeoutError: Request timed out after "
                  "30000 ms")  # fmt: skip
    line = scene.line("runtime.broker", "poll failed", cause="RequestTimedOutError('Request timed out after 30500 ms')")
    for target in (PRODUCER, CONSUMER):
        scene.complains(target.place, line)
    scene.utter(
        KAFKA.place,
        "[2026-11-27 16:49:11,004] ERROR [KafkaApi-1] Unexpected error handling request RequestHeader(apiKey=FETCH, "
        "apiVersion=17) (kafka.server.KafkaApis)", "java.lang.OutOfMemoryError: Java heap space",
    )  # fmt: skip
    scene.health["figures"]["produced"] = []


def _topic(name: str, *plays: Play) -> Play:
    def play(scene: Scene) -> None:
        scene.state["topics"].pop(name, None)
        for groups in scene.state["groups"].values():
            groups.pop(name, None)
        for each in plays:
            each(scene)

    return play


def _edge_topic(scene: Scene) -> None:
    cause = "UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION: lab-01.edge')"
    scene.complains(own(scene, "centre"), scene.line("runtime.patience", "waiting for Kafka", seconds=90, cause=cause))


def _bucket(scene: Scene) -> None:
    """Take MLflow's bucket: registry and database are well, the files of models are not to be had."""
    lines = (
        f"botocore.errorfactory.NoSuchBucket: {_NO_BUCKET}",
        'INFO:     10.244.0.53:40122 - "GET /api/2.0/mlflow/artifacts/list HTTP/1.1" 500 Internal Server Error',
    )
    scene.utter(MLFLOW.place, *lines)
    what = f"models of the registry: MLflow at http://mlflow.data.svc:5000, GET artifacts/list: 500 {_NO_BUCKET}"
    scene.complains(STABLE.place, scene.line("serving.stock", what))


def _full(scene: Scene) -> None:
    """Let Redis refuse what a nightly job writes; the job's failure is what one sees."""
    job = scene.job("lake", "chain", "lake-build", code=1)
    job["metadata"]["name"] = "lake-build-29929990-ttx9k"
    job["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = scene.at(3 * MINUTE)
    told = "command not allowed when used memory > 'maxmemory'."
    scene.words(job, f"redis.exceptions.OutOfMemoryError: {told}")
    scene.warn("Job", "chain", "lake-build-29929990", "BackoffLimitExceeded", "Job has reached the specified backoff "
               "limit", ago=2 * MINUTE)  # fmt: skip
    scene.health["figures"]["redis_refused"] = [{"labels": {}, "value": 18204.0}]
    cause = f"OOM {told}"
    scene.complains(CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=cause))


def _quiet_producer(scene: Scene) -> None:
    scene.gone(PRODUCER.place, kept=True)
    scene.health["figures"]["produced"] = []
    if scene.health["figures"]["feature_staleness"]:
        scene.figure("feature_staleness", "weather_by_origin", 900)


def _slow_topic(scene: Scene) -> None:
    """Let one topic of three be left behind by a consumer that says that it is well."""
    scene.figure("lag", "weather.read.v1", 91204)
    scene.figure("lag_growth", "weather.read.v1", 1410)
    for each in scene.state["groups"]["ingest"]["weather.read.v1"]:
        each["lag"] += 91204


def _poisoned(scene: Scene) -> None:
    scene.figure("dead_letters", "flight.arrived.v1", 37)
    scene.state["topics"]["dead-letter.v1"]["end"] = [37]
    scene.state["metrics"]["dead_letters"] = [{"labels": {}, "value": 37.0}]


def _unpredicted(scene: Scene, status: int, reason: str) -> None:
    line = scene.line("serving.workers.follow", "no prediction", status=status, reason='{"error":"' + reason + '"}')
    scene.utter(FOLLOW.place, line, line)


def _unregistered(scene: Scene) -> None:
    """Let the model have been deleted that is asked for; others are registered."""
    del scene.state["models"]["delay-boosting"]
    _unpredicted(scene, 404, "model delay-boosting is unknown - register a version of it first")


def _no_champion(scene: Scene) -> None:
    scene.state["models"]["delay-boosting"] = {"aliases": {"challenger": "3"}, "versions": [1, 2, 3]}
    told = "model delay-boosting has no version or alias champion"
    scene.utter(STABLE.place, scene.line("serving.repository.repository", told, remedy="there are challenger, 1, 2, 3"))
    _unpredicted(scene, 404, f"{told} - there are challenger, 1, 2, 3")


def _not_loaded(kind: str, what: str, remedy: str) -> Play:
    """Promote a version that cannot be served; the one before goes on."""

    def play(scene: Scene) -> None:
        scene.state["models"]["delay-boosting"] = {"aliases": {"champion": "4"}, "versions": [1, 2, 3, 4]}
        told = f"model delay-boosting version 4: {what}"
        line = scene.line(
            "serving.repository.repository", told, "error", model="delay-boosting", version="4", kind=kind,
            remedy=remedy,
        )  # fmt: skip
        scene.utter(STABLE.place, line, line)
        scene.figure("models_refused", "delay-boosting", 7)

    return play


def _unattached(scene: Scene) -> None:
    """Let the route be for a Gateway that does not exist: no controller says a word about it."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["parentRefs"][0]["name"] = "gatway"
        route["status"]["parents"] = []
    scene.door("gateway", 404, "")
    line = scene.line("serving.workers.follow", "no prediction", status=404, reason="")
    scene.utter(FOLLOW.place, line, line)


def _not_granted(scene: Scene) -> None:
    told = (
        "Failed to process route rule 0 backendRef 0: backend ref to Service data/serving-stable not permitted by any "
        "ReferenceGrant."
    )
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["rules"][0]["backendRefs"][0]["namespace"] = "data"
        for each in route["status"]["parents"][0]["conditions"]:
            if each["type"] == "ResolvedRefs":
                each |= {"status": "False", "reason": "RefNotPermitted", "message": told}
    scene.door("gateway", 500, "")
    line = scene.line("serving.workers.follow", "no prediction", status=500, reason="")
    scene.utter(FOLLOW.place, line, line)


def _annotation(scene: Scene) -> None:
    """Let the pod announce its figures at a port that it does not open; it is ready, and works."""
    scene.workload(*PRODUCER.place)["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] = "9102"
    for pod in scene.pods(*PRODUCER.place):
        pod["metadata"].setdefault("annotations", {})["prometheus.io/port"] = "9102"
        for each in scene.health["targets"]:
            if each["pod"] == pod["metadata"]["name"]:
                error = 'Get "http://10.244.0.21:9102/metrics": dial tcp 10.244.0.21:9102: connect: connection refused'
                each |= {"health": "down", "error": error}
    scene.health["figures"]["produced"] = []


def _receiver_off(scene: Scene) -> None:
    """Switch the collector's receiver off; its page goes on."""
    for each in scene.workload(*JAEGER.place)["spec"]["template"]["spec"]["containers"]:
        each["args"] = [arg.replace("otlp.enabled=true", "otlp.enabled=false") for arg in each["args"]]
    event = (
        "Transient error HTTPConnectionPool(host='jaeger.platform.svc', port=4318): Max retries exceeded with url: "
        "/v1/traces (Caused by NewConnectionError(\"HTTPConnection(host='jaeger.platform.svc', port=4318): Failed to "
        'establish a new connection: [Errno 111] Connection refused")) encountered while exporting span batch, retrying'
        " in 1.07s."
    )
    for target in (PRODUCER, CONSUMER):
        said(target, _EXPORTER, event)(scene)
        said(target, _EXPORTER, "Failed to export span batch due to timeout, max retries or shutdown.",
             level="error")(scene)  # fmt: skip
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


CASES: tuple[Case, ...] = (
    Case("broker-away-and-all-crash", "TD-KAFKA-GONE", (), _loud(
        gone(KAFKA, kept=True),
        (PRODUCER, "runtime.patience.BrokerUnavailable: the producer's connection: NoBrokersAvailable after 60 s"),
        (CONSUMER, "runtime.patience.BrokerUnavailable: the consumer's connection: NoBrokersAvailable after 60 s"),
    ), "kafka"),
    Case("heap-of-the-broker", "TD-KAFKA-SILENT", (), _heap),
    Case("predictions-have-no-topic", "TD-TOPIC-MISSING", ("serving",), _topic("prediction.made.v1", said(
        STABLE, "runtime.broker", "records were given up", times=3,
        cause="UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION: prediction.made.v1')")),
        "prediction.made.v1"),
    Case("dead-letters-have-no-topic", "TD-TOPIC-MISSING", (), _topic("dead-letter.v1", said(
        CONSUMER, "ingest.consumer", "dead letters wait", cause="UnknownTopicOrPartitionError('dead-letter.v1')")),
        "dead-letter.v1"),
    Case("topic-of-the-edge", "TD-TOPIC-MISSING", (), _topic("lab-01.edge", _edge_topic), "lab-01.edge", labs=("01",)),
    Case("store-deleted", "TD-OBJECTSTORE-GONE", ("objectstore",), gone(OBJECTSTORE, kept=False), "objectstore"),
    Case("bucket-of-mlflow", "TD-BUCKET-MISSING", ("mlflow", "serving"), _bucket),
    Case("database-away-and-mlflow-crashes", "TD-POSTGRES-GONE", ("mlflow",), _loud(
        gone(POSTGRES, kept=False), (MLFLOW, _NO_SERVER)), "postgres"),
    Case("redis-away-and-features-crash", "TD-REDIS-GONE", ("feature",), _loud(
        gone(REDIS, kept=True), (FEATURE, _NO_REDIS)), "redis"),
    Case("nightly-job-finds-redis-full", "TD-REDIS-FULL", ("feature", "lake"), _full),
    Case("nobody-produces", "TD-INGEST-GONE", (), _quiet_producer, "ingest-producer"),
    Case("one-topic-is-left-behind", "TD-INGEST-LAG", (), _slow_topic),
    Case("arrivals-refused", "TD-EVENTS-POISONED", (), _poisoned, "flight.arrived.v1"),
    Case("bronze-deleted", "TD-LAKE-GONE", ("lake",), gone(BRONZE, kept=False), "lake-bronze"),
    Case("features-away-and-predictions-fail", "TD-FEATURE-GONE", ("feature",), gone(FEATURE, kept=True), "feature"),
    Case("delays-of-origins-stand-still", "TD-FEATURES-STALE", ("feature",), lambda scene: scene.figure(
        "feature_staleness", "arrival_delay_by_origin", 4100)),
    Case("mlflow-deleted", "TD-MLFLOW-GONE", ("mlflow",), gone(MLFLOW, kept=False), "mlflow"),
    # First expected to be TD-MODELS-MISSING. But that is a registry that holds no model at all; that a server asks for
    # one that the registry does not have is what TD-ALIAS-WRONG says: no state tells which of the two is wrong.
    Case("served-model-deleted", "TD-ALIAS-WRONG", ("serving",), _unregistered),
    Case("champion-taken-away", "TD-ALIAS-WRONG", ("serving",), _no_champion),
    Case("server-deleted", "TD-SERVING-GONE", ("serving",), all_of(gone(STABLE, kept=False), no_endpoints),
         "serving-stable"),
    Case("tensors-of-doubles", "TD-SIGNATURE-MISMATCH", ("serving",), _not_loaded(
        "CardWrong", "its tensors are [('float_input', 'FP64', (-1, 14)), ('variable', 'FP64', (-1, 1))], its card asks"
        " for [('features', 'FP32', (-1, 14)), ('delay', 'FP32', (-1, 1))]",
        "export it with the input and output of the contract, or without a card")),
    Case("model-too-large", "TD-MODEL-REFUSED", ("serving",), _not_loaded(
        "TooBig", "its files have more than 100000000 bytes", "set TARMAC_MODEL_BYTES, or make it smaller")),
    Case("model-cut-off", "TD-MODEL-REFUSED", ("serving",), _not_loaded(
        "NotOnnx", "model.onnx is no ONNX model, or is cut off", "export it as ONNX")),
    Case("proxy-scaled-away", "TD-GATEWAY-GONE", ("gateway",), gone(PROXY, kept=True), "gateway"),
    Case("controller-deleted", "TD-GATEWAY-GONE", ("gateway",), gone(CONTROLLER, kept=False), "gateway"),
    Case("route-of-a-misspelt-gateway", "TD-ROUTE-NOWHERE", ("serving",), _unattached),
    Case("route-without-a-grant", "TD-ROUTE-NOWHERE", ("serving",), _not_granted),
    Case("follow-deleted", "TD-FOLLOW-GONE", ("serving",), gone(FOLLOW, kept=False), "serving-follow"),
    Case("prometheus-deleted", "TD-PROMETHEUS-GONE", (), gone(PROMETHEUS, kept=False), "prometheus"),
    Case("figures-at-a-closed-port", "TD-SCRAPE-MISSING", (), _annotation),
    Case("jaeger-scaled-away", "TD-JAEGER-GONE", (), gone(JAEGER, kept=True), "jaeger"),
    Case("receiver-switched-off", "TD-TRACES-BLOCKED", (), _receiver_off),
    Case("page-deleted", "TD-PAGE-GONE", ("page",), gone(PAGE, kept=False), "page"),
)  # fmt: skip

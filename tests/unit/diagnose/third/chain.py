"""The third set: the data's chain, from the broker to the features; with several consequences each."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    FEATURE,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    POSTGRES,
    PRODUCER,
    REDIS,
    WATCH,
)
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, gone, said
from unit.diagnose.third.tools import (
    HOOK,
    dies,
    env,
    failed_job,
    letters,
    minds,
    mine,
    refused,
    says,
    stale,
    warned,
)


def _never_ends(scene: Scene) -> None:
    """Let the broker's pod have been deleted, and not come to an end: its successor may not be made before."""
    scene.fallen(KAFKA.place, scene.hangs(said="Readiness probe failed: dial tcp 10.244.0.9:9092: connect: refused"))
    for pod in scene.pods(*KAFKA.place):
        pod["metadata"] |= {"deletionTimestamp": scene.at(14 * MINUTE), "deletionGracePeriodSeconds": 30}
    warned(KAFKA, "FailedKillPod", 'error killing pod: failed to "KillContainer" for "kafka" with KillContainerError: '
           '"rpc error: code = DeadlineExceeded desc = context deadline exceeded"', 30)(scene)  # fmt: skip


def _shut_way_in(scene: Scene) -> None:
    """Let the broker serve the cluster, and tell clients of this machine an address that they cannot reach."""
    scene.state |= {"topics": {}, "groups": {}}
    why = "NotConverged: Kafka does not do what was asked: KafkaTimeoutError: Timeout after waiting for 30 secs."
    scene.problem("kafka", why)
    line = "WARN [SocketServer listenerType=BROKER, nodeId=1] Unexpected error from /172.18.0.1 (channelId=10.244.0.9:"
    says(KAFKA, f"[2026-11-27 16:51:20,118] {line}19092-172.18.0.1:51022-7); closing connection (Selector)")(scene)


def _untopic(*names: str) -> Play:
    def play(scene: Scene) -> None:
        for name in names or tuple(scene.state["topics"]):
            scene.state["topics"].pop(name, None)
            for groups in scene.state["groups"].values():
                groups.pop(name, None)

    return play


def _asks(topic: str) -> dict[str, str]:
    return {
        "for": f"the partitions of topic {topic}",
        "cause": f"UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION: {topic}')",
    }


def _other_disk(scene: Scene) -> None:
    """Let the broker have come up on an empty volume: it is well, and knows of nothing."""
    _untopic()(scene)
    for topic, target in (("flight.departed.v1", PRODUCER), ("flight.arrived.v1", CONSUMER)):
        minds(target, "runtime.patience", "waiting for Kafka", seconds=210, **_asks(topic))(scene)
    said(CONSUMER, "ingest.partition", "the log was replaced; beginning anew", topic="weather.read.v1")(scene)
    scene.health["figures"]["produced"] = []


def _unread_bucket(scene: Scene) -> None:
    """Let a trainee have removed the bucket that the lab keeps its versions of data in.

    At the first run the words were invented, and named no bucket; these are what the lab's experiment says.
    """
    told = (
        "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist"
    )
    cause = f"DVC's remote s3://dvc/lab-02 at http://objectstore.data.svc:7070: {told}"
    said(mine("02", "pipelines"), "runtime.conductor", "experiment failed", experiment="data-versions", cause=cause)(
        scene
    )


_NO_LAKE = (
    "Generic S3 error: Error performing GET http://objectstore.data.svc:7070/lake?list-type=2&prefix=gold%2F in 1.9ms "
    '- Server returned non-2xx status code: 404 Not Found: <?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuch'
    "Bucket</Code><Message>The specified bucket does not exist</Message><BucketName>lake</BucketName></Error>"
)
_FEAST = (
    'psycopg.OperationalError: connection failed: connection to server at "10.96.40.7", port 5432 failed: Connection '
    "refused"
)


def _all_scaled(scene: Scene) -> None:
    """Let somebody have scaled all of ingest to none, and forgotten it."""
    for target in (PRODUCER, CONSUMER):
        gone(target, kept=True)(scene)
    scene.health["figures"]["lag"] = scene.health["figures"]["lag_growth"] = []


def _zombie(scene: Scene) -> None:
    """Let the consumer live and take nothing: what comes in is what its lag grows by."""
    for topic, grown in (("flight.departed.v1", 360), ("flight.arrived.v1", 340), ("weather.read.v1", 30)):
        scene.figure("lag", topic, grown * 21)
        scene.figure("lag_growth", topic, grown)
        for each in scene.state["groups"].get("ingest", {}).get(topic, []):
            each["lag"] += grown * 7
    said(CONSUMER, "kafka.coordinator", "consumer poll timeout has expired. This means the time between subsequent "
         "calls to poll() was longer than the configured max_poll_interval_ms", times=1)(scene)  # fmt: skip
    scene.figure("feature_staleness", "weather_by_origin", 1300)


_VIEWS = ("arrival_delay_by_carrier", "departure_delay_by_origin", "turn_by_tailnum", "weather_by_origin")
_TRIALS, _SPEED = mine("04", "trials"), mine("02", "speed")
CASES: tuple[Case, ...] = (
    Case("broker-never-ends", "TD-KAFKA-GONE", (), _never_ends, "kafka"),
    Case("way-in-is-shut", "TD-KAFKA-SILENT", (), _shut_way_in),
    Case("topic-of-the-trials", "TD-TOPIC-MISSING", (), all_of(_untopic("lab-04.asked"), minds(
        _TRIALS, "trials.stream", "experiment failed", **_asks("lab-04.asked"))), "lab-04.asked", labs=("04",)),
    Case("topic-of-the-burst", "TD-TOPIC-MISSING", (), _untopic("lab-02.burst"), "lab-02.burst", labs=("02",)),
    Case("broker-on-an-empty-volume", "TD-TOPIC-MISSING", (), _other_disk),
    Case("store-away-and-mlflow-fails", "TD-OBJECTSTORE-GONE", ("objectstore", "mlflow"), all_of(
        gone(OBJECTSTORE, kept=True), dies(BRONZE, "pyo3_runtime.PanicException: Generic S3 error", code=101),
        says(MLFLOW, 'botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "http://'
             'objectstore.data.svc:7070/mlflow?list-type=2"')), "objectstore"),
    Case("bucket-of-the-versions", "TD-BUCKET-MISSING", ("objectstore",), _unread_bucket, labs=("02",)),
    Case("bucket-gone-and-the-build-fails", "TD-BUCKET-MISSING", ("lake",), all_of(
        minds(WATCH, "lake.quality.watch", "the lake cannot be read", cause=_NO_LAKE),
        failed_job("lake", "lake-build", f"OSError: {_NO_LAKE}"))),
    Case("registry-without-its-database", "TD-POSTGRES-GONE", ("postgres", "feature"), all_of(
        gone(POSTGRES, kept=True), failed_job("feature", "feature-apply", _FEAST)), "postgres"),
    Case("redis-refused-by-a-webhook", "TD-REDIS-GONE", ("redis",), refused(REDIS, HOOK), "redis"),
    Case("full-and-not-counted", "TD-REDIS-FULL", ("feature",), all_of(
        lambda scene: scene.health["figures"].update(redis_refused=[]),
        *(minds(each, "ingest.online", "the online store does not take rows", cause="OOM command not allowed "
                "when used memory > 'maxmemory'.") for each in (CONSUMER, _SPEED)),
        stale("weather_by_origin", "arrival_delay_by_origin", seconds=700))),
    Case("all-of-ingest-scaled", "TD-INGEST-GONE", (), _all_scaled, "ingest"),
    Case("consumer-lives-and-takes-nothing", "TD-INGEST-LAG", (), _zombie),
    Case("all-topics-refused", "TD-EVENTS-POISONED", (), letters(
        {"flight.departed.v1": 61, "flight.arrived.v1": 58, "weather.read.v1": 4})),
    Case("watch-scaled-away", "TD-LAKE-GONE", ("lake",), gone(WATCH, kept=True), "lake-watch"),
    Case("features-refused-by-a-webhook", "TD-FEATURE-GONE", ("feature",), all_of(
        refused(FEATURE, HOOK), lambda scene: scene.figure("lookup_failures", "unreachable", 812)), "feature"),
    Case("replica-takes-no-rows", "TD-FEATURES-STALE", ("feature",), all_of(
        stale(*_VIEWS), said(CONSUMER, "ingest.online", "the online store does not take rows", cause=(
            "ReadOnlyError(\"You can't write against a read only replica.\")")))),
    Case("rows-go-to-another-database", "TD-FEATURES-STALE", ("feature",), all_of(
        env(CONSUMER, "TARMAC_REDIS", "redis.data.svc:6379/3"), stale(*_VIEWS, seconds=5200))),
)  # fmt: skip

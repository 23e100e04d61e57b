"""Who stands beside whom in the chain: workloads of components, who suffers when one is away, and how it complains."""

from __future__ import annotations

from typing import Any

Place = tuple[str, str, str]

NO_BROKER = {"for": "the consumer's connection to kafka.platform.svc:9092", "cause": "NoBrokersAvailable()"}
NO_DATABASE = (
    'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "postgres.data.svc" '
    "(10.96.40.7), port 5432 failed: Connection refused Is the server running on that host and accepting TCP/IP "
    "connections?"
)
SUFFER: dict[str, tuple[tuple[Place, str, str, dict[str, Any]], ...]] = {
    "kafka": (
        (("chain", "Deployment", "ingest-producer"), "runtime.patience", "waiting for Kafka", NO_BROKER),
        (("chain", "Deployment", "ingest-consumer"), "runtime.broker", "poll failed",
         {"cause": "KafkaConnectionError('socket disconnected')"}),
        (("chain", "Deployment", "lake-bronze"), "runtime.patience", "waiting for Kafka", NO_BROKER),
        (("chain", "Deployment", "serving-follow"), "runtime.patience", "waiting for Kafka", NO_BROKER),
        (("lab-01", "Deployment", "centre"), "runtime.patience", "waiting for Kafka", NO_BROKER),
        (("lab-02", "Deployment", "speed"), "runtime.patience", "waiting for Kafka", NO_BROKER),
    ),
    "redis": (
        (("chain", "Deployment", "feature"), "feature.wire", "no connection to Redis",
         {"cause": "[Errno 111] Connect call failed ('10.96.88.12', 6379)", "again_in": 2.0}),
        (("chain", "Deployment", "ingest-consumer"), "ingest.online", "the online store does not take rows",
         {"cause": "Error 111 connecting to redis.data.svc:6379. Connection refused."}),
    ),
    "objectstore": (
        (("chain", "Deployment", "lake-bronze"), "ingest.bronze.writer", "the lake does not take events",
         {"cause": "Generic S3 error: Error performing PUT http://objectstore.data.svc:7070/lake/bronze/_delta_log in "
          "31.2s, after 10 retries: error sending request: tcp connect error: Connection refused (os error 111)"}),
        (("chain", "Deployment", "lake-watch"), "lake.quality.watch", "the lake cannot be read",
         {"cause": "tcp connect error: Connection refused (os error 111)"}),
    ),
    "feature": (
        (("chain", "Deployment", "serving-stable"), "serving.endpoints", "features are away",
         {"cause": "feature service http://feature.chain.svc:6566: ConnectError('All connection attempts failed')"}),
    ),
    "mlflow": (
        (("chain", "Deployment", "serving-stable"), "serving.stock",
         ("MLflow at http://mlflow.data.svc:5000: GET registered-models/search: ConnectError('[Errno 111] Connection "
         "refused')"), {"remedy": "`lab status` shows whether MLflow stands"}),
        (("lab-04", "Deployment", "server"), "serving.stock",
         ("MLflow at http://mlflow.data.svc:5000: GET registered-models/search: ConnectError('[Errno 111] Connection "
         "refused')"), {"remedy": "`lab status` shows whether MLflow stands"}),
    ),
    "gateway": (
        (("chain", "Deployment", "serving-follow"), "serving.workers.follow", "no answer",
         {"address": "http://gateway.platform.svc:8080/v2/models/delay-boosting/infer",
          "cause": "ConnectError('[Errno 111] Connection refused')"}),
    ),
}  # fmt: skip
"""Component -> who complains when it is away: workload, logger, event, more fields."""
DOORS = ("prometheus", "jaeger", "ingest", "lake", "objectstore", "feature", "mlflow", "gateway", "page")
"""Components that have a door on the trainee's machine."""
WORKLOADS: dict[str, tuple[Place, ...]] = {
    "kafka": (("platform", "StatefulSet", "kafka"),),
    "redis": (("data", "StatefulSet", "redis"),),
    "postgres": (("data", "StatefulSet", "postgres"),),
    "objectstore": (("data", "Deployment", "objectstore"),),
    "mlflow": (("data", "Deployment", "mlflow"),),
    "ingest": (("chain", "Deployment", "ingest-consumer"),),
    "lake": (("chain", "Deployment", "lake-bronze"),),
    "feature": (("chain", "Deployment", "feature"),),
    "gateway": (("platform", "Deployment", "gateway"),),
    "prometheus": (("platform", "Deployment", "prometheus"),),
    "jaeger": (("platform", "Deployment", "jaeger"),),
    "page": (("platform", "Deployment", "page"),),
}
"""Component -> its workloads, as the platform's charts name them."""

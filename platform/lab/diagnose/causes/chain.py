"""What each component of the chain is made of, in the order in which one stands on another."""

from __future__ import annotations

WORKLOADS = {
    "kafka": (("platform", "StatefulSet", "kafka"),),
    "objectstore": (("data", "Deployment", "objectstore"),),
    "postgres": (("data", "StatefulSet", "postgres"),),
    "redis": (("data", "StatefulSet", "redis"),),
    "ingest": (("chain", "Deployment", "ingest-producer"), ("chain", "Deployment", "ingest-consumer")),
    "lake": (("chain", "Deployment", "lake-bronze"), ("chain", "Deployment", "lake-watch")),
    "feature": (("chain", "Deployment", "feature"),),
    "mlflow": (("data", "Deployment", "mlflow"),),
    "serving": (
        ("chain", "Deployment", "serving-stable"),
        ("chain", "Deployment", "serving-canary"),
        ("chain", "Deployment", "serving-labels"),
    ),
    "gateway": (("platform", "Deployment", "envoy-gateway"), ("platform", "Deployment", "gateway")),
    "follow": (("chain", "Deployment", "serving-follow"),),
    "prometheus": (("platform", "Deployment", "prometheus"),),
    "jaeger": (("platform", "Deployment", "jaeger"),),
    "page": (("platform", "Deployment", "page"),),
}
"""Component -> namespace, kind and name of what runs it. Whoever comes later may fail because of who comes earlier."""

SERVICES = {
    "kafka": (("platform", "kafka"), ("platform", "kafka-brokers"), ("platform", "kafka-external")),
    "objectstore": (("data", "objectstore"),),
    "postgres": (("data", "postgres"),),
    "redis": (("data", "redis"), ("data", "redis-pods")),
    "ingest": (("chain", "ingest"),),
    "lake": (("chain", "lake"), ("chain", "lake-watch")),
    "feature": (("chain", "feature"),),
    "mlflow": (("data", "mlflow"),),
    "serving": (("chain", "serving-stable"), ("chain", "serving-canary")),
    "gateway": (("platform", "envoy-gateway"), ("platform", "gateway")),
    "prometheus": (("platform", "prometheus"),),
    "jaeger": (("platform", "jaeger"),),
    "page": (("platform", "page"),),
}
"""Component -> namespace and name of the Services that lead to it."""

PART_OF = {"follow": "serving"}
"""A link that is installed as a part of another component: the live traffic asks serving through the gateway."""

LAB = "lab"
"""What stands for the lab's own workloads, at the end of the chain."""

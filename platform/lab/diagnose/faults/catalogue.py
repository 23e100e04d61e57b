"""Every fault, each on the workloads that it is done to."""

from __future__ import annotations

from lab.diagnose.faults import acts, chain, pods
from lab.diagnose.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *chain.FAULTS,
    *(pods.missing(each) for each in (acts.PRODUCER, acts.CONSUMER, acts.FEATURE, acts.STABLE)),
    *(pods.unpulled(each) for each in (acts.JAEGER, acts.WATCH, acts.PROMETHEUS)),
    *(pods.misnamed(each) for each in (acts.CONSUMER, acts.PAGE)),
    *(pods.crashing(each) for each in (acts.PRODUCER, acts.BRONZE, acts.MLFLOW, acts.CONSUMER, acts.JAEGER)),
    *(pods.starved(*each) for each in ((acts.CONSUMER, "16Mi"), (acts.STABLE, "32Mi"))),
    *(pods.starved(*each) for each in ((acts.KAFKA, "64Mi"), (acts.PROMETHEUS, "16Mi"))),
    pods.unbegun(acts.REDIS, "4Mi"),
    pods.unhoused(acts.FEATURE, "2Mi"),
    pods.unnetworked(acts.WATCH),
    *(pods.misset(each) for each in (acts.PRODUCER, acts.CONSUMER, acts.FEATURE)),
    *(pods.misprobed(each) for each in (acts.CONSUMER, acts.PRODUCER, acts.STABLE)),
    *(pods.roomless(each) for each in (acts.CONSUMER, acts.PROMETHEUS, acts.FEATURE, acts.KAFKA)),
    *(pods.mighty(each) for each in (acts.CONSUMER, acts.PRODUCER, acts.WATCH)),
    *(pods.rationed(each) for each in (acts.CONSUMER, acts.JAEGER, acts.OBJECTSTORE)),
    *(pods.unclaimed(acts.JAEGER, classless=each) for each in (False, True)),
    pods.unconfigured(acts.FEATURE, "Secret", "redis"),
    pods.unconfigured(acts.KAFKA, "ConfigMap", "kafka"),
    pods.misaddressed(acts.CONSUMER, "TARMAC_KAFKA", "kafka-broker.platform.svc:9092"),
    pods.misaddressed(acts.FEATURE, "TARMAC_REDIS", "redis-master.data.svc:6379"),
    pods.misaddressed(acts.STABLE, "TARMAC_MLFLOW", "http://ml-flow.data.svc:5000"),
    *(pods.unread(each, port=True) for each in (acts.PRODUCER, acts.FEATURE)),
    *(pods.unread(each, port=False) for each in (acts.CONSUMER, acts.MLFLOW)),
    *(pods.lost(each) for each in (acts.PRODUCER, acts.FEATURE, acts.STABLE)),
    pods.gone("TD-KAFKA-GONE", acts.KAFKA),
    pods.gone("TD-OBJECTSTORE-GONE", acts.OBJECTSTORE),
    pods.gone("TD-POSTGRES-GONE", acts.POSTGRES),
    pods.gone("TD-REDIS-GONE", acts.REDIS),
    pods.gone("TD-INGEST-GONE", acts.PRODUCER),
    pods.gone("TD-INGEST-GONE", acts.CONSUMER),
    pods.gone("TD-LAKE-GONE", acts.BRONZE),
    pods.gone("TD-FEATURE-GONE", acts.FEATURE),
    pods.gone("TD-MLFLOW-GONE", acts.MLFLOW),
    pods.gone("TD-SERVING-GONE", acts.STABLE),
    # The controller first: it would bring the proxy back.
    pods.gone("TD-GATEWAY-GONE", acts.CONTROLLER, acts.PROXY),
    pods.gone("TD-FOLLOW-GONE", acts.FOLLOW),
    pods.gone("TD-PROMETHEUS-GONE", acts.PROMETHEUS),
    pods.gone("TD-JAEGER-GONE", acts.JAEGER),
    pods.gone("TD-PAGE-GONE", acts.PAGE),
    *(pods.deleted(f"TD-{each.component.upper()}-GONE", each) for each in (acts.KAFKA, acts.REDIS, acts.FEATURE)),
    *(pods.deleted(f"TD-{each.component.upper()}-GONE", each) for each in (acts.CONSUMER, acts.JAEGER)),
    *(
        pods.unserved(each)
        for each in (acts.KAFKA, acts.REDIS, acts.OBJECTSTORE, acts.JAEGER, acts.FEATURE, acts.STABLE)
    ),
    pods.unserved(acts.CONSUMER, "ingest"),
)
"""In no order that matters."""


def named(name: str) -> Fault:
    """Return a fault by its name."""
    return next(each for each in FAULTS if each.name == name)

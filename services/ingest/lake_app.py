"""The entry point `lake`, put together from its parts."""

from contracts.topics import EVENTS
from ingest.bronze import columns
from ingest.lake import Store, Table
from ingest.lake_figures import LakeFigures
from ingest.lake_log import Feed
from ingest.lake_writer import BronzeWriter
from ingest.settings import LakeSettings
from runtime.health import Health
from runtime.process import Stop
from runtime.tracing import Tracing
from runtime.web import Web


def store(settings: LakeSettings) -> Store:
    """Where the settings say that the lake is."""
    return Store(
        settings.lake, settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.s3_region
    )


def run(settings: LakeSettings, stop: Stop) -> None:
    """Write every valid event to bronze until asked to stop."""
    health, figures, place = Health(), LakeFigures(), store(settings)
    tracing = Tracing.to("ingest-lake", settings.traces, settings.trace_ratio)
    health.beat("lake")
    health.wait_for("kafka", f"no connection to {settings.kafka} yet")
    web = Web(settings.port, health, figures.registry, tracing=tracing).start()
    try:
        feed = Feed(settings.kafka, list(EVENTS), stop)
        health.met("kafka")
        writer = BronzeWriter(
            settings, feed, lambda topic: Table(place, topic, columns(topic)), figures, health, tracing
        )
        web.questions["positions"] = writer.positions
        writer.run(stop)
        feed.close()
    finally:
        web.close()
        tracing.close()

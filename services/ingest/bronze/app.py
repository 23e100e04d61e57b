"""The entry point `bronze`, put together from its parts."""

from contracts.topics import EVENTS
from ingest.bronze.batch import columns
from ingest.bronze.feed import Feed
from ingest.bronze.figures import BronzeFigures
from ingest.bronze.table import Table
from ingest.bronze.writer import BronzeWriter
from ingest.settings import BronzeSettings
from runtime.health import Health
from runtime.process import Stop
from runtime.store import Store
from runtime.tracing import Tracing
from runtime.web import Web


def run(settings: BronzeSettings, stop: Stop) -> None:
    """Write every valid event to bronze until asked to stop."""
    health, figures, store = Health(), BronzeFigures(), Store.of(settings)
    tracing = Tracing.to("ingest-bronze", settings.traces, settings.trace_ratio)
    health.beat("lake")
    health.wait_for("kafka", f"no connection to {settings.kafka} yet")
    web = Web(settings.port, health, figures.registry, tracing=tracing).start()
    try:
        feed = Feed(settings.kafka, list(EVENTS), stop)
        health.met("kafka")
        writer = BronzeWriter(
            settings, feed, lambda topic: Table(store, topic, columns(topic)), figures, health, tracing
        )
        web.questions["positions"] = writer.positions
        writer.run(stop)
        feed.close()
    finally:
        web.close()
        tracing.close()

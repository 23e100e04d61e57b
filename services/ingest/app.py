"""The entry points, put together from their parts."""

import json
import sys
from http import HTTPStatus
from pathlib import Path

from contracts.topics import DEAD_LETTER, EVENTS
from ingest import dataset, replay
from ingest import repair as repairs
from ingest.consumer import Consumer, Effects
from ingest.figures import ConsumerFigures, OnlineFigures, ProducerFigures
from ingest.producer import Producer, Progress
from ingest.settings import ConsumerSettings, ProducerSettings, RepairSettings
from ingest.view import View
from runtime.broker import Publisher, Subscription
from runtime.health import Health
from runtime.letters import Letterbox
from runtime.process import Stop
from runtime.settings import shown
from runtime.tracing import Tracing
from runtime.web import Web


def produce(settings: ProducerSettings, stop: Stop) -> None:
    """Replay the data set until all is sent or the process is asked to stop."""
    plan = replay.Replay(Path(settings.data), settings.start, settings.limit, settings.loops)
    health, figures, progress = Health(), ProducerFigures(), Progress(plan.total())
    tracing = Tracing.to("ingest-producer", settings.traces, settings.trace_ratio)
    producer = Producer(settings, plan, figures, progress, health, tracing)
    questions = {"position": progress.position}
    web = Web(settings.port, health, figures.registry, questions=questions, tracing=tracing).start()
    try:
        producer.run(stop)
    finally:
        web.close()
        tracing.close()


def consume(settings: ConsumerSettings, stop: Stop) -> None:
    """Consume until the process is asked to stop."""
    health, figures, view = Health(), ConsumerFigures(), View()
    tracing = Tracing.to("ingest-consumer", settings.traces, settings.trace_ratio)
    questions = {**view.questions(), "settings": lambda _: (HTTPStatus.OK, shown(settings))}
    health.beat("consumer")
    health.wait_for("kafka", f"no connection to {settings.kafka} yet")
    web = Web(settings.port, health, figures.registry, questions=questions, tracing=tracing).start()
    try:
        publisher = Publisher(settings.kafka, stop)
        subscription = Subscription(settings.kafka, settings.group, list(EVENTS), stop)
        letterbox = Letterbox(settings.kafka, settings.group, publisher, stop, DEAD_LETTER)
        effects = _online(settings, view, figures, health) if settings.redis else None
        consumer = Consumer(settings, subscription, letterbox, view, figures, health, tracing, effects)
        health.met("kafka")
        consumer.run(stop)
        subscription.close(settings.drain_seconds)
        publisher.close(settings.drain_seconds)
    finally:
        web.close()
        tracing.close()


def _online(settings: ConsumerSettings, view: View, figures: ConsumerFigures, health: Health) -> Effects:
    """What keeps the online store up to date."""
    # Imported here: where there is no online store, nobody needs its client.
    from contracts.online import Writer  # noqa: PLC0415
    from contracts.views_flights import DEFINITIONS  # noqa: PLC0415
    from ingest import online  # noqa: PLC0415

    where = settings.online
    writer = Writer(DEFINITIONS, where.host, where.port, password=settings.redis_password, database=where.database)
    return online.OnlineStore(writer, view, OnlineFigures(figures.registry), health, settings.online_seconds)


def repair(settings: RepairSettings, stop: Stop) -> None:
    """Put dead letters back and say what came of them, as one line of JSON on standard output."""
    outcomes = repairs.run(settings, stop)
    sys.stdout.write(json.dumps({name: outcomes[name] for name in repairs.OUTCOMES}) + "\n")


def pack(folder: Path, file: Path) -> int:
    """Make the replay file of the data set's CSV files; the number of events."""
    return replay.write(dataset.events(folder), file)

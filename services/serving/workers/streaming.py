"""The entry point `stream`, put together from its parts."""

import asyncio
import contextlib
from collections.abc import Mapping

import uvloop

from contracts.predictions import STREAM
from contracts.topics import DEAD_LETTER
from runtime.broker import Publisher, Subscription
from runtime.letters import Letterbox
from runtime.role import Role
from serving.figures import Figures, JournalFigures
from serving.inference.journal import Journal
from serving.model.batch import Limits
from serving.settings import StreamSettings
from serving.stock import Stock
from serving.workers.answerer import Answerer
from serving.workers.figures import StreamFigures
from serving.workers.stream import TOGETHER, Worker

_LOOK_SECONDS = 0.2


def run(env: Mapping[str, str]) -> None:
    """Answer what is asked in a topic until asked to stop.

    Raises:
        BadSetting: a variable is unknown or cannot be used.
    """
    with Role("serving-stream", StreamSettings, env) as role:
        role.health.beat("stream")
        role.health.wait_for("kafka", f"no connection to {role.settings.kafka} yet")
        uvloop.run(_run(role))


async def _run(role: Role[StreamSettings]) -> None:
    settings, figures, counted = role.settings, Figures(), StreamFigures()
    role.registry.register(figures)
    role.registry.register(counted)
    # Nothing is run at once: what waits is run together, and nobody waits for the first.
    limits = Limits(
        inline_seconds=0, rows=settings.batch_rows, queue=2 * TOGETHER, queue_seconds=settings.request_seconds,
        run_seconds=settings.run_seconds,
    )  # fmt: skip
    stock = Stock(settings, figures, limits)
    stock.wait(role.health)
    role.serve()
    watch = asyncio.create_task(stock.watch(role.health))
    try:
        # What is asked before anybody knows which models there are would be answered as unknown.
        while not role.stop and not stock.looked.is_set():
            role.health.beat("stream")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stock.looked.wait(), _LOOK_SECONDS)
        if not role.stop:
            await _answer(role, stock, counted)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        stock.close()


async def _answer(role: Role[StreamSettings], stock: Stock, counted: StreamFigures) -> None:
    settings, stop = role.settings, role.stop
    journal = Journal(lambda asked: Publisher(settings.kafka, asked), "", settings.log_ratio, settings.log_room, STREAM)
    JournalFigures(journal, role.registry)
    answerer = Answerer(stock.repository, role.tracing, settings.request_seconds, journal)
    connect = asyncio.get_running_loop().run_in_executor
    publisher = await connect(None, lambda: Publisher(settings.kafka, stop))
    subscription = await connect(None, lambda: Subscription(settings.kafka, settings.group, [settings.asked], stop))
    letterbox = Letterbox(settings.kafka, settings.group, publisher, stop, DEAD_LETTER)
    role.health.met("kafka")
    journal.start()
    worker = Worker(subscription, publisher, letterbox, answerer, counted, role.health, settings.answered)
    await worker.run(stop)
    await connect(None, journal.close, settings.drain_seconds)
    await connect(None, subscription.close, settings.drain_seconds)
    await connect(None, publisher.close, settings.drain_seconds)

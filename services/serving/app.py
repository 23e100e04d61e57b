"""The server, put together from its parts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import uvloop

from runtime.health import Health
from runtime.listening import HOST, listen
from runtime.settings import shown
from runtime.tracing import Tracing
from serving import parts
from serving.endpoints.administration import Administration
from serving.endpoints.bodies import Bodies, Sizes
from serving.endpoints.web import Web
from serving.figures import Figures
from serving.model.batch import Limits
from serving.settings import ServeSettings
from serving.stock import Stock

_BEAT_SECONDS = 30.0
_JOURNAL_SECONDS = 2.0
"""That the journal has in the end: it is not worth a restart that takes longer."""


class Server:
    """The parts of one server and their life.

    Args:
        settings: what it was told.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._health = Health()
        self._tracing = Tracing.to("serving", settings.traces, settings.trace_ratio)
        figures = Figures()
        limits = Limits(
            inline_seconds=settings.inline_seconds,
            rows=settings.batch_rows,
            queue=settings.queue,
            queue_seconds=settings.queue_seconds,
            run_seconds=settings.run_seconds,
        )
        self._journal = parts.written(settings, figures.registry)
        self._people = parts.people(settings, self._journal, figures.registry)
        self._stock = Stock(settings, figures, limits)
        self.repository = self._stock.repository
        self._bodies = Bodies(Sizes(settings.body_bytes, settings.json_bytes, settings.bodies_bytes))
        self.web = Web(
            self.repository,
            Administration(self.repository, self._health, figures, shown(settings)),
            figures,
            self._tracing,
            bodies=self._bodies,
            seconds=settings.request_seconds,
            default=settings.default_model,
            people=self._people,
            journal=self._journal,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the models up to date while the server answers."""
        self._stock.wait(self._health)
        if self._journal:
            self._journal.start()
        self._health.beat("loop", _BEAT_SECONDS)
        tasks = [asyncio.create_task(each) for each in (self._stock.watch(self._health), self._beat())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._people.close()
            self._stock.close()
            if self._journal:
                await asyncio.to_thread(self._journal.close, _JOURNAL_SECONDS)
            self._tracing.close()

    @contextlib.asynccontextmanager
    async def calls(self, host: str) -> AsyncIterator[None]:
        """Answer over gRPC meanwhile, where that is wanted."""
        settings = self._settings
        if not settings.grpc_port:
            yield
            return
        # Imported here: a server without it need not hold it in memory.
        from serving.endpoints.rpc import Rpc  # noqa: PLC0415

        rpc = Rpc(
            self.repository,
            lambda: self._health.ready()[0],
            self._bodies,
            seconds=settings.request_seconds,
            largest=settings.body_bytes,
            tracing=self._tracing,
            journal=self._journal,
        )
        async with rpc.answering(host, settings.grpc_port, settings.drain_seconds):
            yield

    async def _beat(self) -> None:
        while True:
            self._health.beat("loop", _BEAT_SECONDS)
            await asyncio.sleep(1)


def serve(settings: ServeSettings) -> None:
    """Serve until asked to stop."""
    uvloop.run(_serve(settings))


async def _serve(settings: ServeSettings) -> None:
    server = Server(settings)
    async with server.running(), server.calls(HOST):
        await listen(server.web, settings.port, settings.drain_seconds)

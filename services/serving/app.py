"""The server, put together from its parts."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from runtime.health import Health
from runtime.listening import HOST, listen
from runtime.settings import shown
from runtime.tracing import Tracing
from serving.administration import Administration
from serving.batch import Limits
from serving.errors import SourceUnavailable
from serving.fetched import FOLDER, FetchedSource
from serving.figures import Figures
from serving.isolation import Isolated
from serving.models import Served, served
from serving.registry import Registry
from serving.repository import Made, Repository
from serving.room import Room
from serving.session import Options
from serving.settings import ServeSettings
from serving.source import FolderSource, Source
from serving.web import Web

log = logging.getLogger(__name__)

_BEAT_SECONDS = 30.0
_AGAIN = 60.0
"""Seconds between two words about a source that stays away."""


class Server:
    """The parts of one server and their life.

    Args:
        settings: what it was told.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._health = Health()
        self._tracing = Tracing.to("serving", settings.traces, settings.trace_ratio)
        self._pool = ThreadPoolExecutor(settings.workers, "run")
        figures, source = Figures(), _source(settings)
        limits = Limits(
            inline_seconds=settings.inline_seconds,
            rows=settings.batch_rows,
            queue=settings.queue,
            queue_seconds=settings.queue_seconds,
            run_seconds=settings.run_seconds,
        )
        opener = Isolated(source, Options(settings.threads), settings.model_bytes, settings.load_seconds)
        room = Room(settings.models_limit, settings.models_bytes)

        def serve(made: Made) -> Served:
            artifact, _ = made
            return served(
                made, self._pool, limits, figures.tally(artifact.name, artifact.version), settings.cache_entries
            )

        self.repository = Repository(source, opener, serve, room, figures, alias=settings.alias)
        self.web = Web(
            self.repository,
            Administration(self.repository, self._health, figures, shown(settings)),
            figures,
            self._tracing,
            largest=settings.body_bytes,
            seconds=settings.request_seconds,
            default=settings.default_model,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the models up to date while the server answers."""
        self._health.wait_for(
            "models", f"models at {self._settings.mlflow or self._settings.models} were not looked at yet"
        )
        self._health.beat("loop", _BEAT_SECONDS)
        tasks = [asyncio.create_task(each) for each in (self._watch(), self._beat())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.repository.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._tracing.close()

    @contextlib.asynccontextmanager
    async def calls(self, host: str) -> AsyncIterator[None]:
        """Answer over gRPC meanwhile, where that is wanted."""
        settings = self._settings
        if not settings.grpc_port:
            yield
            return
        # Imported here: a server without it need not hold it in memory.
        from serving.rpc import Rpc  # noqa: PLC0415

        rpc = Rpc(
            self.repository,
            lambda: self._health.ready()[0],
            seconds=settings.request_seconds,
            largest=settings.body_bytes,
        )
        async with rpc.answering(host, settings.grpc_port, settings.drain_seconds):
            yield

    async def _watch(self) -> None:
        due = -math.inf
        while True:
            try:
                await self.repository.refresh()
                self._health.met("models")
                due = -math.inf
            except SourceUnavailable as failure:
                if time.monotonic() >= due:
                    log.warning(failure.what, extra={"remedy": failure.remedy})
                    due = time.monotonic() + _AGAIN
            except Exception:  # what answers goes on answering
                log.exception("looking for models failed")
            await asyncio.sleep(self._settings.watch_seconds)

    async def _beat(self) -> None:
        while True:
            self._health.beat("loop", _BEAT_SECONDS)
            await asyncio.sleep(1)


def _source(settings: ServeSettings) -> Source:
    """Where the models come from: MLflow where it has an address, else the folder."""
    root = Path(settings.models)
    if not settings.mlflow:
        return FolderSource(root)
    return FetchedSource(
        Registry(settings.mlflow, settings.mlflow_seconds),
        root / FOLDER,
        largest=settings.model_bytes,
        room=settings.models_bytes,
        seconds=settings.load_seconds,
    )


def serve(settings: ServeSettings) -> None:
    """Serve until asked to stop."""
    uvloop.run(_serve(settings))


async def _serve(settings: ServeSettings) -> None:
    server = Server(settings)
    async with server.running(), server.calls(HOST):
        await listen(server.web, settings.port, settings.drain_seconds)

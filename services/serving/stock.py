"""The models of a process, and what keeps them up to date; whoever answers for them stands on this."""

import asyncio
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.health import Health
from serving.compositions.composed import composed
from serving.compositions.composing import Composing
from serving.errors import SourceUnavailable
from serving.figures import Figures
from serving.model.batch import Limits
from serving.model.isolation import Isolated
from serving.model.outline import Outline
from serving.model.session import Options
from serving.model.version import Served, served
from serving.repository.repository import Made, Repository
from serving.repository.room import Room
from serving.settings import ModelSettings
from serving.source.fetched import FOLDER, FetchedSource
from serving.source.folder import FolderSource, Source
from serving.source.registry import Registry

log = logging.getLogger(__name__)

MODELS = "models"
"""Condition of readiness: that the source was looked at."""
_UNSEEN = 0.5
"""Seconds between two looks at a source that was never there yet."""
_AGAIN = 60.0
"""Seconds between two words about a source that stays away."""


class Stock:
    """The models of one process.

    Args:
        settings: where they come from and what they may take.
        figures: counts.
        limits: how far a model may be loaded.
    """

    def __init__(self, settings: ModelSettings, figures: Figures, limits: Limits) -> None:
        self._settings = settings
        self._figures = figures
        self._limits = limits
        self._pool = ThreadPoolExecutor(settings.workers, "run")
        self.looked = asyncio.Event()
        """Set once the source was looked at."""
        source = source_of(settings)
        self._opener = Isolated(source, Options(settings.threads), settings.model_bytes, settings.load_seconds)
        self.repository = Repository(
            source,
            Composing(source, self._opener, settings.alias),
            self._served,
            Room(settings.models_limit, settings.models_bytes),
            figures,
            alias=settings.alias,
        )

    def _served(self, made: Made) -> Served:
        artifact, session = made
        if isinstance(session, Outline):
            return composed(artifact, session, self.repository, self._figures, self._settings.cache_entries)
        tally = self._figures.tally(artifact.name, artifact.version)
        return served((artifact, session), self._pool, self._limits, tally, self._settings.cache_entries)

    def wait(self, health: Health) -> None:
        """Not ready until the source was looked at once."""
        health.wait_for(MODELS, f"models at {self._settings.mlflow or self._settings.models} were not looked at yet")

    async def watch(self, health: Health) -> None:
        """Look at the source again and again, until cancelled."""
        due = -math.inf
        while True:
            try:
                await self.repository.refresh()
                health.met(MODELS)
                self.looked.set()
                due = -math.inf
            except SourceUnavailable as failure:
                if time.monotonic() >= due:
                    log.warning(failure.what, extra={"remedy": failure.remedy})
                    due = time.monotonic() + _AGAIN
            except Exception:  # what answers goes on answering
                log.exception("looking for models failed")
            # Until it has seen its models it cannot answer for any: a registry that starts beside it is not waited for
            # longer than need be.
            pause = self._settings.watch_seconds
            await asyncio.sleep(pause if self.looked.is_set() else min(pause, _UNSEEN))

    def close(self) -> None:
        """Begin nothing more."""
        self.repository.close()
        self._opener.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


def source_of(settings: ModelSettings) -> Source:
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

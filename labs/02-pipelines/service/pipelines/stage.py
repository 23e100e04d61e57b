"""What the experiments work with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lake.store import Lake
from pipelines import scratch
from pipelines.settings import PipelinesSettings
from runtime.broker import Publisher
from runtime.online_client import connected
from runtime.process import Stop
from runtime.store import Store

SCRATCH = 2
"""Number of the database in Redis that experiments may empty."""
SPEED = 1
"""Number of the database in Redis that the lab's own speed layer writes."""


@dataclass(frozen=True)
class Stage:
    """Everything that an experiment may touch.

    Attributes:
        settings: what the trainee has set.
        stop: the process is to end.
    """

    settings: PipelinesSettings
    stop: Stop

    def lake(self) -> Lake:
        """The experiments' own lake, made where it is not there yet.

        Raises:
            StoreAway: the object store does not answer.
        """
        return scratch.lake(self.store, Path(self.settings.data))

    @property
    def store(self) -> Store:
        """Where that lake lies."""
        return replace(Store.of(self.settings), root=Store.of(self.settings).path("lab-02"))

    def online(self, database: int) -> AbstractContextManager[Any]:
        """A client of one of the online store's databases; see `runtime.online_client`.

        Raises:
            StoreSilent: it does not answer, or refuses.
        """
        return connected(self.settings, database)

    @contextmanager
    def publisher(self) -> Iterator[Publisher]:
        """A sender of events; what was sent is acknowledged when it is left."""
        publisher = Publisher(self.settings.kafka, self.stop)
        try:
            yield publisher
            publisher.flush(10)
        finally:
            publisher.close(5)

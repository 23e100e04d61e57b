"""What the experiments work with."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import redis

from lake.store import Lake
from pipelines import scratch
from pipelines.settings import PipelinesSettings
from runtime.broker import Publisher
from runtime.errors import Temporary
from runtime.process import Stop
from runtime.store import Store

SCRATCH = 2
"""Number of the database in Redis that experiments may empty."""
SPEED = 1
"""Number of the database in Redis that the lab's own speed layer writes."""


class StoreSilent(Temporary):
    """The online store does not answer."""


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

    @contextmanager
    def online(self, database: int) -> Iterator[Any]:
        """A client of the online store (untyped: its types are those of two clients at once).

        Raises:
            StoreSilent: it does not answer, or refuses.
        """
        where = self.settings.online
        client = redis.Redis(
            host=where.host, port=where.port, db=database, password=self.settings.redis_password or None,
            socket_timeout=5, socket_connect_timeout=5,
        )  # fmt: skip
        try:
            with closing(client):
                yield client
        except redis.RedisError as failure:
            raise StoreSilent(
                f"the online store at {self.settings.redis} failed: {failure}",
                "`lab status` shows whether redis stands",
            ) from failure

    @contextmanager
    def publisher(self) -> Iterator[Publisher]:
        """A sender of events; what was sent is acknowledged when it is left."""
        publisher = Publisher(self.settings.kafka, self.stop)
        try:
            yield publisher
            publisher.flush(10)
        finally:
            publisher.close(5)

"""A client of the online store, for as long as it is needed, and one name for whatever it meets there.

Rows of features go through `contracts.online`, which guards them; this is for whoever looks at the store or keeps
something of its own in it.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import redis

from runtime.errors import Temporary
from runtime.online import OnlineSettings

_SECONDS = 5.0  # to connect, and to wait for each answer


class StoreSilent(Temporary):
    """The online store does not answer, or refuses."""


@contextmanager
def connected(settings: OnlineSettings, database: int | None = None) -> Iterator[Any]:
    """A client of the online store (untyped: its types are those of two clients at once).

    Args:
        settings: where the store is.
        database: its number; None: the one that the settings name.

    Raises:
        StoreSilent: the store does not answer, or refuses.
    """
    where = settings.online
    client = redis.Redis(
        host=where.host, port=where.port, db=where.database if database is None else database,
        password=settings.redis_password or None, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS,
    )  # fmt: skip
    try:
        with closing(client):
            yield client
    except redis.RedisError as failure:
        raise StoreSilent(
            f"the online store at {settings.redis} failed: {failure}", "`lab status` shows whether redis stands"
        ) from failure

"""Results outlive the conductor's process: the last one of each experiment is kept in the online store.

Lab 01 stands on no online store: its gateway keeps results in a topic.
"""

import logging
import time

import msgspec

from runtime.figures import Result
from runtime.online import OnlineSettings
from runtime.online_client import StoreSilent, connected

log = logging.getLogger(__name__)


_PAUSE_SECONDS = 0.5


class History:
    """Earlier results; without the store there are none, and none is kept.

    Args:
        settings: where the store is.
        key: of the hash that holds the results, by the experiments' names.
        database: number of the database; None: the one that the settings name.
        patience: seconds that the store may take to answer at first: it often starts together with this process.
    """

    def __init__(
        self, settings: OnlineSettings, key: str, database: int | None = None, *, patience: float = 30.0
    ) -> None:
        self._settings = settings
        self._key = key
        self._database = database
        self._patience = patience

    def restore(self) -> dict[str, Result]:
        """The last result of each experiment, by name."""
        until = time.monotonic() + self._patience
        while True:
            try:
                with connected(self._settings, self._database) as client:
                    kept = client.hgetall(self._key)
            except StoreSilent as failure:
                if time.monotonic() < until:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                log.warning("earlier results are not known", extra={"cause": failure.what})
                return {}
            return {name.decode(): msgspec.json.decode(value) for name, value in kept.items()}

    def keep(self, result: Result) -> None:
        """Keep a result; where that fails it is told, and the result is still there until the process ends."""
        try:
            with connected(self._settings, self._database) as client:
                client.hset(self._key, str(result["name"]), msgspec.json.encode(result))
        except StoreSilent as failure:
            log.warning("a result is not kept", extra={"experiment": result["name"], "cause": failure.what})

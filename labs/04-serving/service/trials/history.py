"""Results outlive the conductor's process: the last one of each experiment is kept in the online store."""

import logging

import msgspec

from runtime.figures import Result
from trials.stage import Stage, StoreSilent

log = logging.getLogger(__name__)

KEY = "lab-04:results"


class History:
    """Earlier results; without the store there are none, and none is kept.

    Args:
        stage: leads to the online store.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def restore(self) -> dict[str, Result]:
        """The last result of each experiment, by name."""
        try:
            with self._stage.online() as client:
                kept = client.hgetall(KEY)
        except StoreSilent as failure:
            log.warning("earlier results are not known", extra={"cause": failure.what})
            return {}
        return {name.decode(): msgspec.json.decode(value) for name, value in kept.items()}

    def keep(self, result: Result) -> None:
        """Keep a result; where that fails it is told, and the result is still there until the process ends."""
        try:
            with self._stage.online() as client:
                client.hset(KEY, str(result["name"]), msgspec.json.encode(result))
        except StoreSilent as failure:
            log.warning("a result is not kept", extra={"experiment": result["name"], "cause": failure.what})

"""Waiting for a Kafka broker that is away: said once in a while, and ended by a stop."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from kafka.errors import KafkaError

from runtime.errors import Temporary
from runtime.process import Stop

log = logging.getLogger(__name__)

T = TypeVar("T")
_PAUSE = 0.5  # seconds between two attempts
_QUIET = 2.0  # seconds before a wait is worth a word: metadata that is merely being fetched is no news
_AGAIN = 10.0  # seconds between two words about the same wait


class BrokerUnavailable(Temporary):
    """Kafka does not answer, a topic does not exist (yet) or a partition has no leader at present."""


def patiently(attempt: Callable[[], T], what: str, stop: Stop, bound: float | None = None) -> T:
    """The result of `attempt`, as soon as the broker gives it.

    Args:
        attempt: a call of the client.
        what: its name, for the log.
        stop: ends the wait.
        bound: seconds after which it is given up; None: never.

    Raises:
        BrokerUnavailable: asked to stop meanwhile, or `bound` seconds are over.
    """
    begun, told = time.monotonic(), _QUIET
    while True:
        try:
            return attempt()
        # KeyError: the client's offset look-up answers with a partition left out while its leader is unknown.
        except (KafkaError, KeyError, OSError) as failure:
            waited = time.monotonic() - begun
            if stop or (bound is not None and waited > bound):
                cause = f"{what}: {type(failure).__name__} {failure} after {waited:.0f} s"
                raise BrokerUnavailable(cause, "check that the broker runs and TARMAC_KAFKA leads to it") from failure
            if waited >= told:
                log.warning("waiting for Kafka", extra={"for": what, "cause": repr(failure), "seconds": round(waited)})
                told = waited + _AGAIN
        stop.wait(_PAUSE)

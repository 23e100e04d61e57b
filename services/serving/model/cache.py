"""Answers that are kept for whoever asks the same again, under keys that the caller names.

    "parameters": {"cache_key": "JFK-2013-11-26-07", "cache_seconds": 60}

The caller knows what makes two questions the same (a flight and the minute of its features, not the digits of a float);
the server does not guess, and keeps nothing without a key. A cache belongs to one version of one model: with another
version comes another cache, so that no answer outlives the model that gave it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from contracts.inference import Parameters
from serving.errors import Refused
from serving.model.session import Array

KEY, SECONDS = "cache_key", "cache_seconds"
"""Parameters of a request."""
DEFAULT_SECONDS, MOST_SECONDS = 60.0, 86_400.0
_LONGEST = 200
"""Characters of a key."""


class Wish(NamedTuple):
    """What a request says of the cache.

    Attributes:
        key: under which its answer may be found or kept.
        seconds: for which it may be kept.
    """

    key: str
    seconds: float


class Cache:
    """Answers of one version.

    Args:
        entries: that are kept; the one that was asked least recently makes room.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[Hashable, tuple[float, list[Array]]] = OrderedDict()

    def get(self, key: Hashable, now: float) -> list[Array] | None:
        """The answer under a key, unless its time is over."""
        until, found = self._kept.get(key, (now, None))
        if found is None or until <= now:
            return None
        self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, found: list[Array], until: float) -> None:
        """Keep an answer until some time."""
        self._kept[key] = until, found
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)


def wish(parameters: Parameters) -> Wish | None:
    """What a request says of the cache; None: nothing.

    Raises:
        Refused: its key or its seconds are none.
    """
    key = parameters.get(KEY)
    if key is None:
        return None
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST:
        raise Refused(f"parameter {KEY} is {key!r:.40}", f"give a text of 1 to {_LONGEST} characters")
    seconds = parameters.get(SECONDS, DEFAULT_SECONDS)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= MOST_SECONDS:
        raise Refused(f"parameter {SECONDS} is {seconds!r:.40}", f"give seconds, up to {MOST_SECONDS:g}")
    return Wish(key, seconds)

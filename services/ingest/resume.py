"""Where the replay stands, as the log itself tells: each record of the replay bears its place in the plan.

The plan is the same at every start, a partition gets its share of it in order, and a broker writes an idempotent batch
once. So the newest place in a partition says that all of the share before it is written, and none after it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ingest.broker import Headers, Log, Place, partition_of
from ingest.replay import Planned
from runtime.process import Stop

HEADER = "place"
_STEP = 5_000
"""Records that are read at a time, from the end backwards: strangers' records may lie on top of ours. More than a
client has under way at once, so that a batch that was refused while later ones were written shows as a hole."""


def header(place: int) -> tuple[str, bytes]:
    """What a record of the replay bears."""
    return HEADER, b"%d" % place


def place_in(headers: Headers) -> int | None:
    """The place in a record's headers; None for a record that is not the replay's."""
    for name, value in headers:
        if name == HEADER and value.isdigit():
            return int(value)
    return None


class Share:
    """What of one partition's share is written.

    Args:
        places: places of its newest records, in order of the log.
    """

    def __init__(self, places: list[int]) -> None:
        self._newest = places[-1] if places else -1
        self._run = self._newest
        """First place of the run that ends with the newest: within it every hole is known."""
        self._written = set(places)
        for place in reversed(places):
            if place > self._run:
                break
            self._run = place

    @property
    def newest(self) -> int:
        """Place of the newest record; -1 where there is none."""
        return self._newest

    def has(self, place: int) -> bool:
        """Whether the event at `place` of the plan is written, if it belongs here."""
        return place < self._run or place in self._written


class Shares:
    """What of the plan is written already.

    Args:
        partitions: topic -> the shares of its partitions.
    """

    def __init__(self, partitions: dict[str, list[Share]]) -> None:
        self._partitions = partitions
        self._numbers: dict[tuple[str, str], int] = {}

    def partition(self, topic: str, key: str) -> int:
        """The partition for a key, the one that every standard client would choose."""
        number = self._numbers.get((topic, key))
        if number is None:
            number = self._numbers[topic, key] = partition_of(key.encode(), len(self._partitions[topic]))
        return number

    def missing(self, planned: Planned) -> bool:
        """Whether an event of the plan is not written yet."""
        return not self._partitions[planned.topic][self.partition(planned.topic, planned.key)].has(planned.place)

    def floor(self) -> int:
        """A place before which nothing is missing."""
        newest = ([share.newest for share in shares if share.newest >= 0] for shares in self._partitions.values())
        return min(min(places, default=-1) for places in newest) - _STEP


def find(servers: str, topics: Iterable[str], stop: Stop, *, anew: bool = False) -> Shares:
    """Read from the log what is written.

    Args:
        servers: brokers.
        topics: the event topics.
        stop: ends the wait for a broker.
        anew: the topics were made anew under a running replay; batches of its middle may have slipped into them, and
            nothing follows from these about what comes before.
    """
    log = Log(servers, stop)
    try:
        return Shares({topic: _shares(log, topic, anew=anew) for topic in topics})
    finally:
        log.close()


def _shares(log: Log, topic: str, *, anew: bool) -> list[Share]:
    bounds = log.bounds(log.places(topic))
    if anew:
        return [_Loose(list(_places(log.read(place, *ends)))) for place, ends in bounds.items()]
    return [Share(_newest(log, place, *ends)) for place, ends in bounds.items()]


class _Loose(Share):
    """A partition of which only what stands there is written."""

    @property
    def newest(self) -> int:
        return -1

    def has(self, place: int) -> bool:
        return place in self._written


def _newest(log: Log, place: Place, first: int, end: int) -> list[int]:
    """Places of the newest records of the replay in a partition; empty where it holds none."""
    while end > first:
        begin = max(first, end - _STEP)
        found = list(_places(log.read(place, begin, end)))
        if found:
            return found
        end = begin
    return []


def _places(records: Iterable[Any]) -> Iterator[int]:
    return (found for record in records if (found := place_in(record.headers)) is not None)

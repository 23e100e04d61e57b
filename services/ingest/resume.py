"""Where the replay stands, as the log itself tells: now and then a record bears its place in the plan.

The plan is the same at every start, a partition gets its share of it in order, and a broker writes an idempotent batch
once. So a place in a partition says that all of the share before it is written. What is written after it is told by the
ids of the records that follow. A place in every record would say the same at a fifth of the throughput's cost.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from ingest.replay import Planned
from runtime.broker import Headers, Log, Place, partition_of
from runtime.process import Stop

HEADER = "place"
EVERY = 256
"""Records of a partition from one that bears its place to the next; the first one of a process does."""
_STEP = 5_000
"""Records that are read at a time, from the end backwards: strangers' records may lie on top of ours. More than a
client has under way at once, so that a batch that was refused while later ones were written shows as a hole."""


class Found(NamedTuple):
    """What a record tells about the replay."""

    place: int | None
    id: str


class _Identity(msgspec.Struct):
    id: str = ""


_identity = msgspec.json.Decoder(_Identity).decode


def header(place: int) -> tuple[str, bytes]:
    """What a record bears that tells its place."""
    return HEADER, b"%d" % place


def place_in(headers: Headers) -> int | None:
    """The place in a record's headers; None for one that bears none."""
    for name, value in headers:
        if name == HEADER and value.isdigit():
            return int(value)
    return None


def identity(value: bytes | None) -> str:
    """The id of an event in wire form; empty for what is no event."""
    try:
        return _identity(value or b"").id
    except msgspec.DecodeError:
        return ""


class Share:
    """What of one partition's share is written.

    Args:
        found: its newest records in order of the log, from one that bears a place on; empty: none does.
    """

    def __init__(self, found: list[Found]) -> None:
        places = [each.place for each in found if each.place is not None]
        self.newest = places[-1] if places else -1
        """The newest place told; -1 where there is none."""
        self._run = self.newest
        """First place of the run that ends with the newest: from it on, ids tell what is written."""
        for place in reversed(places):
            if place > self._run:
                break
            self._run = place
        self._ids = {each.id for each in found}

    def has(self, planned: Planned) -> bool:
        """Whether an event of the plan that belongs here is written."""
        return planned.place < self._run or (bool(self._ids) and identity(planned.value) in self._ids)


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
        return not self._partitions[planned.topic][self.partition(planned.topic, planned.key)].has(planned)

    def floor(self) -> int:
        """A place before which nothing is missing."""
        newest = ([share.newest for share in shares if share.newest >= 0] for shares in self._partitions.values())
        return min(min(places, default=-1) for places in newest) - _STEP

    def reached(self) -> int:
        """The newest place told in any partition: all that is missing before it is overdue; -1: none is told."""
        return max((share.newest for shares in self._partitions.values() for share in shares), default=-1)


def find(servers: str, topics: Iterable[str], stop: Stop, replaced: Collection[str] = ()) -> Shares:
    """Read from the log what is written.

    Args:
        servers: brokers.
        topics: the event topics.
        stop: ends the wait for a broker.
        replaced: those of them that were made anew under a running replay; batches of its middle may have slipped into
            them, and nothing follows from these about what comes before.
    """
    log = Log(servers, stop)
    try:
        return Shares({topic: _shares(log, topic, anew=topic in replaced) for topic in topics})
    finally:
        log.close()


def _shares(log: Log, topic: str, *, anew: bool) -> list[Share]:
    bounds = log.bounds(log.places(topic))
    if anew:
        return [_Loose(list(_found(log.read(place, *ends)))) for place, ends in bounds.items()]
    return [Share(_newest(log, place, *ends)) for place, ends in bounds.items()]


class _Loose(Share):
    """A partition of which only what stands there is written."""

    def __init__(self, found: list[Found]) -> None:
        super().__init__(found)
        self.newest = self._run = -1


def _newest(log: Log, place: Place, first: int, end: int) -> list[Found]:
    """The newest records of a partition, from one that bears a place on; empty where none does."""
    later: list[Found] = []
    while end > first:
        begin = max(first, end - _STEP)
        later = list(_found(log.read(place, begin, end))) + later
        for number, each in enumerate(later):
            if each.place is not None:
                return later[number:]
        end = begin
    return []


def _found(records: Iterable[Any]) -> Iterator[Found]:
    return (Found(place_in(record.headers), identity(record.value)) for record in records)

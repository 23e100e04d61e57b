"""The label worker: reads predictions and arrivals side by side, and counts how far the ones were from the others.

Both topics are taken in the order of the wall clock: a label once everything that was predicted before it has been
read, so that a prediction that was made when its flight had arrived already is never counted.

What waits is nowhere but in memory, so what is committed stays behind it: of predictions the oldest that waits, of
arrivals the oldest that was not taken. After a restart both are read from there; a label that was taken is not read
again, so what it was counted with waits in vain, and is not counted twice. What was counted within the last second
before a crash is: it was not committed yet.
"""

import heapq
import itertools
import logging
import time
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Protocol

import msgspec

from contracts import FlightArrived
from contracts.predictions import PredictionMade
from contracts.topics import ARRIVED, PREDICTED
from contracts.validation import why
from runtime.broker import Committed, Place, Subscription
from runtime.role import Role
from serving.worker_settings import LabelsSettings
from serving.workers.figures import LabelFigures
from serving.workers.labels import Labels

log = logging.getLogger(__name__)

TOPICS = (PREDICTED, ARRIVED)
_POLL_SECONDS = 0.25
_CAUGHT_UP = "caught up"
_HELD = 20_000
"""Records in memory that wait for their turn, beyond which those that are ahead wait in the log."""

Record = PredictionMade | FlightArrived


class Source(Protocol):
    """Where records come from and places go to: `runtime.broker.Subscription`."""

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Records by partition."""

    def changed(self) -> bool:
        """Whether partitions came or went since it was last asked."""

    def assigned(self) -> set[Place]:
        """The partitions that are there."""

    def committed(self, place: Place) -> Committed | None:
        """What was last committed of a partition."""

    def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """First offset held and next offset to be written."""

    def seek(self, place: Place, offset: int) -> None:
        """Read on from there."""

    def hold(self, places: AbstractSet[Place]) -> None:
        """Read of all partitions but these."""

    def written(self, place: Place) -> int | None:
        """Next offset to be written, as of the last fetch."""

    def commit(self, places: Mapping[Place, Committed]) -> bool:
        """Make places durable."""


class _Shelf:
    """How far one partition has been read, and what of it is still needed."""

    def __init__(self, offset: int, end: int, committed: int | None) -> None:
        self.next = offset
        self.end = end
        self.committed = committed
        """None: nothing was, so the beginning is as well; what a group reads is then known before its first record."""
        self.stamp = float("-inf")
        """Wall clock of the newest record that was read, seconds since the epoch."""
        self._needed: dict[int, None] = {}

    def take(self, offset: int, stamp: float) -> None:
        """A record was read, and is needed until it is released."""
        self.next, self.stamp = offset + 1, max(stamp, self.stamp)
        self._needed[offset] = None

    def release(self, offset: int) -> None:
        """A record is needed no more."""
        self._needed.pop(offset, None)

    @property
    def floor(self) -> int:
        """The oldest offset that is needed."""
        return next(iter(self._needed), self.next)


class Worker:
    """Joins predictions with labels.

    Args:
        settings: how long to wait, how often to commit.
        source: of both topics.
        labels: what waits.
        figures: count.
    """

    def __init__(self, settings: LabelsSettings, source: Source, labels: Labels, figures: LabelFigures) -> None:
        self._settings = settings
        self._source = source
        self._labels = labels
        self._figures = figures
        self._decode: Mapping[str, Any] = {
            PREDICTED: msgspec.json.Decoder(PredictionMade).decode,
            ARRIVED: msgspec.json.Decoder(FlightArrived).decode,
        }
        self._shelves: dict[Place, _Shelf] = {}
        self._turns: list[tuple[float, int, Place, int, Record]] = []
        """What was read and waits for its turn, by the wall clock."""
        self._serials = itertools.count()
        self._held: AbstractSet[Place] = frozenset()
        self._due = 0.0
        self._stale = True
        self.caught_up = False

    def turn(self, now: float) -> None:
        """One poll and what follows from it; `now` is the wall clock."""
        batches = self._source.poll(_POLL_SECONDS)
        self._stale = self._source.changed() or self._stale
        if self._stale:
            self._stale = not self._restore()
            return  # what was polled stood at places that are sought anew
        for place, records in batches.items():
            for record in records:
                self._read(place, record)
        self._take(self._until(now))
        self._labels.expire()
        if time.monotonic() >= self._due:
            self.commit()

    def commit(self) -> None:
        """Make durable what is needed no more; what cannot be is tried again later."""
        self._due = time.monotonic() + self._settings.commit_seconds
        moved = {place: shelf for place, shelf in self._shelves.items() if shelf.floor != shelf.committed}
        if moved and self._source.commit({place: Committed(shelf.floor, "") for place, shelf in moved.items()}):
            for shelf in moved.values():
                shelf.committed = shelf.floor

    def _restore(self) -> bool:
        """Begin where was committed; whether there is anything to read."""
        places = sorted(self._source.assigned())
        if not places:
            return False
        bounds = self._source.bounds(places)
        self._turns.clear()
        self._held = frozenset()
        self._labels.forget()
        self._shelves = {place: self._shelf(place, *bounds[place]) for place in places}
        for place, shelf in self._shelves.items():
            self._source.seek(place, shelf.next)
        told = {f"{place.topic}-{place.partition}": shelf.next for place, shelf in self._shelves.items()}
        log.info("restored", extra={"offsets": told})
        return True

    def _shelf(self, place: Place, first: int, end: int) -> _Shelf:
        found = self._source.committed(place)
        # A place beyond the end is that of a topic that has been made anew.
        offset = max(found.offset, first) if found and found.offset <= end else first
        return _Shelf(offset, end, found.offset if found else None)

    def _read(self, place: Place, record: Any) -> None:  # noqa: ANN401  the client's record
        stamp = record.timestamp / 1000
        shelf = self._shelves[place]
        shelf.take(record.offset, stamp)
        try:
            told: Record = self._decode[place.topic](record.value or b"")
        except msgspec.DecodeError as failure:
            self._figures.refused += 1
            where = {"topic": place.topic, "partition": place.partition, "offset": record.offset}
            log.warning("a record is none", extra={**where, "reason": str(why(failure))})
            shelf.release(record.offset)
            return
        at = told.made_at.timestamp() if isinstance(told, PredictionMade) else stamp
        heapq.heappush(self._turns, (at, next(self._serials), place, record.offset, told))

    def _until(self, now: float) -> float:
        """The wall clock until which everything has been read; partitions that are far ahead of it are held."""
        settled = now - self._settings.label_settle_seconds
        behind = [shelf for place, shelf in self._shelves.items() if not self._at_end(place, shelf)]
        until = min((shelf.stamp for shelf in behind), default=settled)
        self.caught_up = self.caught_up or not behind
        crowded = len(self._turns) > _HELD
        self._held = {place for place, shelf in self._shelves.items() if crowded and shelf.stamp > until}
        self._source.hold(self._held)
        return min(until, settled)

    def _at_end(self, place: Place, shelf: _Shelf) -> bool:
        return place not in self._held and shelf.next >= max(self._source.written(place) or 0, shelf.end)

    def _take(self, until: float) -> None:
        while self._turns and self._turns[0][0] <= until:
            _, _, place, offset, told = heapq.heappop(self._turns)
            shelf = self._shelves[place]
            if isinstance(told, PredictionMade):
                self._labels.predicted(told, partial(shelf.release, offset))
            else:
                self._labels.arrived(told.id, told.time.timestamp(), told.delay)
                shelf.release(offset)


def run(env: Mapping[str, str]) -> None:
    """Count until asked to end."""
    with Role("serving-labels", LabelsSettings, env) as role:
        settings = role.settings
        role.health.wait_for(_CAUGHT_UP, f"predictions and arrivals of {settings.kafka} are being read")
        role.health.beat("labels")
        labels = Labels(settings.label_hours, settings.label_room)
        figures = LabelFigures(labels, role.registry)
        role.serve()
        source = Subscription(settings.kafka, settings.label_group, list(TOPICS), role.stop)
        worker = Worker(settings, source, labels, figures)
        while not role.stop:
            role.health.beat("labels")
            worker.turn(time.time())
            if worker.caught_up:
                role.health.met(_CAUGHT_UP)
        worker.commit()
        source.close(settings.drain_seconds)

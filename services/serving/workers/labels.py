"""Predictions that wait for their labels, and what came of those whose label came.

Of several predictions of one flight by one version on one track the newest counts, once: errors of one flight are no
independent values, and whoever compares versions takes them to be.
"""

import itertools
import statistics
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from contracts.predictions import CANARY, STABLE, PredictionMade

COUNTED, SUPERSEDED, EXPIRED, CROWDED, NAMELESS = "counted", "superseded", "expired", "crowded-out", "nameless"
"""What comes of a prediction: its label came; a newer one of the flight took its place; no label came; there was no
room; it names no flight or holds no number."""
_TRUSTED = 25
"""Arrivals whose middle one tells the event time: one that strays does not carry it away."""
_HOUR = 3600.0

Place: TypeAlias = Hashable
"""A partition."""


class Key(NamedTuple):
    """Who predicted."""

    model: str
    version: str
    track: str


@dataclass(slots=True)
class Errors:
    """Absolute errors, minutes."""

    values: int = 0
    sum: float = 0.0
    squares: float = 0.0

    def add(self, error: float) -> None:
        """Count one."""
        self.values += 1
        self.sum += error
        self.squares += error * error


@dataclass(slots=True)
class Differences:
    """Absolute error of the canary minus that of the stable version, minutes."""

    values: int = 0
    above: float = 0.0
    below: float = 0.0
    squares: float = 0.0

    def add(self, difference: float) -> None:
        """Count one."""
        self.values += 1
        self.above += max(difference, 0.0)
        self.below += max(-difference, 0.0)
        self.squares += difference * difference


@dataclass(slots=True)
class _Waiting:
    key: Key
    flight: str
    prediction: float
    made: float
    due: float
    done: Callable[[], None] = field(repr=False)


class Labels:
    """Predictions by flight.

    Args:
        hours: of event time that one waits.
        room: how many may wait.
    """

    def __init__(self, hours: float, room: int) -> None:
        self._seconds = hours * _HOUR
        self._room = room
        self._serials = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        """By when they came, the oldest first."""
        self._flights: dict[str, dict[Key, int]] = {}
        self._recent: deque[float] = deque(maxlen=_TRUSTED)
        self.clock: float | None = None
        """Event time, seconds since the epoch; None before any arrival."""
        self.errors: dict[Key, Errors] = {}
        self.differences: dict[Key, Differences] = {}
        self.outcomes: Counter[str] = Counter(dict.fromkeys((COUNTED, SUPERSEDED, EXPIRED, CROWDED, NAMELESS), 0))

    def __len__(self) -> int:
        return len(self._waiting)

    def predicted(self, record: PredictionMade, done: Callable[[], None]) -> None:
        """A prediction was made; `done` is called once it waits no more."""
        if record.flight is None or record.prediction is None:
            self._finished(NAMELESS, done)
            return
        key, made = Key(record.model, record.version, record.track), record.made_at.timestamp()
        flight = self._flights.setdefault(record.flight, {})
        if key in flight:
            if self._waiting[flight[key]].made > made:
                self._finished(SUPERSEDED, done)
                return
            self._finished(SUPERSEDED, self._waiting.pop(flight[key]).done)
        serial = flight[key] = next(self._serials)
        due = (self.clock or 0.0) + self._seconds
        self._waiting[serial] = _Waiting(key, record.flight, record.prediction, made, due, done)
        if len(self._waiting) > self._room:
            self._leave(next(iter(self._waiting)), CROWDED)

    def arrived(self, flight: str, time: float, delay: float) -> None:
        """A flight arrived: at that event time, so many minutes late."""
        self._recent.append(time)
        found = [self._waiting.pop(serial) for serial in self._flights.pop(flight, {}).values()]
        for each in found:
            self.errors.setdefault(each.key, Errors()).add(abs(each.prediction - delay))
            self._finished(COUNTED, each.done)
        for model in {each.key.model for each in found}:
            stable, canary = (_newest(found, model, track) for track in (STABLE, CANARY))
            if stable and canary:
                difference = abs(canary.prediction - delay) - abs(stable.prediction - delay)
                self.differences.setdefault(canary.key, Differences()).add(difference)

    def expire(self) -> None:
        """Let go what has waited too long."""
        if not self._recent:
            return
        before, self.clock = self.clock, statistics.median_low(self._recent)
        if before is not None and self.clock < before - self._seconds:  # the replay began anew
            for serial in list(self._waiting):
                self._leave(serial, EXPIRED)
        for serial, each in list(itertools.takewhile(self._over, self._waiting.items())):
            # What came before any arrival waits from the first one on.
            if each.due <= self._seconds:
                each.due += self.clock
            else:
                self._leave(serial, EXPIRED)

    def forget(self) -> None:
        """Nothing waits any more: all of it is read anew."""
        self._waiting.clear()
        self._flights.clear()

    def _over(self, item: tuple[int, _Waiting]) -> bool:
        return item[1].due <= (self.clock or 0.0)

    def _leave(self, serial: int, outcome: str) -> None:
        gone = self._waiting.pop(serial)
        flight = self._flights[gone.flight]
        del flight[gone.key]
        if not flight:
            del self._flights[gone.flight]
        self._finished(outcome, gone.done)

    def _finished(self, outcome: str, done: Callable[[], None]) -> None:
        self.outcomes[outcome] += 1
        done()


def _newest(found: list[_Waiting], model: str, track: str) -> _Waiting | None:
    """The newest prediction of a model on a track."""
    there = [each for each in found if (each.key.model, each.key.track) == (model, track)]
    return max(there, key=lambda each: each.made, default=None)

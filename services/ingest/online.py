"""The speed layer's way out: rows of the online store, made of what changed, written before offsets are committed.

A row stands at the event time of its key's last event, and says what the windows held then: the batch layer has the
same row at the same instant. The writer's guard makes every write idempotent, so a crash between a write and the commit
costs nothing: the same rows are made and offered again.
"""

import logging
import time
from collections.abc import Iterable, Iterator

from contracts.events import Event, WeatherRead
from contracts.features import FEATURES, keys
from contracts.layout import nanos_of
from contracts.online import Outcome, Row, Unreachable, Writer
from contracts.views_flights import WEATHER
from ingest.figures import OnlineFigures
from ingest.view import Named, Side, View
from runtime.health import Health

log = logging.getLogger(__name__)

READY = "online"
_PREFIX = "weather_"


class OnlineStore:
    """Keeps the online store up to date with a view.

    Args:
        writer: guarded writes.
        view: what the consumer knows.
        figures: what it measures.
        health: not ready while the store is away.
        seconds: from the beginning of a write to that of the next, at least.
    """

    def __init__(self, writer: Writer, view: View, figures: OnlineFigures, health: Health, seconds: float) -> None:
        self._writer = writer
        self._view = view
        self._figures = figures
        self._health = health
        self._seconds = seconds
        self._due = 0.0
        self._delays: dict[str, set[Named]] = {each.topic: set() for each in FEATURES}
        self._stations: set[str] = set()

    def touch(self, topic: str, events: Iterable[Event]) -> None:
        """Remember what has to be written anew."""
        for event in events:
            if isinstance(event, WeatherRead):
                self._stations.add(event.station)
            else:
                self._delays[topic].update(keys(event))

    def flush(self, *, now: bool = False) -> bool:
        """Write what was touched, where it is time; whether nothing waits that a commit would pass over.

        Args:
            now: whether or not it is time.
        """
        if not self._stations and not any(self._delays.values()):
            return True
        if not now and time.monotonic() < self._due:
            return False
        begun = time.monotonic()
        try:
            outcome = self._writer.write(self.rows())
        except Unreachable as failure:
            log.warning("the online store does not take rows", extra={"cause": str(failure)})
            self._health.wait_for(READY, f"the online store does not take rows: {failure}")
            self._due = time.monotonic() + 1
            return False
        self._due = begun + self._seconds
        self._written(outcome, time.monotonic() - begun)
        return True

    def _written(self, outcome: Outcome, seconds: float) -> None:
        self._health.met(READY)
        self._stations.clear()
        for touched in self._delays.values():
            touched.clear()
        self._figures.wrote(outcome.written, outcome.stale, seconds)

    def rows(self) -> Iterator[Row]:
        """The rows of all that was touched."""
        sides = {topic: self._view.sides(topic, touched) for topic, touched in self._delays.items() if touched}
        for feature in FEATURES:
            for (kind, key), side in sides.get(feature.topic, {}).items():
                if kind == feature.kind:
                    yield delays(feature.name, kind, key, side)
        for station in sorted(self._stations):
            reading = self._view.newest_reading(station)
            if isinstance(reading, WeatherRead):
                yield weather(reading)


def delays(view: str, kind: str, key: str, side: Side) -> Row:
    """The row of a view of delays. Of two with one event time, the one that counts more events is the later."""
    windows = side.windows(side.newest)
    values = [value for window in windows.values() for value in (window.number, window.mean)]
    return Row(view, {kind: key}, _nanos(side.newest), values, max(window.number for window in windows.values()))


def weather(reading: WeatherRead) -> Row:
    """The row of the newest reading of a station."""
    values = [getattr(reading, field.name.removeprefix(_PREFIX)) for field in WEATHER.features]
    return Row(WEATHER.name, {"origin": reading.station}, nanos_of(reading.time), values)


def _nanos(seconds: float) -> int:
    """An event time, which has microseconds, in nanoseconds."""
    return round(seconds * 1_000_000) * 1000

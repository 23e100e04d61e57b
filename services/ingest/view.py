"""What the consumer knows, for those who ask over HTTP while it goes on."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypeAlias

import msgspec

from contracts import Event
from contracts.features import KINDS, SIDES, WINDOWS
from contracts.topics import EVENTS, WEATHER
from ingest.history import History, Window
from ingest.partition import Partition
from ingest.stream import OUTCOMES, STRAY, STRAYS, Stream
from runtime.broker import Place
from runtime.web import Answer, Question

Named: TypeAlias = tuple[str, str]
"""Kind and key: what windows are of."""


class View:
    """Partitions and the lock under which they change."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.partitions: dict[Place, Partition] = {}

    def questions(self) -> Mapping[str, Question]:
        """First segment of the path -> what answers."""
        return {"features": self.features, "weather": self.weather, "counts": self.counts}

    def features(self, path: tuple[str, ...]) -> Answer:
        """`/features`: the keys; `/features/KIND/KEY`: the delays of one."""
        with self.lock:
            known = self._known()
            if not path:
                return HTTPStatus.OK, {kind: sorted(known[kind]) for kind in KINDS}
            if len(path) != 2 or path[0] not in KINDS:  # noqa: PLR2004  kind and key
                return _missing(f"/features/{'/'.join(path)}", [f"/features/{kind}/KEY" for kind in KINDS])
            kind, key = path
            if key not in known[kind]:
                return _missing(f"{kind} {key}", sorted(known[kind]))
            sides = {side: self.sides(topic, {(kind, key)}).get((kind, key)) for side, topic in SIDES.items()}
            newest = max(side.clock for side in sides.values() if side)
            told = {name: _told(side) for name, side in sides.items()}
        return HTTPStatus.OK, {"kind": kind, "key": key, "time": _instant(newest), **told}

    def weather(self, path: tuple[str, ...]) -> Answer:
        """`/weather`: the stations; `/weather/STATION`: its newest reading."""
        with self.lock:
            streams = {key: stream for key, stream in self._streams(WEATHER) if stream.entries}
            if not path:
                return HTTPStatus.OK, sorted(streams)
            if len(path) != 1 or path[0] not in streams:
                return _missing(f"station {'/'.join(path)}", sorted(streams))
            newest = streams[path[0]].newest()
        return HTTPStatus.OK, msgspec.to_builtins(newest)

    def counts(self, _path: tuple[str, ...]) -> Answer:
        """`/counts`: what came of the events of each topic."""
        totals = {topic: Counter[str]() for topic in EVENTS}
        with self.lock:
            for place, partition in self.partitions.items():
                totals[place.topic].update(partition.counts)
        return HTTPStatus.OK, {topic: {name: found[name] for name in OUTCOMES} for topic, found in totals.items()}

    def _streams(self, topic: str) -> Iterable[tuple[str, Stream]]:
        return (
            each
            for place, partition in self.partitions.items()
            if place.topic == topic
            for each in partition.streams.items()
        )

    def _known(self) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for topic in SIDES.values():
            for _, stream in self._streams(topic):
                for kind, key in filter(stream.known, stream.histories):
                    known[kind].add(key)
        return known

    def sides(self, topic: str, wanted: Iterable[Named]) -> dict[Named, "Side"]:
        """The windows of keys on one side of their flights; those without an event are left out.

        Args:
            topic: of departures or of arrivals.
            wanted: kind and key of each.
        """
        streams = [stream for _, stream in self._streams(topic)]
        found = {name: [stream for stream in streams if name in stream.histories] for name in wanted}
        return {name: Side.of(name, holding) for name, holding in found.items() if holding}

    def newest_reading(self, station: str) -> Event | None:
        """The newest reading of a station, or None."""
        return next((each.newest() for name, each in self._streams(WEATHER) if name == station), None)


class Side(NamedTuple):
    """What a key did on one side of its flights; to be read under the view's lock, for histories go on.

    Attributes:
        clock: the event time that its origins have reached together, seconds since the epoch.
        histories: its delays at each origin; what lies beyond the clock does not count.
    """

    clock: float
    histories: list[History]

    @classmethod
    def of(cls, name: Named, streams: Collection[Stream]) -> Self:
        """The side of a key whose events these streams hold."""
        return cls(newest_clock(streams), [stream.histories[name] for stream in streams])

    @property
    def newest(self) -> float:
        """Event time of its last event."""
        found = (each.newest_until(self.clock) for each in self.histories)
        return max((time for time in found if time is not None), default=self.clock)

    def windows(self, until: float) -> dict[str, Window]:
        """Its windows that end at an instant, no later than the clock."""
        return {name: self._window(until - length, min(until, self.clock)) for name, length in WINDOWS.items()}

    def _window(self, since: float, until: float) -> Window:
        parts = [each.window(since, until) for each in self.histories]
        return Window(sum(each.number for each in parts), sum(each.minutes for each in parts))


def newest_clock(streams: Iterable[Stream]) -> float:
    """The event time that several origins have reached together; one stray origin far ahead does not carry it away."""
    every = list(streams)
    trusted = max((stream.clock for stream in every if len(stream.entries) >= STRAYS), default=float("inf"))
    return max((stream.clock for stream in every if stream.clock - trusted <= STRAY), default=float("-inf"))


def _told(side: Side | None) -> dict[str, Any]:
    windows = side.windows(side.clock) if side else dict.fromkeys(WINDOWS, Window(0, 0))
    return {name: {"count": each.number, "mean_delay": _rounded(each.mean)} for name, each in windows.items()}


def _rounded(mean: float | None) -> float | None:
    return None if mean is None else round(mean, 4)


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")


def _missing(what: str, known: list[str]) -> Answer:
    return HTTPStatus.NOT_FOUND, {"error": f"nothing is known about {what}", "known": known}

"""What the consumer knows, for those who ask over HTTP while it goes on."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from contracts import Event, WeatherRead
from contracts.features import KINDS, SIDES, WINDOWS, keys
from contracts.topics import EVENTS, WEATHER
from ingest.broker import Place
from ingest.partition import Partition
from ingest.stream import OUTCOMES, STRAY, STRAYS, Stream
from runtime.web import Answer, Question


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
            sides = {side: self._side(topic, kind, key) for side, topic in SIDES.items()}
        newest = max(clock for clock, _ in sides.values())
        return HTTPStatus.OK, {
            "kind": kind,
            "key": key,
            "time": _instant(newest),
            **{side: windows for side, (_, windows) in sides.items()},
        }

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
                for _, _, event in stream.entries:
                    for kind, key in keys(event):
                        known[kind].add(key)
        return known

    def _side(self, topic: str, kind: str, key: str) -> tuple[float, dict[str, Any]]:
        """Newest event time and windows of one side; minus infinity where it has no event."""
        found = [(stream, _of(stream, kind, key)) for _, stream in self._streams(topic)]
        with_events = [(stream, events) for stream, events in found if events]
        clock = newest_clock(stream for stream, _ in with_events)
        events = [(time, event) for _, events in with_events for time, event in events if time <= clock]
        return clock, {name: _window(events, clock - length) for name, length in WINDOWS.items()}


def _of(stream: Stream, kind: str, key: str) -> list[tuple[float, Event]]:
    """The stream's events that count for a key, with their times."""
    return [(time, event) for time, _, event in stream.entries if (kind, key) in keys(event)]


def newest_clock(streams: Iterable[Stream]) -> float:
    """The event time that several origins have reached together; one stray origin far ahead does not carry it away."""
    every = list(streams)
    trusted = max((stream.clock for stream in every if len(stream.entries) >= STRAYS), default=float("inf"))
    return max((stream.clock for stream in every if stream.clock - trusted <= STRAY), default=float("-inf"))


def _window(events: list[tuple[float, Event]], since: float) -> dict[str, Any]:
    delays = [event.delay for time, event in events if time > since and not isinstance(event, WeatherRead)]
    return {"count": len(delays), "mean_delay": round(sum(delays) / len(delays), 4) if delays else None}


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")


def _missing(what: str, known: list[str]) -> Answer:
    return HTTPStatus.NOT_FOUND, {"error": f"nothing is known about {what}", "known": known}

"""The probe's events: when they happen, so that whatever they pass takes them for the newest of their station.

A probe's event happens when the replay is: one of today would make every feature of 2013 look years old.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from lab.broker import Broker
from lab.errors import NotConverged
from lab.settings import Settings
from lab.text import Text

TOPIC = "weather.read.v1"
STATION = "ZZZ"
"""A station that the data set does not have: its readings are only ever the probe's."""
_BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
"""When the replay begins."""
_LATER = timedelta(seconds=1)
"""From a reading of the probe's station to the next."""


@dataclass(frozen=True)
class Event:
    """An event of the probe: when it was sent and when it happened, what it is known by and says, and where it lies."""

    at: float
    """Seconds since 1970."""
    time: datetime
    trace: str
    identity: str
    degrees: float
    partition: int
    offset: int

    @classmethod
    def send(cls, broker: Broker, time_: datetime) -> Event:
        """Send an event of that time."""
        trace, identity, at = secrets.token_hex(16), f"wx-probe-{secrets.token_hex(6)}", time.time()
        headers = [("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01".encode())]
        when = instant(time_)
        # Drawn anew each time: a value that an earlier probe left behind does not pass for this one's.
        degrees = secrets.randbelow(10_000) / 100
        event = {"type": TOPIC, "id": identity, "time": when, "station": STATION, "temp": degrees}
        place = broker.send(TOPIC, STATION.encode(), json.dumps(event).encode(), headers)
        return cls(at, time_, trace, identity, degrees, *place)


class Turn:
    """The events of one probe: each later than all before, also than those of a probe that was given up for it.

    Of two events at one time the online store has the first, and ingest tells no other.

    Args:
        last: event time of the newest event that was sent before.

    """

    def __init__(self, last: datetime | None = None) -> None:
        self._last = last
        self._over = False
        self._lock = threading.Lock()

    def send(self, broker: Broker, moment: datetime) -> Event:
        """Send an event of this time, or the next one that is free.

        Raises:
            NotConverged: the probe was given up.

        """
        with self._lock:
            if self._over:
                raise NotConverged(Text(en="given up", fr="abandonné"), Text(en="wait", fr="attendez"))
            self._last = max(moment, self._last + _LATER) if self._last else moment
            return Event.send(broker, self._last)

    def next(self) -> Turn:
        """Give the probe up, which sends nothing any more; return the turn of the one after it."""
        with self._lock:
            self._over = True
            return Turn(self._last)


def event_time(web: httpx.Client, settings: Settings, components: Collection[str]) -> datetime | None:
    """Return an event time that is the newest of the probe's station, and never ahead of the replay; None: not yet.

    Ages are judged by the newest event time: a probe of today would make every feature of 2013 look years old. Later
    probes follow the first by a second each: to ingest, one that is days ahead of its station's last is a stray.
    """
    place = f"http://127.0.0.1:{settings.port('ingest')}/weather"

    def newest(station: str) -> datetime:
        return datetime.fromisoformat(web.get(f"{place}/{station}").raise_for_status().json()["time"])

    stations = web.get(place).raise_for_status().json()
    own = newest(STATION) if STATION in stations else None
    replayed = max((newest(each) for each in stations if each != STATION), default=_BEGIN)
    held = _held(web, settings) if "feature" in components else None
    if held and (own is None or own < held) and replayed <= held:
        # The log lost what the online store has, which takes nothing older: the replay has to come there again.
        return None
    return max(own, held or own) + _LATER if own else replayed


def _held(web: httpx.Client, settings: Settings) -> datetime | None:
    """Return the event time of the probe's row in the online store; None: it has none, or does not answer yet."""
    try:
        _station, read = looked_up(web, settings)["results"]
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    return None if read["values"] == [None] else datetime.fromisoformat(read["event_timestamps"][0])


def looked_up(web: httpx.Client, settings: Settings) -> Any:  # noqa: ANN401  JSON
    """Return what the feature service tells of the probe's station."""
    asked = {"features": ["weather_by_origin:weather_temp"], "entities": {"origin": [STATION]}}
    place = f"http://127.0.0.1:{settings.port('feature')}/get-online-features"
    return web.post(place, json=asked).raise_for_status().json()


def instant(time_: datetime) -> str:
    """Return an instant as events have it, to the millisecond."""
    return time_.isoformat(timespec="milliseconds").replace("+00:00", "Z")

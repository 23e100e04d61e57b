"""Records as a broker gives them, for tests that need no broker."""

import datetime as dt
from typing import NamedTuple

from contracts import WeatherRead, encode
from contracts.topics import WEATHER
from runtime.broker import Headers, Place

PLACE = Place(WEATHER, 0)
BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


class Record(NamedTuple):
    """A consumed record, as far as ingest looks at it."""

    offset: int
    value: bytes | None
    headers: Headers
    timestamp: int = 0
    topic: str = WEATHER
    partition: int = 0
    key: bytes | None = b"JFK"


def reading(hour: float, station: str = "JFK", name: str = "") -> WeatherRead:
    """A reading so many hours after the beginning of 2013."""
    return WeatherRead(
        id=name or f"wx-{station}-{hour:08.2f}", time=BEGIN + dt.timedelta(hours=hour), station=station, temp=30.0
    )


def record(offset: int, event: WeatherRead | bytes, stamp: float = 0.0) -> Record:
    """The event's record; bytes stand for themselves."""
    value = event if isinstance(event, bytes) else encode(event)
    return Record(offset, value, [], int(stamp * 1000))

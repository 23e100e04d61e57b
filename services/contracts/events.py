"""Versioned events, as they stand on the wire.

JSON objects, tagged by `type`, no unknown field, no field left out that has no default.

`id` is a function of what happened (the same departure has the same id in every replay), `time` is the event time: when
it happened, not when it was sent.
"""

import datetime as dt
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

Instant = Annotated[dt.datetime, Meta(tz=True, description="instant with its offset, e.g. 2013-01-01T10:17:00Z")]
Identity = Annotated[str, Meta(min_length=8, max_length=64, description="the same happening always has the same id")]
Airport = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="IATA code of an airport")]
Carrier = Annotated[str, Meta(pattern="^[A-Z0-9]{2}$", description="IATA code of an airline")]
FlightNumber = Annotated[int, Meta(ge=1, le=9999)]
TailNumber = Annotated[str, Meta(min_length=3, max_length=8, description="registration of the plane")]
Delay = Annotated[int, Meta(ge=-240, le=2880, description="minutes late; negative: early")]
Miles = Annotated[int, Meta(ge=1, le=10000)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]


class _Flight(Struct, frozen=True, forbid_unknown_fields=True, gc=False, tag_field="type", kw_only=True):
    id: Identity
    time: Instant
    carrier: Carrier
    flight: FlightNumber
    origin: Airport
    dest: Airport
    scheduled: Instant
    """When it should have happened."""
    delay: Delay
    distance: Miles
    tailnum: TailNumber | None = None


class FlightDeparted(_Flight, frozen=True, tag="flight.departed.v1", kw_only=True):
    """A plane left the gate at `origin`. Cancelled flights have no such event."""

    @property
    def key(self) -> str:
        """Record key: everything about one origin stays in order."""
        return self.origin


class FlightArrived(_Flight, frozen=True, tag="flight.arrived.v1", kw_only=True):
    """A plane arrived at the gate of `dest`. Cancelled and diverted flights have no such event."""

    air_time: Minutes | None = None

    @property
    def key(self) -> str:
        """Record key: the origin, as of the departure it belongs to."""
        return self.origin


class WeatherRead(
    Struct, frozen=True, forbid_unknown_fields=True, gc=False, tag_field="type", tag="weather.read.v1", kw_only=True
):
    """An hourly reading of a weather station; an instrument that failed leaves its field out."""

    id: Identity
    time: Instant
    station: Airport
    temp: Annotated[float, Meta(ge=-60, le=140, description="degrees Fahrenheit")] | None = None
    dewp: Annotated[float, Meta(ge=-80, le=100, description="dew point, degrees Fahrenheit")] | None = None
    humid: Annotated[float, Meta(ge=0, le=100, description="relative humidity, percent")] | None = None
    wind_dir: Annotated[int, Meta(ge=0, le=360, description="degrees")] | None = None
    wind_speed: Annotated[float, Meta(ge=0, description="miles per hour; the data has one reading of 1048")] | None = (
        None
    )
    wind_gust: Annotated[float, Meta(ge=0, description="miles per hour")] | None = None
    precip: Annotated[float, Meta(ge=0, description="inches")] | None = None
    pressure: Annotated[float, Meta(ge=850, le=1100, description="millibars")] | None = None
    visib: Annotated[float, Meta(ge=0, description="miles")] | None = None

    @property
    def key(self) -> str:
        """Record key: the station."""
        return self.station


Event: TypeAlias = FlightDeparted | FlightArrived | WeatherRead

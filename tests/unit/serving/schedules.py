"""A small timetable: one day of a few routes, and instants of it."""

import datetime as dt
from pathlib import Path

from contracts import timetables
from contracts.timetables import Scheduled
from serving.flights.timetable import Timetable

DAY = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)


def at(hour: float, day: dt.datetime = DAY) -> int:
    """Return an hour of a day, seconds since the epoch."""
    return int((day + dt.timedelta(hours=hour)).timestamp())


def scheduled(  # noqa: PLR0913  a flight has so many sides
    hour: float, carrier: str, flight: int, *, origin: str = "JFK", dest: str = "LAX", tailnum: str | None = None,
    minutes: int = 360,
) -> Scheduled:  # fmt: skip
    """Return a flight of the day."""
    return Scheduled(at(hour) // 60, minutes, "2013-01-01", carrier, flight, origin, dest, tailnum)


FLIGHTS = (
    scheduled(12, "UA", 1, tailnum="N100"),
    scheduled(13, "B6", 2, tailnum="N200"),
    scheduled(14, "DL", 3, tailnum="N300", minutes=300),
    scheduled(18.5, "UA", 4),
    scheduled(13, "UA", 5, origin="EWR"),
    scheduled(13, "AA", 6, dest="SFO"),
)


def timetable(folder: Path) -> Timetable:
    """Return it, from a file."""
    timetables.write(FLIGHTS, folder / "timetable.gz")
    return Timetable.load(folder / "timetable.gz")

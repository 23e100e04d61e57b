"""The timetable: which flights leave on a route in the next hours, and what is known of one before it leaves.

The replay repeats its year every 365 days, with ids of its own each time; what is looked up in a later year is found in
the one that the file has.
"""

import bisect
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from contracts import timetables
from contracts.predictions import flight_id
from contracts.timetables import BadTimetable, Header, Rows
from runtime.errors import BadSetting
from serving.errors import FlightWrong

_MINUTE = 60
_YEAR = 365 * 24 * 60
"""Minutes after which the replay begins anew."""


class Flight(NamedTuple):
    """A flight that is to leave.

    Attributes:
        id: of its arrival, as in `flight.arrived.v1`.
        departure: scheduled, seconds since the epoch.
        arrival: the same.
    """

    id: str
    carrier: str
    flight: int
    origin: str
    dest: str
    tailnum: str | None
    departure: int
    arrival: int


class Timetable:
    """Flights by route and departure; some 16 bytes of memory for each.

    Args:
        header: names.
        rows: ordered by route and departure.
    """

    def __init__(self, header: Header, rows: Rows) -> None:
        self._header = header
        self._rows = rows
        self._departures = rows["departure"]
        self._places = {name: place for place, name in enumerate(header.routes)}
        self._bounds = [int(each) for each in rows["route"].searchsorted(range(len(header.routes) + 1))]
        self._begin = int(self._departures.min()) if len(rows) else 0
        self._dests: dict[str, list[str]] = {}
        for name in header.routes:
            origin, _, dest = name.partition("-")
            self._dests.setdefault(origin, []).append(dest)

    @classmethod
    def load(cls, file: Path) -> Self:
        """The timetable in a file.

        Raises:
            BadSetting: it is none.
        """
        try:
            return cls(*timetables.read(file))
        except BadTimetable as failure:
            remedy = "set TARMAC_TIMETABLE to a file that `python -m ingest.timetable` made, or to nothing"
            raise BadSetting(str(failure), remedy) from None

    def check(self, origin: str, dest: str) -> None:
        """Make sure that there is such a route.

        Raises:
            FlightWrong: nothing leaves there, or nothing goes from there to that destination.
        """
        if origin not in self._dests:
            raise FlightWrong(f"origin {origin}: no flight leaves there", f"give one of {', '.join(self._dests)}")
        if dest not in self._dests[origin]:
            known = ", ".join(self._dests[origin])
            raise FlightWrong(f"dest {dest}: no flight goes there from {origin}", f"give one of {known}")

    def find(self, carrier: str, flight: int, origin: str, dest: str, departure: int) -> Flight | None:
        """The flight of that number that is to leave then, seconds since the epoch; None where there is none."""
        found = self._between(f"{origin}-{dest}", departure // _MINUTE, departure // _MINUTE + 1)
        return next((each for each in found if (each.carrier, each.flight) == (carrier, flight)), None)

    def after(self, origin: str, dest: str, departure: int, hours: float) -> list[Flight]:
        """Flights of a route in order of their departure, from one instant on and for so many hours."""
        begin = -(-departure // _MINUTE)
        return list(self._between(f"{origin}-{dest}", begin, begin + round(hours * 60)))

    def _between(self, route: str, begin: int, end: int) -> Iterator[Flight]:
        """Flights that leave at minutes begin … end-1."""
        place = self._places.get(route)
        if place is None:
            return
        low, high = self._bounds[place : place + 2]
        first = max((begin - self._begin) // _YEAR, 0)
        for loop in range(first, max((end - 1 - self._begin) // _YEAR, -1) + 1):
            since, until = (
                bisect.bisect_left(self._departures, minute - loop * _YEAR, low, high) for minute in (begin, end)
            )
            yield from (self._flight(row, loop) for row in range(since, until))

    def _flight(self, at: int, loop: int) -> Flight:
        header, row = self._header, self._rows[at]
        carrier, flight = header.carriers[row["carrier"]], int(row["flight"])
        origin, _, dest = header.routes[row["route"]].partition("-")
        departure = (int(row["departure"]) + loop * _YEAR) * _MINUTE
        return Flight(
            id=flight_id(header.days[row["day"]], carrier, flight, origin, loop),
            carrier=carrier,
            flight=flight,
            origin=origin,
            dest=dest,
            tailnum=header.tails[row["tail"]] or None,
            departure=departure,
            arrival=departure + int(row["minutes"]) * _MINUTE,
        )


def instant(seconds: float) -> dt.datetime:
    """An instant, from seconds since the epoch."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)

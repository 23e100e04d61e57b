"""What a site learns from: the flights of its own origin, as far as its history goes."""

import zlib
from collections.abc import Iterator

from contracts import FlightArrived, FlightDeparted
from patterns.federated import Flights, flights
from patterns.lake import Lake

HISTORY: dict[str, tuple[int, int]] = {"EWR": (6000, 19), "JFK": (1500, 1), "LGA": (400, 1)}
"""Station -> (flights in its history, one of how many it kept). EWR has recorded a sample of the whole year; the
other two began on New Year's Day and have only their first flights."""

_CALM = 10.0  # miles per hour, until the station's first reading

Row = tuple[float, float, float, float, float]


def history(lake: Lake, station: str) -> Flights:
    """The station's flights, from one pass over what it knows by itself.

    Raises:
        LakeMissing: the packed file cannot be read.
    """
    return flights(list(_rows(lake, station, *HISTORY[station])))


def _rows(lake: Lake, station: str, limit: int, one_of: int) -> Iterator[Row]:
    wind = _CALM
    left: dict[str, tuple[float, float, float, float]] = {}
    for event in lake.of_origin(station, lambda name: zlib.crc32(name) % one_of == 0):
        if isinstance(event, FlightDeparted):
            left[event.id.removeprefix("dep-")] = (event.delay, event.distance, _local_hour(event), wind)
        elif isinstance(event, FlightArrived):
            known = left.pop(event.id.removeprefix("arr-"), None)
            if known:
                yield (*known, event.delay)
                limit -= 1
                if not limit:
                    return
        elif event.wind_speed is not None:
            wind = min(event.wind_speed, 60.0)  # the data has one reading of 1048


def _local_hour(departed: FlightDeparted) -> float:
    """Hour of the day in New York's winter: the hour matters, summer time hardly."""
    return (departed.scheduled.hour + departed.scheduled.minute / 60 - 5) % 24

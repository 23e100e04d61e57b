"""The timetable of the data set's year as a file: which flights were to leave when, those that never did among them.

Ingest makes it of the same rows as its replay, serving looks alternatives up in it. A first line of JSON names what
the columns' numbers stand for, then come the rows, 15 bytes each, ordered by route and scheduled departure; all of it
gzipped.
"""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

FORMAT = 1
ROW = np.dtype(
    [
        ("route", "<u2"), ("departure", "<i4"), ("minutes", "<u2"), ("carrier", "u1"), ("flight", "<u2"),
        ("tail", "<u2"), ("day", "<u2"),
    ]
)  # fmt: skip
"""A flight: route, scheduled departure (minutes since the epoch), minutes until the scheduled arrival, carrier, number,
tail number, local day of the departure; those that are names, by their place in the header."""
NO_TAIL = ""
"""Name of the tail number of a flight that has none."""

Rows = np.ndarray[Any, np.dtype[Any]]


class Scheduled(NamedTuple):
    """A flight as the timetable has it.

    Attributes:
        departure: scheduled, minutes since the epoch.
        minutes: from there to the scheduled arrival.
        day: local day of the departure, `2013-01-31`.
        tailnum: of the plane that was to fly, or None.
    """

    departure: int
    minutes: int
    day: str
    carrier: str
    flight: int
    origin: str
    dest: str
    tailnum: str | None


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """First line of the file."""

    format: int = FORMAT
    flights: int
    routes: tuple[str, ...]
    """`JFK-LAX`."""
    carriers: tuple[str, ...]
    tails: tuple[str, ...]
    days: tuple[str, ...]


class BadTimetable(ValueError):
    """A file that is no timetable."""


def write(flights: Sequence[Scheduled], file: Path) -> int:
    """Write a timetable; the same flights give the same bytes. How many there are."""
    routes = _names(f"{each.origin}-{each.dest}" for each in flights)
    carriers = _names(each.carrier for each in flights)
    tails = _names(each.tailnum or NO_TAIL for each in flights)
    days = _names(each.day for each in flights)
    rows = np.array(
        [
            (
                routes[f"{each.origin}-{each.dest}"], each.departure, each.minutes, carriers[each.carrier],
                each.flight, tails[each.tailnum or NO_TAIL], days[each.day],
            )
            for each in flights
        ],
        ROW,
    )  # fmt: skip
    rows.sort(order=["route", "departure", "carrier", "flight"], kind="stable")
    header = Header(
        flights=len(rows), routes=tuple(routes), carriers=tuple(carriers), tails=tuple(tails), days=tuple(days)
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    # No time and no name in the gzip header: the same flights make the same file, and so the same image.
    with file.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(msgspec.json.encode(header) + b"\n")
        packed.write(rows.tobytes())
    return len(rows)


def read(file: Path) -> tuple[Header, Rows]:
    """What a file holds.

    Raises:
        BadTimetable: it is missing, cut off or something else.
    """
    try:
        with gzip.open(file) as lines:
            header = msgspec.json.decode(lines.readline(), type=Header)
            content = lines.read()
    except (OSError, EOFError, msgspec.DecodeError) as failure:
        raise BadTimetable(f"timetable {file} cannot be read: {failure}") from None
    if header.format != FORMAT:
        raise BadTimetable(f"timetable {file} has format {header.format}, not {FORMAT}")
    if len(content) != header.flights * ROW.itemsize:
        raise BadTimetable(f"timetable {file} is cut off: {len(content)} bytes for {header.flights} flights")
    return header, np.frombuffer(content, ROW)


def _names(words: Iterable[str]) -> dict[str, int]:
    """Each name's place in the order of the names."""
    return {name: place for place, name in enumerate(sorted(set(words)))}

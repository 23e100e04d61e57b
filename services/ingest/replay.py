"""The replay file, and the plan that is read from it: every event once, in event-time order, with its place.

The file holds the wire form of each event, one per line, gzipped, after a first line that says what is in it. Reading
is a stream: a few MiB of memory however long the year.
"""

import datetime as dt
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from contracts import Event, Reader, encode
from contracts.topics import EVENTS
from ingest.errors import BadData

FORMAT = 1
YEAR = dt.timedelta(days=365)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First line of the file."""

    format: int
    events: int


class _Outline(msgspec.Struct, gc=False):
    """What the plan needs of an event; the whole of it was checked when the file was written."""

    time: dt.datetime
    origin: str = ""
    station: str = ""


_outline = msgspec.json.Decoder(_Outline).decode


class Planned(NamedTuple):
    """One event to send."""

    place: int
    """Position in the whole replay, loops included: 0, 1, 2, …"""
    topic: str
    key: str
    time: float
    """Event time, seconds since the epoch."""
    value: bytes


def write(events: Iterable[Event], file: Path) -> int:
    """Make the replay file; the number of events in it.

    Raises:
        Invalid: an event breaks its contract (each one is read back as a consumer would).
    """
    readers = {topic: Reader(topic) for topic in EVENTS}
    lines = []
    for event in events:
        line = encode(event)
        readers[topic_of(line)].read(line)
        lines.append(line)
    file.parent.mkdir(parents=True, exist_ok=True)
    # No time and no name in the gzip header: the same data make the same file, and so the same image.
    with file.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(msgspec.json.encode(Header(FORMAT, len(lines))) + b"\n")
        packed.writelines(line + b"\n" for line in lines)
    return len(lines)


def topic_of(line: bytes) -> str:
    """The topic of an event in wire form; our encoder writes the tag first."""
    return line[9 : line.index(b'"', 9)].decode()


class Replay:
    """The plan: which events, in which order.

    Args:
        file: a replay file.
        start: events before it are left out.
        limit: events in all; 0: all.
        loops: times the year is replayed; 0: for ever.

    Raises:
        BadData: the file is missing or no replay file.
    """

    def __init__(self, file: Path, start: dt.datetime, limit: int = 0, loops: int = 1) -> None:
        self._file = file
        self._start = start.timestamp()
        self._limit = limit
        self._loops = loops
        self.events_in_file = self._header().events
        self._decode = {topic: Reader(topic).decode for topic in EVENTS}

    def __iter__(self) -> Iterator[Planned]:
        return self.plan(0)

    def plan(self, begin: int) -> Iterator[Planned]:
        """The plan; whole loops before the place `begin` may be left out, where no limit has to be counted."""
        left = self._limit or -1
        for planned in self._all(self._skipped(begin)):
            if planned.time >= self._start:
                if left == 0:
                    return
                left -= 1
                yield planned

    def before(self, begin: int) -> int:
        """How many events `plan(begin)` leaves out."""
        loops = self._skipped(begin)
        return loops * self.events_in_file - next(iter(self)).place if loops else 0

    def _skipped(self, begin: int) -> int:
        return 0 if self._limit else max(begin, 0) // max(self.events_in_file, 1)

    def total(self) -> int | None:
        """Events in all; None for a replay without end."""
        if self._limit or not self._loops:
            return self._limit or None
        last = self.events_in_file * self._loops
        first = next((planned.place for planned in self), last)
        return last - first

    def _header(self) -> Header:
        remedy = "make it with `python -m ingest pack CSV_FOLDER FILE`"
        try:
            with gzip.open(self._file) as lines:
                header = msgspec.json.decode(lines.readline(), type=Header)
        except (OSError, EOFError, msgspec.DecodeError) as failure:
            raise BadData(f"replay file {self._file} cannot be read: {failure}", remedy) from None
        if header.format != FORMAT:
            raise BadData(f"replay file {self._file} has format {header.format}, not {FORMAT}", remedy)
        return header

    def _all(self, loop: int) -> Iterator[Planned]:
        while loop < self._loops or not self._loops:
            yield from self._once(loop)
            loop += 1

    def _once(self, loop: int) -> Iterator[Planned]:
        place = loop * self.events_in_file
        with gzip.open(self._file) as lines:
            lines.readline()
            for line in lines:
                value = line.rstrip(b"\n")
                topic = topic_of(value)
                if loop:
                    value = encode(later(self._decode[topic](value), loop))
                outline = _outline(value)
                yield Planned(place, topic, outline.origin or outline.station, outline.time.timestamp(), value)
                place += 1


def later(event: Event, loop: int) -> Event:
    """The same happening in a later loop: other times, another id, all else equal."""
    changed = {"id": f"{event.id}+{loop}", "time": event.time + loop * YEAR}
    if hasattr(event, "scheduled"):
        changed["scheduled"] = event.scheduled + loop * YEAR
    return msgspec.structs.replace(event, **changed)

"""The lake: the year's events in one packed file, read as a stream - a few MiB of memory however long the year."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from contracts import FlightArrived, FlightDeparted, Reader, WeatherRead
from contracts.topics import ARRIVED, DEPARTED, WEATHER
from runtime.errors import Permanent

DATA = "/opt/tarmac/data/flights.jsonl.gz"
"""Where the image holds the file."""


class LakeMissing(Permanent):
    """The packed file is not there or cannot be read."""


class Lake:
    """The events of the packed file in event-time order.

    Args:
        file: gzipped JSON lines; the first says what is in it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._arrived = Reader(ARRIVED).decode
        self._departed = Reader(DEPARTED).decode
        self._weather = Reader(WEATHER).decode

    def arrivals(self) -> Iterator[tuple[bytes, FlightArrived]]:
        """Every arrival: as it stands on the wire, and read.

        Raises:
            LakeMissing: the file cannot be read.
        """
        for line in self._lines(ARRIVED):
            event = self._arrived(line)
            assert isinstance(event, FlightArrived)  # noqa: S101  the decoder reads nothing else
            yield line, event

    def weather(self, station: str) -> Iterator[bytes]:
        """Readings of one station, as they stand on the wire.

        Raises:
            LakeMissing: the file cannot be read.
        """
        mark = f'"station":"{station}"'.encode()
        return (line for line in self._lines(WEATHER) if mark in line)

    def of_origin(
        self, origin: str, wanted: Callable[[bytes], bool]
    ) -> Iterator[FlightDeparted | FlightArrived | WeatherRead]:
        """What one airport knows by itself: departures from it, their arrivals, and its weather.

        Args:
            origin: the airport.
            wanted: whether a flight, by its name such as 2013-01-01-UA-1545-EWR, is to be read at all.

        Raises:
            LakeMissing: the file cannot be read.
        """
        flight, station = f'-{origin}"'.encode(), f'"station":"{origin}"'.encode()
        departed, arrived = _tag(DEPARTED) + b',"id":"dep-', _tag(ARRIVED) + b',"id":"arr-'
        for line in self._all():
            begin = len(departed) if line.startswith(departed) else len(arrived) if line.startswith(arrived) else 0
            if begin:
                name = line[begin : line.index(b'"', begin) + 1]
                if name.endswith(flight) and wanted(name[:-1]):
                    yield self._departed(line) if line.startswith(departed) else self._arrived(line)
            elif station in line:
                yield self._weather(line)

    def _lines(self, topic: str) -> Iterator[bytes]:
        tag = _tag(topic)
        return (line for line in self._all() if line.startswith(tag))

    def _all(self) -> Iterator[bytes]:
        try:
            with gzip.open(self.file) as lines:
                next(lines)
                for line in lines:
                    yield line.rstrip(b"\n")
        except (OSError, EOFError, StopIteration) as failure:
            what = f"packed file {self.file} cannot be read: {failure}"
            raise LakeMissing(what, "point TARMAC_DATA to the file in the image") from None


def _tag(topic: str) -> bytes:
    """How a line of the topic's events begins: the encoder writes the tag first."""
    return f'{{"type":"{topic}"'.encode()

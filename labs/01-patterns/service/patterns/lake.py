"""The lake: the year's events in one packed file, read as a stream - a few MiB of memory however long the year."""

import gzip
from collections.abc import Iterator
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

    def weather(self, station: str, after: int = 0) -> Iterator[WeatherRead]:
        """Readings of one station; the first `after` are left out unread.

        Raises:
            LakeMissing: the file cannot be read.
        """
        mark = f'"station":"{station}"'.encode()
        for line in self._lines(WEATHER):
            if mark in line:
                if after:
                    after -= 1
                    continue
                event = self._weather(line)
                assert isinstance(event, WeatherRead)  # noqa: S101  the decoder reads nothing else
                yield event

    def of_origin(self, origin: str) -> Iterator[FlightDeparted | FlightArrived | WeatherRead]:
        """What one airport knows by itself: departures from it, their arrivals, and its weather.

        Raises:
            LakeMissing: the file cannot be read.
        """
        marks = f'"origin":"{origin}"'.encode(), f'"station":"{origin}"'.encode()
        readers = {_tag(DEPARTED): self._departed, _tag(ARRIVED): self._arrived, _tag(WEATHER): self._weather}
        for line in self._all():
            if marks[0] in line or marks[1] in line:
                yield readers[line[: line.index(b'"', 9) + 1]](line)

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

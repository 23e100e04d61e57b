"""The three modes of processing: one answer, shown at different times, and found again after a loss."""

import datetime as dt
import gzip
import threading
from typing import Any

import pytest

from contracts import FlightArrived, encode
from patterns.broker import Record
from patterns.modes import RUN, BatchMode, MicroBatchMode, Mode, StreamingMode

_SENT = 1_000_000  # milliseconds since the epoch: when the first event was sent, one more each


def value(number: int) -> bytes:
    """An arrival as on the wire."""
    scheduled = dt.datetime(2013, 1 + number % 12, 1, tzinfo=dt.UTC)
    event = FlightArrived(
        id=f"arr-2013-01-01-UA-{number + 1}-JFK",
        time=scheduled,
        scheduled=scheduled,
        delay=number % 40,
        carrier=("UA", "AA")[number % 2],
        flight=number + 1,
        origin="JFK",
        dest="LAX",
        distance=2475,
    )
    return encode(event)


class Topic:
    """The topic at the wire: one record of another run first, then this run's, a few at a time."""

    def __init__(self, count: int, at_once: int) -> None:
        self.records = [record(0, b"other"), *(record(number, b"this") for number in range(1, count + 1))]
        self.at_once = at_once
        self.place = 0
        self.committed: list[int] = []

    def seek(self, _topic: str, _partition: int, offset: int) -> None:
        """Read on from there."""
        self.place = offset

    def poll(self, _seconds: float) -> list[Record]:
        """The next few."""
        found = self.records[self.place : self.place + self.at_once]
        self.place += len(found)
        return found

    def commit(self) -> bool:
        """Note the place."""
        self.committed.append(self.place)
        return True


def record(number: int, run: bytes) -> Record:
    """A record of the topic."""
    return Record("lab-01.modes", 0, number, None, value(number), [(RUN, run)], _SENT + number)


def finished(mode: Mode, count: int) -> Mode:
    """The mode after it had all events."""
    mode.expected = count
    mode.all_sent.set()
    mode.work()
    return mode


def modes(count: int) -> dict[str, tuple[Mode, Topic]]:
    """All three over the same events."""
    topics: list[Any] = [Topic(count, at_once) for at_once in (50, 50, 3)]
    batch = BatchMode()
    lines = [b"%.3f %s\n" % ((_SENT + n) / 1000, value(n)) for n in range(1, count + 1)]
    batch.landed = gzip.compress(b"".join(lines))
    made: list[Mode] = [batch, MicroBatchMode(topics[1], b"this", 0, 2.0), StreamingMode(topics[2], b"this", 0)]
    return {mode.name: (mode, topic) for mode, topic in zip(made, topics, strict=True)}


def test_all_modes_give_the_same_view_and_give_it_again_after_a_loss() -> None:
    """Batch, micro-batch and streaming agree to the last byte; each finds its view again from where events are kept."""
    digests = set()
    for mode, _ in modes(200).values():
        first = finished(mode, 200).digest()
        mode.reset()
        assert mode.view == {}
        assert finished(mode, 200).digest() == first
        assert mode.events == 200
        digests.add(first)
    assert len(digests) == 1


def test_streaming_commits_with_every_handful_and_micro_batch_once_for_all() -> None:
    """What costs streaming its CPU is real: a publication per event, a commit per handful."""
    made = modes(200)
    streaming, few = made["streaming"]
    micro, many = made["micro-batch"]
    finished(streaming, 200)
    finished(micro, 200)
    assert streaming.commits == len(few.committed) == 67
    assert micro.commits == len(many.committed) == 1
    assert few.committed[-1] == many.committed[-1] == 201


def test_a_window_shows_nothing_before_it_closes() -> None:
    """Micro-batch is as stale as its window: its view stays empty until then, and its staleness grows."""
    clock = [100.0]
    topic: Any = Topic(5, 50)
    mode = MicroBatchMode(topic, b"this", 0, 2.0, clock=lambda: clock[0])
    mode.all_sent = _Never()
    mode.step()
    clock[0] = 101.9
    mode.step()
    assert mode.view == {}
    assert mode.staleness(mode.begun + 7) == 7
    clock[0] = 102.0
    mode.step()
    assert len(mode.view) == 5
    assert mode.staleness(_SENT / 1000 + 3) == pytest.approx(3 - 0.005)


class _Never(threading.Event):
    """A producer that goes on: waiting for its end takes no time here."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  the base class' name
        """Not yet."""
        return False

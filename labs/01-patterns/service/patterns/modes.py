"""Three modes of processing that answer one question from the same events, and how old what each shows is.

BatchMode        waits until all has landed in a file, computes once
MicroBatchMode   collects a window from the broker, computes, publishes, commits; again and again
StreamingMode    computes, publishes and commits as each event comes from the broker

A mode runs in a thread of its own and counts that thread's CPU time. What it shows is `view`: bytes that readers get.
"""

import gzip
import io
import threading
import time
from collections.abc import Callable
from typing import ClassVar

from contracts import FlightArrived
from contracts import Reader as Decoder
from contracts.topics import ARRIVED
from patterns.broker import Reader, Record
from patterns.punctuality import Key, Table, digest
from runtime.errors import Temporary

TOPIC = "lab-01.modes"
RUN = "run"
"""Header that tells one run's events from another's."""

_POLL = 0.05  # seconds that a mode waits for records at once
_PATIENCE = 0.5  # seconds that a closed window waits for its last events
_DEADLINE = 15.0  # seconds after the last event within which a mode must have it


class ModeLate(Temporary):
    """A mode did not get all events in time."""


class Mode:
    """One mode over the events of one run."""

    name: ClassVar[str] = ""

    def __init__(self) -> None:
        self._decode = Decoder(ARRIVED).decode
        self.all_sent = threading.Event()
        """Set by the producer after its last event."""
        self.expected = 0
        """Events in all; holds once `all_sent` is set."""
        self.begun = time.time()
        self.reset()

    def reset(self) -> None:
        """Drop all state, and begin again with the run's first event."""
        self._table = Table()
        self._touched: set[Key] = set()
        self._pending: list[float] = []
        self.view: dict[Key, bytes] = {}
        self.shown_until = 0.0
        """When the newest event in the view was sent, seconds since the epoch; 0: the view is empty."""
        self.latencies: list[float] = []
        """Seconds from sending an event to showing it."""
        self.events = 0
        self.commits = 0
        self.cpu = 0.0
        """Seconds of CPU of the thread that worked."""

    def work(self) -> None:
        """Work until every event is in the view.

        Raises:
            ModeLate: they do not come.
        """
        cpu = time.thread_time()
        deadline = float("inf")
        self.begun = time.time()
        while not self.complete() or self._pending:
            if self.all_sent.is_set():
                deadline = min(deadline, time.monotonic() + _DEADLINE)
            if time.monotonic() > deadline:
                what = f"{self.name} has {self.events} of {self.expected} events"
                raise ModeLate(what, f"see that topic {TOPIC} keeps records for an hour")
            self.step()
            self.cpu = time.thread_time() - cpu

    def step(self) -> None:
        """Do one turn of the mode's work."""
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect."""

    def complete(self) -> bool:
        """Whether all events of the run have been counted."""
        return self.all_sent.is_set() and self.events >= self.expected

    def staleness(self, now: float) -> float:
        """Seconds since the newest event that is shown was sent; since the beginning where nothing is shown yet."""
        return now - (self.shown_until or self.begun)

    def digest(self) -> str:
        """Of what is shown."""
        return digest(self.view)

    def take(self, sent: float, value: bytes) -> None:
        """Count one event; it is not shown yet."""
        event = self._decode(value)
        assert isinstance(event, FlightArrived)  # noqa: S101  the decoder reads nothing else
        self._touched.add(self._table.add(event))
        self._pending.append(sent)
        self.events += 1

    def publish(self) -> None:
        """Show what was counted."""
        self.view.update(self._table.published(self._touched))
        now = time.time()
        self.latencies.extend(now - sent for sent in self._pending)
        self.shown_until = max(self.shown_until, self._pending[-1])
        self._touched.clear()
        self._pending.clear()


class BatchMode(Mode):
    """Sleeps until all events have landed in a file, then computes once: no broker, no place to commit but the end."""

    name = "batch"

    def __init__(self) -> None:
        super().__init__()
        self.landed = b""
        """The run's events as a file in the lake: gzipped lines, each the seconds at which an event was sent, and the
        event. The producer puts it there before `all_sent`."""

    def step(self) -> None:
        """See Mode.step."""
        if not self.all_sent.wait(30):
            return
        with gzip.open(io.BytesIO(self.landed)) as lines:
            for line in lines:
                sent, _, value = line.rstrip(b"\n").partition(b" ")
                self.take(float(sent), value)
        if self._pending:
            self.publish()
        self.commits += 1


class ReadingMode(Mode):
    """A mode that reads from the broker.

    Args:
        reader: reads topic `lab-01.modes`, which nobody else commits for; the mode closes it.
        run: value of header `run`.
        first: offset of the run's first event.
    """

    def __init__(self, reader: Reader, run: bytes, first: int) -> None:
        self._reader = reader
        self._run = run
        self._first = first
        super().__init__()

    def reset(self) -> None:
        """See Mode.reset."""
        super().reset()
        self._reader.seek(TOPIC, 0, self._first)

    def close(self) -> None:
        """See Mode.close."""
        self._reader.close()

    def receive(self) -> list[Record]:
        """The run's next events, if any come soon."""
        return [record for record in self._reader.poll(_POLL) if (RUN, self._run) in record.headers]

    def commit(self) -> None:
        """Make the place durable."""
        self._reader.commit()
        self.commits += 1


class MicroBatchMode(ReadingMode):
    """Collects events for `window` seconds, then computes, publishes the table and commits, once for all of them."""

    name = "micro-batch"

    def __init__(
        self, reader: Reader, run: bytes, first: int, window: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(reader, run, first)
        self._window = window
        self._clock = clock
        self._closes: float | None = None

    def step(self) -> None:
        """See Mode.step."""
        now = self._clock()
        self._closes = self._closes or now + self._window
        if now < self._closes and not self.all_sent.wait(min(self._closes - now, 0.5)):
            return
        self._closes += self._window
        self._collect(time.time())
        if self._pending:
            self._touched.update(self._table.cells)  # a window's result replaces the last one's as a whole
            self.publish()
            self.commit()

    def _collect(self, until: float) -> None:
        """Take what was sent before `until`, and what came with it; a broker that is slow is waited for a little."""
        patience = time.monotonic() + min(_PATIENCE, self._window / 2)
        newest = 0.0
        while newest < until and not self.complete() and time.monotonic() < patience:
            for record in self.receive():
                newest = record.timestamp / 1000
                self.take(newest, record.value)


class StreamingMode(ReadingMode):
    """Shows every event as it comes, and commits the place at once: events come one by one, or a few together."""

    name = "streaming"

    def step(self) -> None:
        """See Mode.step."""
        records = self.receive()
        for record in records:
            self.take(record.timestamp / 1000, record.value)
            self.publish()
        if records:
            self.commit()

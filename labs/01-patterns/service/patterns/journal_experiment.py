"""Experiment `event-sourcing`: write a history, drop the read model, rebuild it from what the journal holds."""

import random
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from patterns.broker import Admin, Reader, Sender
from patterns.journal import TOPIC, Entry, Seats, decode, encode, folded, history
from patterns.stopwatch import Spent, Stopwatch
from runtime.process import Stop

_BOOKINGS = 1200
_ROLL_SECONDS = 1.3  # a segment older than segment.ms is closed by the next record; only closed ones are compacted
_CLEANING_SECONDS = 20.0  # the broker's cleaner looks every 15 s
_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 3.0  # without a record the journal has no more to give: it was cut by age, mark and all
_MARK = b'{"type":"mark"}'  # no entry: it shows where a run ends

SEGMENT_MS = 1000


def configure(servers: str, stop: Stop, cleanup: str, retention_ms: int) -> None:
    """Give the journal's topic its configuration.

    Raises:
        BrokerUnavailable: the broker is away or the topic is not declared.
    """
    admin = Admin(servers, stop)
    try:
        config = {
            "cleanup.policy": cleanup,
            "retention.ms": str(retention_ms),
            # What a policy takes away should be gone while the trainee still looks, not next week.
            "segment.ms": str(SEGMENT_MS),
            "min.cleanable.dirty.ratio": "0.01",
        }
        admin.alter_topic(TOPIC, config)
    finally:
        admin.close()


class JournalExperiment:
    """One run: call `experiment` once, then `close`.

    Args:
        cleanup, retention_ms: what `configure` gave to the topic.
    """

    def __init__(self, servers: str, stop: Stop, cleanup: str, retention_ms: int) -> None:
        self._servers = servers
        self._stop = stop
        self._cleanup = cleanup
        self._retention_ms = retention_ms
        self._run = uuid.uuid4().hex
        self._sender = Sender(servers, stop)

    def experiment(self) -> dict[str, Any]:
        """Write, fold, drop, wait for the broker to clean where it does, rebuild, compare; the result.

        Raises:
            BrokerUnavailable: the broker is away.
        """
        begun = time.monotonic()
        entries = list(history(self._run, _BOOKINGS, random.Random(self._run)))  # noqa: S311  no secret: a made-up day
        first, writing = self._write(entries)
        before = folded(entries).digest()
        end = self._settle(first, len(entries))
        rebuilding = Stopwatch()
        model, held = self._rebuild(first, end)
        spent = rebuilding.read()
        return {
            "name": "event-sourcing",
            "settings": {"cleanup": self._cleanup, "retention_ms": self._retention_ms},
            "seconds": round(time.monotonic() - begun, 2),
            "written": len(entries),
            "held": held,
            "orphans": model.orphans,
            "before": before,
            "rebuilt": model.digest(),
            "rebuild_seconds": round(spent.seconds, 3),
            "agree": before == model.digest(),
            "figures": [_figures(writing, len(entries), spent, held)],
        }

    def close(self) -> None:
        """Disconnect."""
        self._sender.close()

    def _write(self, entries: Sequence[Entry]) -> tuple[int, Spent]:
        """Append the entries; the offset of the first, and what it took until all were acknowledged."""
        first = self._end()
        watch = Stopwatch()
        for entry in entries:
            self._sender.send(TOPIC, encode(entry), entry.booking.encode(), partition=0)
        self._sender.flush(15)
        return first, watch.read()

    def _settle(self, first: int, written: int) -> int:
        """Close the run with a mark, and give a broker that compacts the time to do so; the offset after the mark."""
        compacts = self._cleanup == "compact"
        if compacts:
            self._stop.wait(_ROLL_SECONDS)
        self._sender.send(TOPIC, _MARK, self._run.encode(), partition=0)
        self._sender.flush(15)
        end = self._end()
        until = time.monotonic() + _CLEANING_SECONDS
        while compacts and time.monotonic() < until and not self._stop.wait(_LOOK_SECONDS):
            if sum(1 for _ in self._held(first, end)) < written:
                break
        return end

    def _end(self) -> int:
        admin = Admin(self._servers, self._stop)
        try:
            return admin.ends(TOPIC)[0]
        finally:
            admin.close()

    def _rebuild(self, first: int, end: int) -> tuple[Seats, int]:
        """The read model from what the journal holds of this run, and how many entries those are."""
        model = Seats()
        held = 0
        for entry in self._held(first, end):
            model.apply(entry)
            held += 1
        return model, held

    def _held(self, first: int, end: int) -> Iterator[Entry]:
        """This run's entries among the records that can be read from offset `first` to the mark before `end`."""
        reader = Reader(self._servers, [TOPIC], self._stop)
        try:
            reader.seek(TOPIC, 0, first)
            last, place = time.monotonic(), first
            while place < end and time.monotonic() - last < _QUIET_SECONDS:
                for record in reader.poll(0.2):
                    last, place = time.monotonic(), record.offset + 1
                    entry = decode(record.value)
                    if entry is not None and entry.run == self._run:
                        yield entry
        finally:
            reader.close()


def _figures(writing: Spent, written: int, rebuilding: Spent, held: int) -> dict[str, Any]:
    return {
        "pattern": "event-sourcing",
        "use_case": "recommendation",
        "latency_ms": round(1000 * writing.seconds / written, 3),
        "latency_p95_ms": None,
        "staleness_s": None,
        "throughput_per_s": round(held / rebuilding.seconds, 1),
        "cpu_s_per_1000": round(1000 * rebuilding.cpu / max(held, 1), 4),
        "recovery_s": round(rebuilding.seconds, 3),
    }

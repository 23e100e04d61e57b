"""Experiment `processing-modes`: real arrivals at a steady rate, read by three modes side by side."""

import gzip
import statistics
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from patterns.broker import Admin, Reader, Sender
from patterns.modes import RUN, TOPIC, BatchMode, MicroBatchMode, Mode, StreamingMode
from patterns.stopwatch import p95
from runtime.process import Stop

_RATE = 300  # events per second
_TICK = 0.02  # seconds between two handfuls of events
_SHORTEST, _LONGEST = 6.0, 24.0  # seconds that events are sent


def processing_modes(servers: str, stop: Stop, sample: Sequence[bytes], window: float) -> dict[str, Any]:
    """Run the three modes over the same events; the result.

    Args:
        servers: the broker.
        stop: ends waiting early.
        sample: arrivals as on the wire.
        window: seconds of a micro-batch.

    Raises:
        Temporary: the broker is away, or a mode did not get its events in time.
    """
    begun = time.monotonic()
    seconds = min(max(3 * window, _SHORTEST), _LONGEST)
    events = evenly(sample, int(seconds * _RATE))
    run = _Run(servers, stop, window)
    try:
        run.measure(events)
        rows = [_row(mode, run.stalenesses[mode.name]) for mode in run.modes]
    finally:
        run.close()
    digests = {row["digest"] for row in rows}
    return {
        "name": "processing-modes",
        "settings": {"window_seconds": window},
        "seconds": round(time.monotonic() - begun, 2),
        "events": len(events),
        "modes": rows,
        "agree": len(digests) == 1 and all(row["events"] == len(events) for row in rows),
        "figures": [_figures(row) for row in rows],
    }


def evenly(sample: Sequence[bytes], count: int) -> Sequence[bytes]:
    """At most `count` of the sample, from the whole year."""
    return [sample[number * len(sample) // count] for number in range(count)] if count < len(sample) else sample


class _Run:
    """Three modes, and the producer whose events they read."""

    def __init__(self, servers: str, stop: Stop, window: float) -> None:
        self._run = uuid.uuid4().hex.encode()
        self._sender = Sender(servers, stop)
        first = _end(servers, stop)

        def reader(kind: type[Mode]) -> Reader:
            return Reader(servers, [TOPIC], stop, f"lab-01-{kind.name}", alone=True)

        self._batch = BatchMode()
        self.modes: list[Mode] = [
            self._batch,
            MicroBatchMode(reader(MicroBatchMode), self._run, first, window),
            StreamingMode(reader(StreamingMode), self._run, first),
        ]
        self.stalenesses: dict[str, list[float]] = {mode.name: [] for mode in self.modes}
        """Mode -> seconds, sampled as long as events came."""

    def measure(self, events: Sequence[bytes]) -> None:
        """Send the events while the modes work."""
        with ThreadPoolExecutor(len(self.modes), "mode") as threads:
            working: list[Future[None]] = [threads.submit(mode.work) for mode in self.modes]
            try:
                self._send_steadily(events)
            finally:
                for mode in self.modes:
                    mode.expected = len(events)
                    mode.all_sent.set()
            for future in working:
                future.result()

    def _send_steadily(self, events: Sequence[bytes]) -> None:
        """The events at a steady rate, to the broker and into a file of the lake."""
        begun = time.monotonic()
        landing: list[bytes] = []
        while len(landing) < len(events):
            due = min(len(events), int((time.monotonic() - begun) * _RATE) + 1)
            for line in events[len(landing) : due]:
                self._sender.send(TOPIC, line, headers=[(RUN, self._run)], partition=0)
                landing.append(b"%.3f %s\n" % (time.time(), line))
            for mode in self.modes:
                self.stalenesses[mode.name].append(mode.staleness(time.time()))
            time.sleep(_TICK)
        self._sender.flush(10)
        self._batch.landed = gzip.compress(b"".join(landing), compresslevel=1)

    def close(self) -> None:
        """Disconnect."""
        self._sender.close()
        for mode in self.modes:
            mode.close()


def _end(servers: str, stop: Stop) -> int:
    admin = Admin(servers, stop)
    try:
        return admin.ends(TOPIC)[0]
    finally:
        admin.close()


def _row(mode: Mode, stalenesses: Sequence[float]) -> dict[str, Any]:
    """A mode's figures; its state is dropped and built again to see how long that takes."""
    digest = mode.digest()
    row = {
        "name": mode.name,
        "events": mode.events,
        "digest": digest,
        "staleness_p95_s": round(p95(stalenesses), 3),
        "latency_median_ms": round(1000 * statistics.median(mode.latencies), 1),
        "latency_p95_ms": round(1000 * p95(mode.latencies), 1),
        "cpu_s_per_1000": round(1000 * mode.cpu / mode.events, 4),
        "commits": mode.commits,
    }
    begun = time.monotonic()
    mode.reset()
    mode.work()
    seconds = time.monotonic() - begun
    return row | {
        "recovered": mode.digest() == digest,
        "recovery_s": round(seconds, 3),
        "throughput_per_s": round(mode.events / seconds, 1),
    }


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "pattern": row["name"],
        "use_case": "punctuality",
        "latency_ms": row["latency_median_ms"],
        "latency_p95_ms": row["latency_p95_ms"],
        "staleness_s": row["staleness_p95_s"],
        "throughput_per_s": row["throughput_per_s"],
        "cpu_s_per_1000": row["cpu_s_per_1000"],
        "recovery_s": row["recovery_s"],
    }

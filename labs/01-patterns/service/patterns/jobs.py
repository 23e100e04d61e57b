"""Jobs of topic lab-01.jobs: the punctuality report of one airline and month, from a sample kept in memory."""

import gzip
import threading
import time
from array import array
from collections import defaultdict
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from contracts import FlightArrived, Invalid, Reader
from contracts.topics import ARRIVED
from runtime.errors import Permanent

TOPIC = "lab-01.jobs"
MONTHS = (1, 2)
"""Months of the sample: a start reads no further than it must."""

_ON_TIME = 15  # minutes late that still count as on time
_RUNS = 16  # latest runs that are counted by name
_EVENTS = 110_000  # events of the file that hold the sample's months
Delays: TypeAlias = "dict[tuple[str, int], array[int]]"  # text: the class of arrays takes no parameter as Python runs


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job as it stands on the wire."""

    id: str
    run: str
    carrier: str
    month: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a job computes."""

    flights: int
    on_time: float
    mean_delay: float
    p90_delay: int


class Sample:
    """Arrival delays in minutes by airline and month."""

    def __init__(self, delays: "Delays") -> None:
        self._delays = delays

    @classmethod
    def read(cls, path: Path, events: int = _EVENTS) -> "Sample":
        """The sample in the first `events` events of the replay file.

        Raises:
            Permanent: the file cannot be read.
        """
        delays: Delays = defaultdict(lambda: array("h"))
        reader = Reader(ARRIVED)
        tag = f'"{ARRIVED}"'.encode()
        try:
            with gzip.open(path, "rb") as file:
                file.readline()  # the header
                for _, line in zip(range(events), file, strict=False):
                    if tag in line:
                        _count(delays, reader.read(line))
        except (OSError, EOFError, Invalid) as failure:
            raise Permanent(f"replay file {path}: {failure}", "build the image anew") from failure
        return cls(dict(delays))

    def keys(self) -> list[tuple[str, int]]:
        """Airlines and months that it holds."""
        return sorted(self._delays)

    def report(self, carrier: str, month: int) -> Report | None:
        """The report of an airline and month, or None where it has no flight."""
        delays = self._delays.get((carrier, month))
        if not delays:
            return None
        ranked = sorted(delays)
        return Report(
            flights=len(ranked),
            on_time=sum(delay <= _ON_TIME for delay in ranked) / len(ranked),
            mean_delay=sum(ranked) / len(ranked),
            p90_delay=ranked[int(0.9 * (len(ranked) - 1))],
        )


def _count(delays: "Delays", event: Any) -> None:  # noqa: ANN401  the reader's union
    if isinstance(event, FlightArrived) and event.scheduled.month in MONTHS:
        delays[event.carrier, event.scheduled.month].append(event.delay)


class Tally:
    """What was done, by run and job: a job that comes again changes nothing but `repeated`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self.done = 0
        self.repeated = 0

    def count(self, job: Job) -> bool:
        """Note a job as done now; False where it was done before."""
        with self._lock:
            run = self._runs.setdefault(job.run, _Run())
            if job.id in run.jobs:
                self.repeated += 1
                return False
            run.note(job.id)
            self.done += 1
            while len(self._runs) > _RUNS:
                self._runs.pop(next(iter(self._runs)))
            return True

    def told(self) -> dict[str, Any]:
        """Counts, and for each run when its jobs were done, in seconds since the epoch."""
        with self._lock:
            return {
                "done": self.done,
                "repeated": self.repeated,
                "runs": {name: list(run.times) for name, run in self._runs.items()},
            }


class _Run:
    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self.times: list[float] = []

    def note(self, job: str) -> None:
        self.jobs.add(job)
        self.times.append(round(time.time(), 4))

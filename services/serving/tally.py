"""What is counted of a model's version on the hot path: plain numbers, which become metrics when somebody scrapes."""

import math
from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Requests of a run."""
MINUTES = (-60, -30, -20, -15, -10, -5, 0, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
"""Predictions, in the label's unit; flights' delays are in minutes."""
_FEW = 16
"""Values that are counted sooner one by one than by numpy."""
_MANY = 16_384
"""Values that are held to be counted together."""


class Buckets:
    """A histogram in the making."""

    __slots__ = ("_arrays", "_bounds", "_counts", "_held", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0
        self._arrays: list[np.ndarray[Any, np.dtype[Any]]] = []
        self._held = 0

    @property
    def counts(self) -> list[int]:
        """Values in each bucket, of which the last has no upper bound."""
        self._count()
        return self._counts

    @property
    def total(self) -> float:
        """Sum of the values."""
        self._count()
        return self._total

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def add_all(self, values: "np.ndarray[Any, np.dtype[Any]]") -> None:
        """Count each finite value of an array, at the latest when somebody asks: many at a time cost less each."""
        if values.size <= _FEW:
            for value in values.ravel().tolist():
                if math.isfinite(value):
                    self.add(value)
            return
        self._arrays.append(values.ravel())
        self._held += values.size
        if self._held > _MANY:
            self._count()

    def _count(self) -> None:
        if not self._held:
            return
        values = np.concatenate(self._arrays)
        self._arrays, self._held = [], 0
        finite = values[np.isfinite(values)]
        places = np.searchsorted(np.array(self._bounds, finite.dtype), finite)
        found = np.bincount(places, minlength=len(self._counts)).tolist()
        self._counts = [each + more for each, more in zip(self._counts, found, strict=True)]
        self._total += float(finite.sum(dtype=np.float64))

    def cumulative(self) -> list[tuple[str, float]]:
        """Bound -> values up to it, as Prometheus has it."""
        told, found = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self.counts, strict=True):
            told += count
            found.append((bound, float(told)))
        return found


class Tally:
    """What happened to one version of a model.

    Attributes:
        model: its name.
        version: of the model.
        statuses: HTTP status -> requests.
        duration: seconds from a request's head to its answer.
        queued: seconds that requests waited for the model.
        running: seconds of work of its runs.
        batches: requests of its runs.
        rows: that it was given.
        refused: requests for which its queue was too long.
        hits: requests that its cache answered.
        misses: requests with a key that it did not.
        column: its first output, where that is one column of floats.
        predictions: what it computed there; None where there is no such column.
    """

    __slots__ = (
        "batches", "column", "duration", "hits", "misses", "model", "predictions", "queued", "refused", "rows",
        "running", "statuses", "version",
    )  # fmt: skip

    def __init__(self, model: str, version: str) -> None:
        self.model = model
        self.version = version
        self.statuses: Counted[int] = Counted({200: 0})
        self.duration, self.queued, self.running = Buckets(BOUNDS), Buckets(BOUNDS), Buckets(BOUNDS)
        self.batches = Buckets(SIZES)
        self.rows = self.refused = self.hits = self.misses = 0
        self.column = ""
        self.predictions: Buckets | None = None

    def watch(self, column: str) -> None:
        """Count what is computed in a column from now on."""
        self.column = column
        self.predictions = self.predictions or Buckets(MINUTES)

    def predicted(self, names: Sequence[str], found: "Sequence[np.ndarray[Any, np.dtype[Any]]]") -> None:
        """Outputs of these names were computed."""
        if self.predictions and self.column in names:
            self.predictions.add_all(found[names.index(self.column)])

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered."""
        self.statuses[status] += 1
        self.duration.add(seconds)

    def ran(self, requests: int, rows: int, seconds: float) -> None:
        """A run of so many requests took so much work."""
        self.batches.add(requests)
        self.running.add(seconds)
        self.rows += rows

    def waited(self, each: Iterable[float]) -> None:
        """Requests waited so long."""
        for seconds in each:
            self.queued.add(seconds)

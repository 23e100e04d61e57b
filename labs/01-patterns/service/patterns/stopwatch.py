"""Seconds and CPU seconds of a piece of work, for figures that are measured and never assumed."""

import time
from collections.abc import Sequence
from typing import NamedTuple


class Spent(NamedTuple):
    """What a piece of work took."""

    seconds: float
    cpu: float
    """Seconds of CPU of the thread that did it."""


class Stopwatch:
    """Runs from its making on, in one thread."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._cpu = time.thread_time()

    def read(self) -> Spent:
        """What was spent so far."""
        return Spent(time.monotonic() - self._begun, time.thread_time() - self._cpu)


def p95(values: Sequence[float]) -> float:
    """The value that 95 % of `values` do not exceed; `values` is not empty."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]

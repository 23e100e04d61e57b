"""Figures of an experiment, and the measuring that all share: percentiles, waiting for a condition, a steady pace."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from runtime.process import Stop

T = TypeVar("T")

Result = dict[str, Any]
"""What an experiment hands back: `settings`, `figures` (one row per pattern) and fields of its own."""

_STEP = 0.1  # seconds between two looks at a condition


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the values do not exceed, or None where there is none."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds, to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)


def rounded(value: float | None, digits: int = 3) -> float | None:
    """A figure without digits that mean nothing."""
    return None if value is None else round(value, digits)


def row(  # noqa: PLR0913  the columns of the comparison
    pattern: str,
    use_case: str,
    *,
    seconds: Sequence[float] = (),
    staleness: float | None = None,
    throughput: float | None = None,
    cpu_per_1000: float | None = None,
    recovery: float | None = None,
) -> Result:
    """One row of the comparison; None where a column does not apply.

    Args:
        pattern: the pattern that was measured.
        use_case: recommendation, punctuality or weather.
        seconds: how long each answer took.
        staleness: seconds by which the answer was behind.
        throughput: things done per second.
        cpu_per_1000: CPU seconds per 1000 of them.
        recovery: seconds from the end of a fault until all was well.
    """
    return {
        "pattern": pattern,
        "use_case": use_case,
        "latency_ms": milliseconds(percentile(seconds, 0.5)),
        "latency_p95_ms": milliseconds(percentile(seconds, 0.95)),
        "staleness_s": rounded(staleness),
        "throughput_per_s": rounded(throughput),
        "cpu_s_per_1000": rounded(cpu_per_1000, 4),
        "recovery_s": rounded(recovery),
    }


def wait_for(look: Callable[[], T | None], seconds: float, stop: Stop, step: float = _STEP) -> T | None:
    """What `look` gives as soon as it is not None; None when `seconds` are over or the process is to end."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None or time.monotonic() >= deadline or stop.wait(step):
            return found


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """How many seconds `call` took, and what it gave."""
    begun = time.monotonic()
    given = call()
    return time.monotonic() - begun, given

"""Asks again and again what the nodes use, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from lab.budget.figures import CPU, PEAK
from lab.budget.node import MIB, Use

_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0


class Sampler:
    """Keeps the greatest memory, and the CPU time since its first look; a look that tells nothing does not count.

    Args:
        look: what the nodes use now; None where they do not tell.
        zero: whether the nodes' counters began with what is measured, so that all they tell belongs to it.
        every: seconds between two looks.

    """

    def __init__(self, look: Callable[[], Use | None], *, zero: bool, every: float = _SECONDS) -> None:
        self._look = look
        self._every = every
        self._first: float | None = 0.0 if zero else None
        self._last: float | None = None
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="budget", daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        """Look no more; what was measured went well if the block did."""
        self._done.set()
        self._thread.join(_PATIENCE_SECONDS)
        if kind is None:
            self._sample()

    def figures(self) -> dict[str, float]:
        """Return peak memory in MiB and CPU seconds; nothing where no node told anything."""
        if self._last is None or self._first is None:
            return {}
        return {PEAK: self._peak / MIB, CPU: max(0.0, self._last - self._first)}

    def _run(self) -> None:
        self._sample()
        while not self._done.wait(self._every):
            self._sample()

    def _sample(self) -> None:
        try:
            seen = self._look()
        except Exception:  # noqa: BLE001  a figure that is missing must not keep a lab from coming up
            return
        if seen is None:
            return
        self._first = seen.cpu if self._first is None else self._first
        self._last = seen.cpu
        self._peak = max(self._peak, seen.memory)

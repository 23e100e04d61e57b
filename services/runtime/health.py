"""Health: a worker is alive while it beats, a service is ready once each of its conditions holds."""

import threading
import time
from collections.abc import Callable


class Health:
    """Beats and conditions of one process; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beats: dict[str, tuple[float, float]] = {}
        self._waiting: dict[str, str] = {}

    def beat(self, worker: str, within: float = 120.0) -> None:
        """Say that `worker` makes progress and will beat again within so many seconds."""
        with self._lock:
            self._beats[worker] = (self._clock() + within, within)

    def wait_for(self, condition: str, why: str) -> None:
        """Not ready until `condition` is met."""
        with self._lock:
            self._waiting[condition] = why

    def met(self, condition: str) -> None:
        """`condition` holds now."""
        with self._lock:
            self._waiting.pop(condition, None)

    def alive(self) -> tuple[bool, str]:
        """Whether every worker beat in time, and otherwise which did not."""
        now = self._clock()
        with self._lock:
            late = [f"{name}: no progress for {within:g} s" for name, (due, within) in self._beats.items() if now > due]
        return not late, "; ".join(late) or "alive"

    def ready(self) -> tuple[bool, str]:
        """Whether no condition is open, and otherwise which one and why."""
        with self._lock:
            open_ = [f"{name}: {why}" for name, why in self._waiting.items()]
        return not open_, "; ".join(open_) or "ready"

"""CPU that other roles used, as their own `/metrics` tell it."""

import time
from collections.abc import Callable

from runtime.peer import Peer, PeerFailure, peers

_CPU = "process_cpu_seconds_total"
_SECONDS = 2.0  # time limit of one reading


def cpu_seconds(peer: Peer) -> float:
    """CPU seconds that the process at `peer` has used since it began.

    Raises:
        PeerFailure: it does not answer.
    """
    for line in peer.text("/metrics", _SECONDS).splitlines():
        if line.startswith(_CPU):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


class Usage:
    """Cores that all pods of a headless Service use at present.

    Args:
        base: its address; each address of the name is one pod.
    """

    def __init__(self, base: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._base = base
        self._clock = clock
        self._before: dict[str, tuple[float, float]] = {}

    def cores(self) -> float | None:
        """Mean use since it was last asked; None where no pod answers."""
        now: dict[str, tuple[float, float]] = {}
        for peer in peers(self._base):
            try:
                now[peer.base] = (self._clock(), cpu_seconds(peer))
            except PeerFailure:
                continue  # it has just gone, or is not there yet
        before, self._before = self._before, now
        return sum(_mean(before[base], now[base]) for base in now if base in before) if now else None


def _mean(before: tuple[float, float], now: tuple[float, float]) -> float:
    seconds = now[0] - before[0]
    return max(now[1] - before[1], 0.0) / seconds if seconds > 0 else 0.0

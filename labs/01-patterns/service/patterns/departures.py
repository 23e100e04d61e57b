"""The departures of the last event-day, and the airlines of a route by how late they left lately."""

import threading
from collections import defaultdict, deque
from typing import Any

from contracts import FlightDeparted
from contracts.features import LONGEST, WINDOWS

_ASKED = ("3h", "24h")
"""Windows in the order in which they are tried: at night nothing may have left for three hours."""
_AHEAD = 2 * LONGEST  # seconds by which an event may run ahead of the clock
_STRAYS = 20  # events in a row that lie outside: time itself has moved, another replay was begun


class Departures:
    """A rolling read model; safe to use from several threads.

    Its clock is the newest event time seen, on any route; windows end there, that instant included.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[float, FlightDeparted]] = deque()
        self._ids: set[str] = set()
        self._clock = float("-inf")
        self._strays = 0

    def add(self, event: FlightDeparted) -> bool:
        """Take a departure in; False where it is there already or lies outside the window."""
        time = event.time.timestamp()
        with self._lock:
            if not self._fits(time) or event.id in self._ids:
                return False
            self._entries.append((time, event))
            self._ids.add(event.id)
            self._clock = max(self._clock, time)
            self._forget()
            return True

    def _fits(self, time: float) -> bool:
        if self._clock == float("-inf") or self._clock - LONGEST < time <= self._clock + _AHEAD:
            self._strays = 0
            return True
        self._strays += 1
        if self._strays < _STRAYS:
            return False
        self._entries.clear()
        self._ids.clear()
        self._strays = 0
        self._clock = time
        return True

    def _forget(self) -> None:
        # In order of arrival, which is nearly that of time: what stays a little too long is passed over when asked for.
        while self._entries and self._entries[0][0] <= self._clock - LONGEST:
            self._ids.discard(self._entries.popleft()[1].id)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def alternatives(self, origin: str, dest: str) -> dict[str, Any]:
        """Airlines from `origin` to `dest` with mean departure delay in minutes, the most punctual first."""
        with self._lock:
            entries, clock = list(self._entries), self._clock
        route = [(time, event) for time, event in entries if event.origin == origin and event.dest == dest]
        for window in _ASKED:
            since = clock - WINDOWS[window]
            delays: dict[str, list[int]] = defaultdict(list)
            for time, event in route:
                if time > since:
                    delays[event.carrier].append(event.delay)
            if delays:
                return {"window": window, "alternatives": _ranked(delays)}
        return {"window": _ASKED[-1], "alternatives": []}


def _ranked(delays: dict[str, list[int]]) -> list[dict[str, Any]]:
    rows = [
        {"carrier": carrier, "mean_delay": round(sum(each) / len(each), 2), "flights": len(each)}
        for carrier, each in delays.items()
    ]
    return sorted(rows, key=lambda row: (row["mean_delay"], row["carrier"]))

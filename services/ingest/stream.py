"""One key's stream of events: its clock, the last 24 event-hours, and whether an event may still be applied.

The clock is the newest event time applied. It never moves back, and one stray event far ahead does not carry it away:

    applied     inside the window or a little ahead: the clock moves on
    duplicate   its id stands in the window already
    late        older than the window, by less than `STRAY`
    stray       further than `STRAY` from the clock; only when `STRAYS` come in a row has time itself moved (another
                replay was begun), and the stream begins anew there
"""

from collections import deque
from collections.abc import Iterator

from contracts.events import Event
from contracts.features import LONGEST

STRAY = 2 * 24 * 3600.0
"""Seconds of event time from the clock."""
STRAYS = 20

APPLIED, LATE, DUPLICATE, STRAYED = "applied", "late", "duplicate", "stray"


class Stream:
    """The rolling state of one key; memory is bounded by the events of one event-day."""

    __slots__ = ("_ids", "_strays", "clock", "entries", "last_offset")

    def __init__(self) -> None:
        self.clock = float("-inf")
        self.entries: deque[tuple[float, int, Event]] = deque()
        """(event time in seconds, offset, event) in order of arrival."""
        self.last_offset = -1
        self._ids: set[str] = set()
        self._strays = 0

    def offer(self, event: Event, time: float, offset: int) -> str:
        """Apply the event if it may be; what came of it."""
        ahead = time - self.clock
        if -LONGEST < ahead <= STRAY:
            if event.id in self._ids:
                return DUPLICATE
            self._strays = 0
            self._add(event, time, offset)
            if ahead > 0:
                self.clock = time
                self._forget()
            return APPLIED
        return self._offer_far(event, time, offset, ahead)

    def _offer_far(self, event: Event, time: float, offset: int, ahead: float) -> str:
        if self.clock != float("-inf"):
            if -STRAY <= ahead <= -LONGEST:
                return LATE
            self._strays += 1
            if self._strays < STRAYS:
                return STRAYED
        self.entries.clear()
        self._ids.clear()
        self._strays = 0
        self.clock = time
        self._add(event, time, offset)
        return APPLIED

    def rebuild(self, event: Event, time: float, offset: int) -> None:
        """Take an event again whose effect was committed: `clock` is final already, so what lies in the window was in it."""
        if self.clock - LONGEST < time <= self.clock and event.id not in self._ids:
            self._add(event, time, offset)

    def _add(self, event: Event, time: float, offset: int) -> None:
        self.entries.append((time, offset, event))
        self._ids.add(event.id)
        self.last_offset = offset

    def _forget(self) -> None:
        horizon = self.clock - LONGEST
        entries = self.entries
        while entries[0][0] <= horizon:
            self._ids.discard(entries.popleft()[2].id)

    def first_offset(self) -> int:
        """Offset from which this window can be built again."""
        return self.entries[0][1] if self.entries else self.last_offset

    def newest(self) -> Event | None:
        """The event with the greatest event time."""
        return max(self.entries, key=lambda entry: entry[0])[2] if self.entries else None

    def within(self, seconds: float) -> Iterator[Event]:
        """Events of the last so many seconds of event time."""
        since = self.clock - seconds
        return (event for time, _, event in self.entries if time > since)

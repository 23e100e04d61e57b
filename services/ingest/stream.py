"""One key's stream of events: its clock, what windows can still ask for, and whether an event may still be applied.

The clock is the newest event time applied. It never moves back, and one stray event far ahead does not carry it away:

- applied: inside the longest window or a little ahead; the clock moves on
- duplicate: its id is known already
- late: older than the longest window; kept all the same, for a carrier whose other origins are behind counts it still
- stray: further than `STRAY` from the clock, beyond what the records' own time stamps explain; only when `STRAYS` come
  in a row has time itself moved (another replay was begun), and the stream begins anew there
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from contracts.events import Event, WeatherRead
from contracts.features import LONGEST, keys
from ingest.history import History

STRAY = 2 * 24 * 3600.0
"""Seconds of event time from the clock."""
STRAYS = 20
KEPT = LONGEST + STRAY
"""Seconds before the clock: another origin may be so far behind, and a window over both asks a day further back."""

APPLIED, LATE, DUPLICATE, STRAYED = "applied", "late", "duplicate", "stray"
DEAD = "dead"
OUTCOMES = (APPLIED, LATE, DUPLICATE, STRAYED, DEAD)
"""Everything that can come of an event."""
TAKEN = (APPLIED, LATE)
"""What came of events that count."""

_NEVER = float("-inf")


class Mark(NamedTuple):
    """What a note keeps of a stream: enough to build it again from the log."""

    clock: float
    """Event time in seconds."""
    first: int
    """Offset of the window's first event."""
    strays: int = 0
    """Events in a row that were far from the clock."""


class Stream:
    """The rolling state of one key; memory is bounded by the events of `KEPT`, three event-days."""

    __slots__ = ("_first", "_ids", "_strays", "clock", "entries", "histories", "last_offset", "last_stamp")

    def __init__(self, mark: Mark | None = None) -> None:
        self.clock = mark.clock if mark else _NEVER
        self.entries: deque[tuple[float, int, Event]] = deque()
        """(event time in seconds, offset, event) in order of arrival."""
        self.histories: dict[tuple[str, str], History] = {}
        """(kind, key) -> its delays in this stream."""
        self.last_offset = -1
        self.last_stamp = _NEVER
        """Wall-clock time stamp, in seconds, of the newest record applied."""
        self._first = mark.first if mark else 0
        self._ids: set[str] = set()
        self._strays = mark.strays if mark else 0

    def offer(self, event: Event, time: float, offset: int, stamp: float) -> str:
        """Apply the event if it may be; what came of it.

        Args:
            event: what happened.
            time: its event time, seconds since the epoch.
            offset: where its record stands.
            stamp: when its record was written, seconds since the epoch.
        """
        ahead = time - self.clock
        if -KEPT < ahead <= STRAY:
            if event.id in self._ids:
                return DUPLICATE
            self._strays = 0
            self._add(event, time, offset, stamp)
            if ahead > 0:
                self.clock = time
                self._forget()
            return APPLIED if ahead > -LONGEST else LATE
        return self._offer_far(event, time, offset, stamp)

    def _offer_far(self, event: Event, time: float, offset: int, stamp: float) -> str:
        ahead = time - self.clock
        # A live source that was silent for a week is a week ahead of its clock, and by its records' stamps as well.
        if not 0 < ahead <= STRAY + stamp - self.last_stamp:
            self._strays += 1
            if self._strays < STRAYS:
                return STRAYED
        self.entries.clear()
        self.histories.clear()
        self._ids.clear()
        self._strays = 0
        self.clock = time
        self._add(event, time, offset, stamp)
        return APPLIED

    def rebuild(self, event: Event, time: float, offset: int, stamp: float) -> None:
        """Take an event again whose effect was committed: `clock` is final, so what lies in the window was in it."""
        if offset >= self._first and self.clock - KEPT < time <= self.clock and event.id not in self._ids:
            self._add(event, time, offset, stamp)

    def _add(self, event: Event, time: float, offset: int, stamp: float) -> None:
        self.entries.append((time, offset, event))
        self._ids.add(event.id)
        if not isinstance(event, WeatherRead):
            histories = self.histories
            for name in keys(event):
                if name not in histories:
                    histories[name] = History(KEPT)
                histories[name].add(time, event.delay)
        self.last_offset = offset
        self.last_stamp = stamp

    def _forget(self) -> None:
        horizon = self.clock - KEPT
        entries = self.entries
        while entries[0][0] <= horizon:
            self._ids.discard(entries.popleft()[2].id)

    def known(self, name: tuple[str, str]) -> bool:
        """Whether a key had an event within what is kept."""
        return name in self.histories and self.histories[name].newest > self.clock - KEPT

    def tidy(self) -> None:
        """Let go of keys that have been silent for longer; to be called when none of their rows waits any more."""
        for name in [name for name in self.histories if not self.known(name)]:
            del self.histories[name]

    def mark(self, offset: int) -> Mark:
        """What to keep of it in a note that stands at `offset`."""
        return Mark(self.clock, self.entries[0][1] if self.entries else offset, self._strays)

    def newest(self) -> Event | None:
        """The event with the greatest event time."""
        return max(self.entries, key=lambda entry: entry[0])[2] if self.entries else None

    def within(self, seconds: float, until: float | None = None) -> Iterator[Event]:
        """Events of the last so many seconds of event time before `until`, the stream's own clock by default."""
        end = self.clock if until is None else until
        since = end - seconds
        return (event for time, _, event in self.entries if since < time <= end)

"""The delays of one key as one stream told them, kept in order of event time so that windows are cut, not searched."""

from bisect import bisect_right, insort_right
from typing import NamedTuple

_ROOM = 32


class Window(NamedTuple):
    """How many events there were, and the sum of their delays in minutes."""

    number: int
    minutes: int

    @property
    def mean(self) -> float | None:
        """Their mean delay; None where there were none."""
        return self.minutes / self.number if self.number else None


class History:
    """Event times and delays, at least as far back from the newest as `kept`.

    What is older goes when events are added, measured by the key's own newest event and not by the stream's clock: a
    row that still has to be written keeps its windows, however far the stream has gone on meanwhile.

    Args:
        kept: seconds before the newest event.
    """

    __slots__ = ("_delays", "_kept", "_room", "_times")

    def __init__(self, kept: float) -> None:
        self._kept = kept
        self._times: list[float] = []
        self._delays: list[int] = []
        self._room = _ROOM
        """Events held at which those that are too old go, all at once: one by one would cost more."""

    def add(self, time: float, delay: int) -> None:
        """Take note of an event: seconds since the epoch, minutes."""
        times = self._times
        if not times or time >= times[-1]:
            times.append(time)
            self._delays.append(delay)
        else:
            self._delays.insert(bisect_right(times, time), delay)
            insort_right(times, time)
        if len(times) > self._room:
            self._forget()

    def _forget(self) -> None:
        old = bisect_right(self._times, self.newest - self._kept)
        del self._times[:old], self._delays[:old]
        self._room = max(_ROOM, 2 * len(self._times))

    @property
    def newest(self) -> float:
        """Event time of the last event."""
        return self._times[-1]

    def newest_until(self, instant: float) -> float | None:
        """Event time of the last event up to an instant, that included; None where all are later."""
        end = bisect_right(self._times, instant)
        return self._times[end - 1] if end else None

    def window(self, since: float, until: float) -> Window:
        """The events after one instant, up to another and that included."""
        begin, end = bisect_right(self._times, since), bisect_right(self._times, until)
        return Window(end - begin, sum(self._delays[begin:end]))

"""What the centre knows of each site: which numbers were applied, in which order, and the newest reading.

applied    the next number, or one further on: those in between are a gap, lost unless they still come
repeat     a number that was applied already: the site did not know that it had arrived
late       a number out of a gap, after a greater one was applied: counted as a fault of order, and applied
"""

import threading
from collections import deque
from typing import Any

from patterns.edge_site import Reading

APPLIED, REPEAT, LATE = "applied", "repeat", "late"

_REMEMBERED = 20_000  # numbers per site whose order of application is kept, for those who want to verify it


class SiteLedger:
    """One site's account."""

    def __init__(self) -> None:
        self.sensor = 0.0
        self.highest = 0
        self.repeats = 0
        self.late = 0
        self.latest: Reading | None = None
        self._missing: set[int] = set()
        self._first: int | None = None
        self.order: deque[int] = deque(maxlen=_REMEMBERED)
        """Numbers in the order in which they were applied."""

    def apply(self, reading: Reading) -> str:
        """Take a reading into account once; what came of it."""
        number = reading.sequence
        if self._first is None:
            # What came before the first that the topic still holds was another time's concern, not a gap.
            self._first, self.highest = number, number - 1
        if number > self.highest:
            self._missing.update(range(self.highest + 1, number))
            self.highest, self.latest = number, reading
            self.order.append(number)
            return APPLIED
        if number in self._missing:
            self._missing.discard(number)
            self.late += 1
            self.order.append(number)
            return LATE
        self.repeats += 1
        return REPEAT

    def gaps(self) -> list[tuple[int, int]]:
        """First and last number of each range that is missing."""
        found: list[tuple[int, int]] = []
        for number in sorted(self._missing):
            if found and found[-1][1] == number - 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return found


class Ledger:
    """All sites' accounts; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sites: dict[str, SiteLedger] = {}

    def apply(self, reading: Reading) -> str:
        """Take a reading into account once; what came of it."""
        with self._lock:
            site = self._sites.setdefault(reading.site, SiteLedger())
            if reading.sensor > site.sensor:
                # A new instrument numbers from 1 again: another account.
                site = self._sites[reading.site] = SiteLedger()
                site.sensor = reading.sensor
            return site.apply(reading) if reading.sensor == site.sensor else REPEAT

    def latest(self, station: str) -> Reading | None:
        """The site's newest reading that has arrived."""
        with self._lock:
            site = self._sites.get(station)
            return site.latest if site else None

    def received(self, station: str) -> dict[str, Any] | None:
        """The site's account as readers get it, or None where nothing ever came."""
        with self._lock:
            site = self._sites.get(station)
            if site is None:
                return None
            return {
                "site": station,
                "highest": site.highest,
                "gaps": [list(gap) for gap in site.gaps()],
                "repeats": site.repeats,
                "in_order": site.late == 0,
            }

    def applied(self, station: str, after: int, until: int) -> list[int]:
        """The numbers in (after, until] in the order in which they were applied, each as often as it was."""
        with self._lock:
            site = self._sites.get(station)
            return [number for number in site.order if after < number <= until] if site else []

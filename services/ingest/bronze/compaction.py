"""When a table's small files are put together and its old ones removed: in the writer itself, so that nothing clashes.

A commit every few seconds leaves a small file per day and commit. Compaction rewrites the days that have several, and
leaves the rows, the places and every older version as they were; vacuum later removes what no kept version needs.
"""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from runtime.store import Contended, StoreAway

log = logging.getLogger(__name__)

_VACUUM_EVERY = 3600.0  # seconds: listing a whole table is the dear part


class Compactable(Protocol):
    """What a table can do for its own upkeep."""

    topic: str

    def files(self) -> int:
        """How many files make up the table."""

    def compact(self) -> int:
        """Put small files together; how many were replaced."""

    def vacuum(self, hours: int) -> int:
        """Remove what no version of the last so many hours needs; how many files."""


class Upkeep:
    """The policy for one table.

    Args:
        table: whose files.
        files: how many new files lead to a compaction; 0: never.
        keep_hours: how old a version may be to stay readable.
        clock: seconds.
    """

    def __init__(
        self, table: Compactable, files: int, keep_hours: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._table = table
        self._files = files
        self._keep_hours = keep_hours
        self._clock = clock
        self._after_last = 0
        self._vacuumed = clock()
        self.replaced = 0
        """Files that compactions replaced so far."""
        self.removed = 0
        """Files that vacuum removed so far."""

    def look(self) -> bool:
        """Compact and vacuum where it is time; whether it compacted. A store that is away is left for next time."""
        if not self._files:
            return False
        try:
            return self._act()
        except (StoreAway, Contended) as failure:
            log.warning("upkeep waits", extra={"topic": self._table.topic, "cause": str(failure)})
            return False

    def _act(self) -> bool:
        due = self._table.files() - self._after_last >= self._files
        if due:
            self.replaced += self._table.compact()
            self._after_last = self._table.files()
        if self._clock() - self._vacuumed >= _VACUUM_EVERY:
            self._vacuumed = self._clock()
            self.removed += self._table.vacuum(self._keep_hours)
        return due

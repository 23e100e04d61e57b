"""Punctuality: the share of flights on time and the mean arrival delay, per airline and month.

One fold for all patterns: what differs between them is when it runs and over what, never the arithmetic. Sums are whole
numbers, so that the order of events and the way of merging leave no trace in the result.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts import FlightArrived

ON_TIME_MINUTES = 15
"""The industry's rule: on time is at most a quarter of an hour late."""


class Key(NamedTuple):
    """One cell of the table."""

    carrier: str
    month: str
    """Of the scheduled arrival, UTC, as 2013-01."""


@dataclass(slots=True)
class Cell:
    """What is known of one airline in one month."""

    flights: int = 0
    on_time: int = 0
    delay: int = 0
    """Minutes late, summed; early arrivals count negative."""

    def shown(self) -> dict[str, Any]:
        """The figures as a reader wants them: a share, and minutes."""
        return {
            "flights": self.flights,
            "on_time": round(self.on_time / self.flights, 4),
            "mean_delay": round(self.delay / self.flights, 2),
        }


class Table:
    """Punctuality by airline and month.

    Args:
        on_time_minutes: greatest delay that still counts as on time.
    """

    def __init__(self, on_time_minutes: int = ON_TIME_MINUTES) -> None:
        self.on_time_minutes = on_time_minutes
        self.cells: dict[Key, Cell] = {}

    def add(self, event: FlightArrived) -> Key:
        """Count one arrival; the cell that it touched."""
        key = Key(event.carrier, f"{event.scheduled:%Y-%m}")
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = Cell()
        cell.flights += 1
        cell.on_time += event.delay <= self.on_time_minutes
        cell.delay += event.delay
        return key

    def merge(self, other: "Table") -> "Table":
        """Both tables' flights together; each keeps the rule that it was counted with."""
        merged = Table(self.on_time_minutes)
        for table in (self, other):
            for key, cell in table.cells.items():
                into = merged.cells.setdefault(key, Cell())
                into.flights += cell.flights
                into.on_time += cell.on_time
                into.delay += cell.delay
        return merged

    def published(self, keys: Iterable[Key]) -> dict[Key, bytes]:
        """The named cells as readers get them."""
        return {key: json.dumps(self.cells[key].shown()).encode() for key in keys}

    def of(self, carrier: str) -> list[dict[str, Any]]:
        """One airline's months in order; empty where it has none."""
        return [{"month": key.month, **self.cells[key].shown()} for key in sorted(self.cells) if key.carrier == carrier]


def digest(view: dict[Key, bytes]) -> str:
    """The same for two published views exactly when they show the same."""
    whole = hashlib.sha256()
    for key in sorted(view):
        whole.update(f"{key.carrier} {key.month} ".encode() + view[key] + b"\n")
    return whole.hexdigest()


def differences(one: dict[Key, bytes], other: dict[Key, bytes]) -> int:
    """How many cells differ, or are in one view only."""
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())

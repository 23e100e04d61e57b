"""What was measured on a cluster: a small file in its folder, the newest of each lab and each way to it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from lab import files
from lab.settings import Settings


@dataclass(frozen=True)
class Entry:
    """One lab that came up, measured.

    Attributes:
        way: how it came, see `lab.budget.figures`.
        built: whether images had to be pulled or built meanwhile: time and CPU time then say nothing.
        cores: of the machine.
        at: when, seconds since 1970.
        measured: figure -> what it was; what could not be measured is left out.
        predicted: figure -> what was expected beforehand.

    """

    way: str
    built: bool
    cores: int
    at: float
    measured: dict[str, float] = field(default_factory=dict)
    predicted: dict[str, float] = field(default_factory=dict)


class Ledger:
    """The file of one cluster; missing or unreadable, it counts as empty."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.folder / "budgets.json"

    def entries(self, code: str) -> list[Entry]:
        """Return what was measured of a lab, the newest first."""
        found = files.remembered(self._path).get(code)
        entries = [_entry(each) for each in found.values()] if isinstance(found, dict) else []
        return sorted((each for each in entries if each), key=lambda each: -each.at)

    def keep(self, code: str, entry: Entry) -> None:
        """Keep what was measured, in place of what came the same way before."""
        content = files.remembered(self._path)
        labs = content.get(code)
        content[code] = (labs if isinstance(labs, dict) else {}) | {entry.way: asdict(entry)}
        files.write(self._path, json.dumps(content, indent=1) + "\n")


def _entry(content: object) -> Entry | None:
    """Return an entry as it was kept; None for one of another version."""
    try:
        return Entry(**content) if isinstance(content, dict) else None
    except TypeError:
        return None

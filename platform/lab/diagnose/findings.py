"""What an examination finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from lab.text import Text


class Level(Enum):
    """How bad a finding is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was examined.

    Attributes:
        name: what, as a short stable word.
        level: how it is.
        what: what was seen.
        remedy: what to do; None where it is good.
        fix: does it, where that is safe.

    """

    name: str
    level: Level
    what: Text
    remedy: Text | None = None
    fix: Callable[[], None] | None = None

"""What a comparison can say: three outcomes, each with the figures that led to it."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What a comparison of the canary with the stable version has shown so far."""

    WORSE = "worse"
    """Shown to be worse than is tolerated."""
    BETTER = "better"
    """Shown to be at least as good as the plan asks: the most that it may be worse by is within the margin."""
    UNDECIDED = "undecided"
    """Neither: not enough data for a verdict."""


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one criterion.

    Attributes:
        criterion: errors, slow, limit, outputs, labels or goal.
        outcome: what has been shown.
        figures: what led to it, by name; shares from 0 to 1, evidence as a natural logarithm.
    """

    criterion: str
    outcome: Outcome
    figures: dict[str, float]

"""Alternatives: other right solutions that trainees choose, made on the recorded one: the checks must judge fairly.

An alternative is accepted when every check of the lab passes on it. One that is refused is an error of the check, which
asks for what its author typed and not for what the exercise says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lab.checks import variations
from lab.checks.bundle import Bundle
from lab.checks.paths import JsonDict
from lab.checks.variations import Variation
from lab.checks.verdict import Check


class Alternative(Variation):
    """Another right solution."""

    kind: ClassVar[str] = "alternative"


@dataclass(frozen=True, slots=True)
class Reception:
    """How the checks took an alternative.

    Attributes:
        alternative: the alternative.
        refused: each condition that refuses it, as `exercise.condition`.
        seen: whether its exercise's check saw other evidence than in the solution: it judged something else.

    """

    alternative: Alternative
    refused: tuple[str, ...]
    seen: bool

    @property
    def accepted(self) -> bool:
        """Tell whether every check passes on it."""
        return not self.refused

    def as_json(self) -> JsonDict:
        """Return it for machines."""
        return {"id": self.alternative.id, "exercise": self.alternative.exercise, "refused_by": list(self.refused)}


def read(file: Path) -> tuple[Alternative, ...]:
    """Read a lab's `alternatives.yaml`.

    Raises:
        BadInput: it is missing, is no YAML, has unknown keys, or names an alternative twice.

    """
    return variations.read(file, Alternative)


def judge(alternatives: Sequence[Alternative], checks: Mapping[str, Check], solved: JsonDict) -> tuple[Reception, ...]:
    """Make each alternative on the solved state and see whether the checks take it.

    Args:
        alternatives: the other right solutions.
        checks: each exercise's check, by exercise.
        solved: the bundle recorded from the solved lab.

    Raises:
        BadInput: an alternative names no exercise of the lab, aims at nothing, or changes nothing.

    """
    return tuple(_reception(each, checks, solved) for each in alternatives)


def _reception(each: Alternative, checks: Mapping[str, Check], solved: JsonDict) -> Reception:
    bundle = Bundle(each.made_on(solved, checks))
    verdicts = {exercise: check(bundle) for exercise, check in checks.items()}
    refused = [f"{name}.{finding.condition}" for name, verdict in verdicts.items() for finding in verdict.unmet]
    return Reception(each, tuple(refused), seen=verdicts[each.exercise] != checks[each.exercise](Bundle(solved)))

"""Mutants: a trainee's likely mistakes, made on the recorded solution, to prove that each check can fail.

A mutant is killed when the check of its own exercise fails on it, by the condition that it was made for and
by that condition alone. A mutant that only other exercises' checks notice has survived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lab.checks import variations
from lab.checks.bundle import Bundle
from lab.checks.paths import JsonDict
from lab.checks.variations import Variation
from lab.checks.verdict import Check


class Mutant(Variation):
    """One mistake.

    Attributes:
        exercise: the exercise whose check must catch it.
        condition: the condition of that check that must catch it, alone.

    """

    kind: ClassVar[str] = "mutant"

    condition: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        failed: the conditions of its exercise's check that it broke.
        others: the other exercises whose checks noticed it too.

    """

    mutant: Mutant
    failed: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def killed(self) -> bool:
        """Tell whether the right condition caught it, alone."""
        return self.failed == (self.mutant.condition,)


@dataclass(frozen=True, slots=True)
class Report:
    """The fates of all of a lab's mutants."""

    fates: tuple[Fate, ...]

    @property
    def rate(self) -> float:
        """Return the share killed by the right condition, 0 to 1; without mutants nothing is proven."""
        return sum(fate.killed for fate in self.fates) / len(self.fates) if self.fates else 0.0

    @property
    def survivors(self) -> tuple[Fate, ...]:
        """Return the mutants that were not killed by the right condition."""
        return tuple(fate for fate in self.fates if not fate.killed)

    def as_json(self) -> JsonDict:
        """Return the report for machines."""
        return {
            "mutants": len(self.fates),
            "killed": sum(fate.killed for fate in self.fates),
            "rate": self.rate,
            "exercises": dict(Counter(fate.mutant.exercise for fate in self.fates)),
            "survivors": [
                {
                    "id": fate.mutant.id,
                    "exercise": fate.mutant.exercise,
                    "condition": fate.mutant.condition,
                    "failed": list(fate.failed),
                    "noticed_by": list(fate.others),
                }
                for fate in self.survivors
            ],
        }


def read(file: Path) -> tuple[Mutant, ...]:
    """Read a lab's `mutants.yaml`.

    Raises:
        BadInput: it is missing, is no YAML, has unknown keys, or names a mutant twice.

    """
    return variations.read(file, Mutant)


def judge(mutants: Sequence[Mutant], checks: Mapping[str, Check], solved: JsonDict) -> Report:
    """Make each mistake on the solved state and see which checks notice.

    Args:
        mutants: the mistakes.
        checks: each exercise's check, by exercise.
        solved: the bundle recorded from the solved lab.

    Raises:
        BadInput: a mutant names no exercise of the lab, aims at nothing, or changes nothing.

    """
    return Report(tuple(_fate(mutant, checks, solved) for mutant in mutants))


def _fate(mutant: Mutant, checks: Mapping[str, Check], solved: JsonDict) -> Fate:
    bundle = Bundle(mutant.made_on(solved, checks))
    verdicts = {exercise: check(bundle) for exercise, check in checks.items()}
    return Fate(
        mutant,
        failed=tuple(finding.condition for finding in verdicts[mutant.exercise].unmet),
        others=tuple(name for name, verdict in verdicts.items() if name != mutant.exercise and not verdict.passed),
    )

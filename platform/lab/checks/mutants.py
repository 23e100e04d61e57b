"""Mutants: a trainee's likely mistakes, made on the recorded solution, to prove that each check can fail.

A mutant is killed when the check of its own exercise fails on it, by the condition that it was made for and
by that condition alone. A mutant that only other exercises' checks notice has survived.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.checks.bundle import Bundle
from lab.checks.changes import Change, NoSuchPlace
from lab.checks.paths import JsonDict
from lab.checks.verdict import Check
from lab.errors import BadInput
from lab.text import Text


class Mutant(BaseModel):
    """One mistake.

    Attributes:
        id: its name.
        exercise: the exercise whose check must catch it.
        condition: the condition of that check that must catch it, alone.
        title: what the trainee did wrong.
        change: what it changes in the solved state.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"[a-z0-9-]+")
    exercise: str
    condition: str
    title: Text
    change: list[Change] = Field(min_length=1)

    def made_on(self, solved: JsonDict) -> JsonDict:
        """Return the state with the mistake made; the solved one stays as it is.

        Raises:
            BadInput: a change aims at nothing, or changes nothing.

        """
        state = copy.deepcopy(solved)
        for change in self.change:
            try:
                change.apply(state)
            except NoSuchPlace as error:
                raise _idle(self, error) from error
        return state


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


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    mutants: list[Mutant]


def read(file: Path) -> tuple[Mutant, ...]:
    """Read a lab's `mutants.yaml`.

    Raises:
        BadInput: it is missing, is no YAML, has unknown keys, or names a mutant twice.

    """
    try:
        mutants = _File.model_validate(yaml.safe_load(file.read_text("utf-8"))).mutants
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise _unreadable(file, str(error)) from error
    twice = [name for name, count in Counter(mutant.id for mutant in mutants).items() if count > 1]
    if twice:
        raise _unreadable(file, f"id used twice: {', '.join(twice)}")
    return tuple(mutants)


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
    if mutant.exercise not in checks:
        raise _idle(mutant, NoSuchPlace(f"exercise {mutant.exercise}"))
    bundle = Bundle(mutant.made_on(solved))
    verdicts = {exercise: check(bundle) for exercise, check in checks.items()}
    return Fate(
        mutant,
        failed=tuple(finding.condition for finding in verdicts[mutant.exercise].unmet),
        others=tuple(name for name, verdict in verdicts.items() if name != mutant.exercise and not verdict.passed),
    )


def _idle(mutant: Mutant, error: NoSuchPlace) -> BadInput:
    return BadInput(
        Text(
            en=f"mutants.yaml: mutant {mutant.id}: nothing to change at: {error}",
            fr=f"mutants.yaml : mutant {mutant.id} : rien à changer à : {error}",
        ),
        Text(
            en="correct its selector, or record the solved bundle again with `lab support`",
            fr="corrigez son sélecteur, ou enregistrez de nouveau la solution avec `lab support`",
        ),
    )


def _unreadable(file: Path, reason: str) -> BadInput:
    return BadInput(
        Text(en=f"{file} cannot be used: {reason}", fr=f"{file} est inutilisable : {reason}"),
        Text(en="correct the field that is named", fr="corrigez le champ indiqué"),
    )

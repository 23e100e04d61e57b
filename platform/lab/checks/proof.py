"""What proves a lab's checks, in one place: the start is open, every mistake is caught, every right way is taken.

`lab lint` tells which of it does not hold, `lab mutants` shows the figures, the tests demand all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.checks import alternatives as ways
from lab.checks import mutants as mistakes
from lab.checks.bundle import Bundle
from lab.checks.paths import JsonDict
from lab.checks.verdict import Check


@dataclass(frozen=True, slots=True)
class Proof:
    """How a lab's checks stood the test.

    Attributes:
        done_at_start: exercises whose check passes on the start, before anybody did anything: it proves nothing.
        mutants: what became of the mistakes.
        alternatives: how other right solutions were taken.

    """

    done_at_start: tuple[str, ...]
    mutants: mistakes.Report
    alternatives: tuple[ways.Reception, ...]

    @property
    def refused(self) -> tuple[ways.Reception, ...]:
        """Return the right solutions that a check refuses."""
        return tuple(each for each in self.alternatives if not each.accepted)

    @property
    def sound(self) -> bool:
        """Tell whether nothing speaks against the checks."""
        return self.mutants.rate == 1 and not self.refused and not self.done_at_start

    def as_json(self) -> JsonDict:
        """Return the proof for machines."""
        return {
            **self.mutants.as_json(),
            "alternatives": len(self.alternatives),
            "accepted": len(self.alternatives) - len(self.refused),
            "refused": [each.as_json() for each in self.refused],
            "done_at_start": list(self.done_at_start),
            "sound": self.sound,
        }


def done(checks: Mapping[str, Check], state: JsonDict) -> tuple[str, ...]:
    """Return the exercises that are done in a state; at the start there may be none."""
    bundle = Bundle(state)
    return tuple(name for name, check in checks.items() if check(bundle).passed)


def prove(
    checks: Mapping[str, Check],
    start: JsonDict,
    solved: JsonDict,
    mutants: Sequence[mistakes.Mutant],
    alternatives: Sequence[ways.Alternative],
) -> Proof:
    """Try a lab's checks on all that is known to be wrong, and on all that is known to be right.

    Args:
        checks: each exercise's check, by exercise.
        start: the bundle recorded at the start.
        solved: the one recorded with the solution.
        mutants: mistakes.
        alternatives: other right solutions.

    Raises:
        BadInput: a mutant or an alternative cannot be made on the solution.

    """
    return Proof(done(checks, start), mistakes.judge(mutants, checks, solved), ways.judge(alternatives, checks, solved))

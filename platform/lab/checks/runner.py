"""Runs a lab's checks over a bundle and gives the results, for people's eyes and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.checks.bundle import Bundle
from lab.checks.loader import Exercise
from lab.checks.paths import JsonDict
from lab.checks.verdict import Check, Finding, Verdict
from lab.text import Text

_STUMBLED = Text(
    en="send the file that `lab support` writes to your trainer: the check itself has a fault",
    fr="envoyez à votre formateur le fichier qu'écrit `lab support` : la vérification elle-même a un défaut",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What the check of one exercise said.

    Attributes:
        exercise: the exercise's identifier.
        title: its title.
        verdict: the verdict.

    """

    exercise: str
    title: Text
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Tell whether the exercise is done."""
        return self.verdict.passed

    def as_json(self) -> JsonDict:
        """Return the result for machines; the top fields tell of the first unmet condition."""
        first = self.verdict.unmet[0] if self.verdict.unmet else None
        return {
            "exercise": self.exercise,
            "title": _both(self.title),
            "passed": self.passed,
            "condition": first.condition if first else None,
            "reason": _both(first.reason) if first else None,
            "evidence": first.evidence if first else "; ".join(_evidence(self.verdict)),
            "remedy": _both(first.remedy) if first else None,
            "findings": [_finding_json(finding) for finding in self.verdict.findings],
        }


def run(exercises: Sequence[Exercise], checks: Mapping[str, Check], state: JsonDict) -> list[Result]:
    """Run every exercise's check over a bundle's JSON, in the order of the exercises."""
    bundle = Bundle(state)
    return [Result(exercise.id, exercise.title, _guarded(checks[exercise.id], bundle)) for exercise in exercises]


def as_json(lab: str, results: Sequence[Result]) -> JsonDict:
    """Return what `lab check --output json` prints."""
    return {
        "lab": lab,
        "passed": bool(results) and all(result.passed for result in results),
        "done": sum(result.passed for result in results),
        "exercises": len(results),
        "results": [result.as_json() for result in results],
    }


def _guarded(check: Check, bundle: Bundle) -> Verdict:
    try:
        return check(bundle)
    except Exception as error:  # noqa: BLE001  a trainee must never meet a traceback; tests call checks without this net
        shown = f"{type(error).__name__}: {error}"
        reason = Text(en=f"the check stumbled: {shown}", fr=f"la vérification a trébuché : {shown}")
        return Verdict((Finding("stumbled", met=False, reason=reason, evidence="", remedy=_STUMBLED),))


def _evidence(verdict: Verdict) -> list[str]:
    return [finding.evidence for finding in verdict.findings if finding.evidence]


def _finding_json(finding: Finding) -> JsonDict:
    return {
        "condition": finding.condition,
        "met": finding.met,
        "reason": None if finding.met else _both(finding.reason),
        "evidence": finding.evidence,
        "remedy": None if finding.met else _both(finding.remedy),
    }


def _both(text: Text) -> JsonDict:
    return {"en": text.en, "fr": text.fr}

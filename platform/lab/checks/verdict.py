"""What a check says: a verdict, made of findings, one for each condition that the exercise sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias

from lab.checks.bundle import Bundle
from lab.checks.view import Missing
from lab.text import Text

PRESENT = "present"
"""The condition that fails when a check cannot find what it has to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one condition is met.

    Attributes:
        condition: its name, unique within the check.
        met: whether it is.
        reason: what is wrong, said to the trainee; shown only where it is not met.
        evidence: what was seen, with figures; names and figures only, so that it needs no translation.
        remedy: what to do about it.

    """

    condition: str
    met: bool
    reason: Text
    evidence: str
    remedy: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of one check, in the order in which the exercise sets its conditions."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every condition is met; a check that looked at nothing passes nothing."""
        return bool(self.findings) and all(finding.met for finding in self.findings)

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """Return the findings that make the check fail."""
        return tuple(finding for finding in self.findings if not finding.met)


Findings: TypeAlias = Iterator[Finding]
Check: TypeAlias = Callable[[Bundle], Verdict]


def need(condition: str, met: bool, evidence: str, reason: Text, remedy: Text) -> Finding:  # noqa: FBT001
    """Return a finding: the condition, whether it is met, what was seen, what is wrong, what to do."""
    return Finding(condition, met, reason, evidence, remedy)


def check(findings: Callable[[Bundle], Findings]) -> Check:
    """Make a check of a generator of findings.

    Whatever the generator cannot find becomes an unmet finding that names it, so that a check never raises.
    """

    @wraps(findings)
    def checked(bundle: Bundle) -> Verdict:
        return Verdict(tuple(_complete(findings(bundle))))

    return checked


def _complete(findings: Findings) -> Findings:
    try:
        yield from findings
    except Missing as missing:
        yield Finding(PRESENT, met=False, reason=missing.reason, evidence="", remedy=missing.remedy)

"""Checks: pure functions over a recorded state, their verdicts, and the mutants that prove them.

A lab's `checks` package imports from here and from nowhere else.
"""

from lab.checks.bundle import Bundle
from lab.checks.exercises import Exercises, Place, figure, shown, together
from lab.checks.seeded import Seeded
from lab.checks.verdict import Check, Finding, Findings, Verdict, check, need
from lab.checks.view import Missing, View
from lab.seeds import order
from lab.text import Text

__all__ = [
    "Bundle",
    "Check",
    "Exercises",
    "Finding",
    "Findings",
    "Missing",
    "Place",
    "Seeded",
    "Text",
    "Verdict",
    "View",
    "check",
    "figure",
    "need",
    "order",
    "shown",
    "together",
]

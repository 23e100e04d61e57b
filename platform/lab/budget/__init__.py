"""Budgets: what a lab may take while it comes up, what it took, and what that lets one expect of the next."""

from lab.budget.figures import FIGURES, NAMES, UNITS, ways
from lab.budget.ledger import Entry, Ledger
from lab.budget.node import MIB, names, use
from lab.budget.prediction import expected, lasting, standing
from lab.budget.verdict import Exceeded, Row, Unmeasured, hold, rows
from lab.budget.watch import Watch

__all__ = [
    "FIGURES",
    "MIB",
    "NAMES",
    "UNITS",
    "Entry",
    "Exceeded",
    "Ledger",
    "Row",
    "Unmeasured",
    "Watch",
    "expected",
    "hold",
    "lasting",
    "names",
    "rows",
    "standing",
    "use",
    "ways",
]

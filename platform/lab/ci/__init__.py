"""Proving a lab as its users meet it: the tool's own commands, one after the other, each held to its answer."""

from lab.ci.report import junit, markdown
from lab.ci.steps import STEPS, Outcome, Step, prove

__all__ = ["STEPS", "Outcome", "Step", "junit", "markdown", "prove"]

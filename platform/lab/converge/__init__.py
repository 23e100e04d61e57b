"""`lab up`: from whatever stands to the lab converged and proven; and what can be done for it beforehand."""

from lab.converge.engine import Outcome, converge
from lab.converge.preparation import prepare

__all__ = ["Outcome", "converge", "prepare"]

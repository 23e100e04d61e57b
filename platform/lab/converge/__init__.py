"""`lab up`: from whatever stands to the lab converged and proven."""

from lab.converge.engine import Outcome, converge

__all__ = ["Outcome", "converge"]

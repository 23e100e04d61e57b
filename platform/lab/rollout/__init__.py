"""`lab release`: asks the release controller of the cluster, and reads plans from files."""

from lab.rollout.ask import Told, ask, order
from lab.rollout.plans import plan

__all__ = ["Told", "ask", "order", "plan"]

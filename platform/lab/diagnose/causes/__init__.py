"""Root causes over a recorded state: small pure functions, walked along the chain."""

from lab.diagnose.causes.model import Blame, Cause, Found
from lab.diagnose.causes.walk import CHAIN, PODS, blames, every, root

__all__ = ["CHAIN", "PODS", "Blame", "Cause", "Found", "blames", "every", "root"]

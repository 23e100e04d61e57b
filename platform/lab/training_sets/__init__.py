"""`lab data`: training sets of the lake's workspace, asked for in the cluster and shown here."""

from lab.training_sets.ask import Answer, ask, require
from lab.training_sets.show import shown

__all__ = ["Answer", "ask", "require", "shown"]

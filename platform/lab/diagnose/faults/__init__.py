"""Faults as data: how each is done to a cluster, how it looks, and the cause that has to be found."""

from lab.diagnose.faults.catalogue import FAULTS, named
from lab.diagnose.faults.fault import Fault

__all__ = ["FAULTS", "Fault", "named"]

"""`lab doctor`: whether this machine can carry a lab, each finding with its remedy."""

from lab.diagnose.findings import Finding, Level
from lab.diagnose.machine import examine, repair, require

__all__ = ["Finding", "Level", "examine", "repair", "require"]

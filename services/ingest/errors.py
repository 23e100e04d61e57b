"""What can go wrong in ingest.

Temporary
└── RepairBusy          dead letters cannot be put back at present
Permanent
├── BadData             the data set or its replay file cannot be used
└── BadRepairs          the repairs are no JSON object
"""

from runtime.errors import Permanent, Temporary

__all__ = ["BadData", "BadRepairs", "RepairBusy"]


class BadData(Permanent):
    """The data set or its replay file cannot be used."""


class RepairBusy(Temporary):
    """Another run has the dead letters, or what was put back cannot be noted."""


class BadRepairs(Permanent):
    """The repairs are no JSON object."""

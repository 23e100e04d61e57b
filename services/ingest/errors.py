"""What can go wrong in ingest.

Temporary
├── TopicMissing        a topic that the platform has not declared yet
├── SendRefused         the broker refused a record
└── RepairBusy          dead letters cannot be put back at present
Permanent
├── BadData             the data set or its replay file cannot be used
└── BadRepairs          the repairs are no JSON object
"""

from runtime.errors import Permanent, Temporary

__all__ = ["BadData", "BadRepairs", "RepairBusy", "SendRefused", "TopicMissing"]


class TopicMissing(Temporary):
    """A topic does not exist (yet): topics are declared by the platform, never created by accident."""


class BadData(Permanent):
    """The data set or its replay file cannot be used."""


class SendRefused(Temporary):
    """The broker refused a record; the place in the replay is found again from the log after a restart."""


class RepairBusy(Temporary):
    """Another run has the dead letters, or what was put back cannot be noted."""


class BadRepairs(Permanent):
    """The repairs are no JSON object."""

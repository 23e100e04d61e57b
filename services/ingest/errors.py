"""What can go wrong in ingest.

Temporary
└── BrokerUnavailable   Kafka does not answer, or a partition has no leader
Permanent
├── TopicMissing        a topic that the platform should have declared
├── BadData             the data set or its replay file cannot be used
└── SendRefused         the broker refused a record for good
"""

from runtime.errors import Permanent, Temporary

__all__ = ["BadData", "BrokerUnavailable", "Permanent", "SendRefused", "Temporary", "TopicMissing"]


class BrokerUnavailable(Temporary):
    """Kafka does not answer, or a partition has no leader at present."""


class TopicMissing(Temporary):
    """A topic does not exist (yet): topics are declared by the platform, never created by accident."""


class BadData(Permanent):
    """The data set or its replay file cannot be used."""


class SendRefused(Temporary):
    """The broker refused a record; the place in the replay is found again from the log after a restart."""

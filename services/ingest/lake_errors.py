"""What can go wrong between the log and the lake.

Temporary
├── LakeUnavailable   the object store does not answer, or a commit is not known to have happened
└── LakeContended     somebody else wrote the same partition's events: the place is read again from the table
Permanent
├── LakeBroken        a table cannot be read: its log or one of its files is damaged
└── LakeSchema        a table's column has another type than the contract asks for
"""

from runtime.errors import Permanent, Temporary


class LakeUnavailable(Temporary):
    """The object store does not answer; nothing is lost, the log keeps what is not committed."""


class LakeContended(Temporary):
    """Another writer committed the same application's transaction."""


class LakeBroken(Permanent):
    """A table cannot be read."""


class LakeSchema(Permanent):
    """A table does not fit the contract, and widening it would not help."""

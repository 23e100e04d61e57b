"""What can go wrong in the lake.

Temporary
├── StoreAway        the object store does not answer
├── OnlineStoreAway  Redis does not answer or does not take rows
└── Contended        somebody else committed to the same table meanwhile
Permanent
├── TableMissing     no such table, or not in that version
├── TableBroken      a table's log or one of its files is damaged
├── SchemaChanged    a column is missing or has another type than the contract says
├── BadRequest       a name, date or file that was given cannot be used
├── EmptyRange       there is nothing in the range that was asked for
├── Leak             a feature is known only after the prediction is made
├── BadQuality       data break their contract
├── Differs          a training set that was made again has other bytes
└── ToolFailed       a program that was run failed
"""

from runtime.errors import Permanent, Temporary
from runtime.store import Contended, SchemaChanged, StoreAway, TableBroken

__all__ = [
    "BadQuality",
    "BadRequest",
    "Contended",
    "Differs",
    "EmptyRange",
    "Leak",
    "OnlineStoreAway",
    "SchemaChanged",
    "StoreAway",
    "TableBroken",
    "TableMissing",
    "ToolFailed",
]


class OnlineStoreAway(Temporary):
    """Redis does not answer or does not take rows."""


class TableMissing(Permanent):
    """No such table, or not in that version."""


class BadRequest(Permanent):
    """A name, date or file that was given cannot be used."""


class EmptyRange(Permanent):
    """There is nothing in the range that was asked for."""


class Leak(Permanent):
    """A feature is known only after the prediction is made."""


class BadQuality(Permanent):
    """Data break their contract."""


class Differs(Permanent):
    """A training set that was made again has other bytes."""


class ToolFailed(Permanent):
    """A program that was run failed."""

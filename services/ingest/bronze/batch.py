"""Bronze: what a topic's table holds, as the contract says it, and where each row stood in the log.

    one column per field of the event, under its name; `type` is left out, for a table holds one type
    kafka_partition, kafka_offset, kafka_time     the record that the row was
    date                                          the UTC day of the event time, by which the table is partitioned

Rows are kept as they came, duplicates included: only what breaks its contract is left out.
"""

import datetime as dt
import typing
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from contracts.events import Event
from contracts.topics import EVENTS
from contracts.validation import Reader, why
from runtime.broker import Place

Kind = Literal["text", "integer", "number", "instant", "day"]

_KINDS: dict[type, Kind] = {str: "text", int: "integer", float: "number", dt.datetime: "instant"}
_MICROSECONDS = 1_000_000


class Column(NamedTuple):
    """A column of a bronze table."""

    name: str
    kind: Kind
    optional: bool


DAY = Column("date", "day", optional=False)
PLACE = (
    Column("kafka_partition", "integer", optional=False),
    Column("kafka_offset", "integer", optional=False),
    Column("kafka_time", "instant", optional=False),
)


def columns(topic: str) -> tuple[Column, ...]:
    """The columns of a topic's table, in order."""
    kind = EVENTS[topic]
    hints = typing.get_type_hints(kind)
    own = (_column(name, hints[name]) for name in kind.__struct_fields__)
    return (*own, *PLACE, DAY)


def _column(name: str, hint: Any) -> Column:  # noqa: ANN401  a type
    kinds = typing.get_args(hint) or (hint,)
    (kind,) = (each for each in kinds if each is not type(None))
    return Column(name, _KINDS[kind], optional=len(kinds) > 1)


class Batch:
    """What was read of one topic and is not committed yet.

    Args:
        topic: the event topic.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.events: list[Event] = []
        self.places: list[tuple[int, int, int]] = []
        """By event: partition, offset and the record's time stamp in milliseconds."""
        self.next: dict[Place, int] = {}
        """Partition -> next offset to read once this batch is committed."""
        self.dead: Counter[str] = Counter()
        """Kind of refusal -> records that break the contract: the consumer's dead letters hold them."""
        self._decode = Reader(topic).decode

    def __len__(self) -> int:
        return len(self.events)

    def take(self, place: Place, records: Iterable[Any]) -> None:
        """Add records of one partition, in order of their offsets."""
        decode, events, places, number = self._decode, self.events, self.places, place.partition
        record = None
        for record in records:
            try:
                event = decode(record.value or b"")
            except msgspec.DecodeError as failure:
                self.dead[why(failure).kind] += 1
                continue
            events.append(event)
            places.append((number, record.offset, record.timestamp))
        if record is not None:
            self.next[place] = record.offset + 1

    def values(self) -> dict[str, list[Any]]:
        """Column name -> values; instants are microseconds since the epoch, the day is left to the table."""
        found = {each.name: self._field(each) for each in columns(self.topic)[: -len(PLACE) - 1]}
        partitions, offsets, stamps = zip(*self.places, strict=True) if self.places else ((), (), ())
        return found | {
            "kafka_partition": list(partitions),
            "kafka_offset": list(offsets),
            "kafka_time": [stamp * 1000 for stamp in stamps],
        }

    def _field(self, column: Column) -> list[Any]:
        values = [getattr(event, column.name) for event in self.events]
        return [_micros(value) for value in values] if column.kind == "instant" else values


def _micros(instant: dt.datetime) -> int:
    return round(instant.timestamp() * _MICROSECONDS)

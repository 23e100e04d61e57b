"""History: the events of the data set that lie before the replay, written to bronze as if the log had brought them.

The log keeps a week, so that months that are over can only come from where they were kept. Each topic's events stand in
one partition of no broker; how far they were written is part of each commit, so that a second run adds nothing.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contracts.topics import EVENTS
from ingest.bronze.batch import Batch, columns
from ingest.bronze.table import Table
from ingest.replay import Replay
from ingest.settings import BackfillSettings
from runtime.broker import Place
from runtime.store import Store

_APPLICATION = "{topic}-0@history"


class _Record(NamedTuple):
    """A record as `Batch` takes it."""

    offset: int
    timestamp: int
    value: bytes


def backfill(settings: BackfillSettings) -> dict[str, int]:
    """Write everything before an instant that is not there yet; topic -> events written by this call.

    Raises:
        BadData: the replay file cannot be read.
        StoreAway, TableBroken, SchemaChanged: see `ingest.bronze.table`.
    """
    store = Store.of(settings)
    tables = {topic: Table(store, topic, columns(topic)) for topic in EVENTS}
    written = dict.fromkeys(EVENTS, 0)
    for topic, records in _batches(settings):
        written[topic] += _kept(tables[topic], topic, records)
    for table in tables.values():
        table.compact()
    return written


def _kept(table: Table, topic: str, records: list[_Record]) -> int:
    """Commit what a table lacks of these records; how many that were."""
    application = _APPLICATION.format(topic=topic)
    place = table.position(application) or 0
    fresh = [each for each in records if each.offset >= place]
    if fresh:
        batch = Batch(topic)
        batch.take(Place(topic, 0), fresh)
        table.append(batch.values(), {application: fresh[-1].offset + 1})
    return len(fresh)


def _batches(settings: BackfillSettings) -> Iterator[tuple[str, list[_Record]]]:
    """Read the file up to the instant; topic and records, so many at a time."""
    waiting: dict[str, list[_Record]] = {topic: [] for topic in EVENTS}
    begun = dict.fromkeys(EVENTS, 0)
    for planned in Replay(Path(settings.data), _BEGINNING, 0, 1):
        if planned.time >= settings.until.timestamp():
            break
        records, topic = waiting[planned.topic], planned.topic
        records.append(_Record(begun[topic] + len(records), int(planned.time * 1000), planned.value))
        if len(records) >= settings.backfill_events:
            yield topic, records
            begun[topic] += len(records)
            waiting[topic] = []
    yield from ((topic, records) for topic, records in waiting.items() if records)


_BEGINNING = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
"""Of the data set."""

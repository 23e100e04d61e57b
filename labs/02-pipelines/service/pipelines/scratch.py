"""The experiments' own lake: the first weeks of the year, made once by the chain's own code.

The lake of the stack fills at the pace of the replay, a day in two minutes; what is measured here needs weeks at once,
and the same ones at every run.
"""

import datetime as dt
import logging
from pathlib import Path
from typing import NamedTuple

from contracts.topics import EVENTS
from ingest import replay
from ingest.bronze.batch import Batch, columns
from ingest.bronze.table import Table
from lake.store import Lake
from runtime.broker import Place
from runtime.store import Store

log = logging.getLogger(__name__)

BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
DAYS = 21
_LAST = "gold/features/turn_by_tailnum"
"""Made last: where it stands, all of the lake does."""


class _Record(NamedTuple):
    """A consumed record, as far as the writer of bronze looks at it."""

    offset: int
    value: bytes
    timestamp: int = 0


def lake(store: Store, file: Path, days: int = DAYS) -> Lake:
    """The scratch lake; made where it is not there yet, or not to its end.

    Args:
        store: where it lies.
        file: the replay file.
        days: how many from the beginning of the year.

    Raises:
        StoreAway: the object store does not answer.
    """
    made = Lake(store)
    if not made.exists(_LAST):
        log.info("making the scratch lake", extra={"days": days})
        bronze(store, file, BEGIN + dt.timedelta(days=days))
        from lake.build import build  # noqa: PLC0415  what it stands on takes longer than the rest of a start

        build(made)
    return made


def bronze(store: Store, file: Path, end: dt.datetime) -> None:
    """Write the events before `end` to bronze; a second time changes nothing."""
    for topic, values in _by_topic(file, end.timestamp()).items():
        table, application = Table(store, topic, columns(topic)), f"{topic}-0@scratch"
        if table.position(application) is not None:
            continue
        batch = Batch(topic)
        batch.take(Place(topic, 0), [_Record(number, value) for number, value in enumerate(values)])
        table.append(batch.values(), {application: len(values)})


def _by_topic(file: Path, end: float) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {topic: [] for topic in EVENTS}
    for planned in replay.Replay(file, BEGIN, 0, 1):
        if planned.time >= end:
            break
        found[planned.topic].append(planned.value)
    return found

"""The batch layer's way into the online store: the newest row of each entity, guarded like every other write.

The speed layer writes the views of source STREAM itself; those of source BATCH exist only here, and a model that serves
needs them as well. A row that was made anew for the same event time (an arrival came late) has to take the place of the
earlier one: it counts as later because its table's commit is. Again changes nothing; an emptied store is filled.

A day's row stands at the first instant of the next one, and is made while the day goes on: rows beyond the newest
arrival are left out, for nobody can know them yet.
"""

import datetime as dt
import logging
from collections.abc import Iterator

import polars as pl

from contracts.layout import nanos_of
from contracts.online import Outcome, Row, Unreachable, Writer
from contracts.views import BATCH, Definitions, View
from contracts.views_flights import DEFINITIONS
from lake import offline
from lake.errors import OnlineStoreAway
from lake.store import Lake

log = logging.getLogger(__name__)

_ARRIVALS = "silver/arrivals"


def materialize(lake: Lake, writer: Writer, definitions: Definitions = DEFINITIONS) -> dict[str, Outcome]:
    """Write the newest row of every entity of the batch views; view -> what came of its rows.

    Args:
        lake: where the offline features are.
        writer: of the online store.
        definitions: which views there are.

    Raises:
        TableMissing: a view was never built.
        OnlineStoreAway: Redis is gone or refuses; the next run makes up for it.
    """
    found, until = {}, horizon(lake)
    for view in definitions.views:
        if view.source == BATCH:
            try:
                found[view.name] = writer.write(newest(lake, view, until))
            except Unreachable as failure:
                raise OnlineStoreAway(
                    f"view {view.name} cannot be written to the online store: {failure}",
                    "the next run of CronJob/lake-build makes up for it once Redis is back",
                ) from failure
            log.info("materialized", extra={"view": view.name, **found[view.name]._asdict()})
    return found


def horizon(lake: Lake) -> dt.datetime:
    """How far the batch layer knows: the event time of the newest arrival.

    Raises:
        TableMissing: there is no arrival yet.
    """
    arrivals = lake.collect(_ARRIVALS, lake.scan(_ARRIVALS).select(pl.col("time").max()))
    newest: dt.datetime = arrivals.item()
    return newest


def newest(lake: Lake, view: View, until: dt.datetime) -> Iterator[Row]:
    """The newest row of each entity of a view, as the online store takes it.

    Args:
        lake: where the view's table is.
        view: which.
        until: rows of later event times are left out.
    """
    name = offline.table(view)
    commit = lake.newest(name)
    columns = [*view.entities, offline.STAMP, *(feature for feature, _ in view.columns)]
    known = lake.scan(name, commit["version"]).select(columns).filter(pl.col(offline.STAMP) <= until)
    latest = known.group_by(view.entities).agg(pl.all().sort_by(offline.STAMP).last())
    for row in lake.collect(name, latest).select(columns).iter_rows():
        keys, (stamp, *values) = row[: len(view.entities)], row[len(view.entities) :]
        entities = dict(zip(view.entities, keys, strict=True))
        yield Row(view.name, entities, nanos_of(stamp), values, int(commit["timestamp"]))

"""What becomes of a table when its producer sends a further column, or another type, in each way of writing."""

import datetime as dt
from typing import Any, NamedTuple

import polars as pl
from deltalake import write_deltalake
from deltalake.exceptions import SchemaMismatchError

from lake.store import Lake, Origin, told
from pipelines.scratch import BEGIN
from pipelines.settings import MERGE, OVERWRITE, STRICT
from pipelines.stage import Stage
from runtime.figures import Result, row, timed
from runtime.store import Store

TABLE = "schema-evolution/readings"
_SOURCE = "silver/weather"
_COLUMNS = ("id", "date", "station", "temp", "humid")
_FURTHER = "wind_gust"
_WAYS: dict[str, dict[str, Any]] = {
    OVERWRITE: {"mode": "overwrite", "schema_mode": "overwrite"},
    STRICT: {"mode": "append"},
    MERGE: {"mode": "append", "schema_mode": "merge"},
}


class _Sent(NamedTuple):
    """What became of a batch."""

    taken: bool
    """All its rows are in the table."""
    said: str | None
    """With which words it was refused."""
    seconds: float
    held: set[str]
    """The readings that the table holds now."""


def schema_evolution(stage: Stage) -> Result:
    """Write the same three batches in each way, and look at the table after each.

    Raises:
        StoreAway: the object store does not answer.
    """
    lake = stage.lake()
    return {"settings": {"schema_mode": stage.settings.schema_mode}, **evolved(lake, stage.store)}


def evolved(lake: Lake, store: Store) -> Result:
    """What each way of writing made of the batches.

    Args:
        lake: where the readings are, and the table.
        store: the same place, as a writer of its own is told of it.
    """
    days = [_day(lake, number) for number in range(4)]
    modes = {mode: _outcome(lake, store, mode, days) for mode in _WAYS}
    lake.vacuum(TABLE, 0)  # the versions in between have been looked at
    lake.table(TABLE).create_checkpoint()  # else each opening reads the log of the runs before, commit by commit
    return {
        "rows_before": days[0].height,
        "rows_sent": days[1].height,
        "modes": modes,
        "figures": [row(mode, "weather", seconds=outcome.pop("seconds")) for mode, outcome in modes.items()],
    }


def _day(lake: Lake, number: int) -> pl.DataFrame:
    day = BEGIN.date() + dt.timedelta(days=number)
    return lake.collect(_SOURCE, lake.scan(_SOURCE, days={day}).select(*_COLUMNS, _FURTHER))


def _outcome(lake: Lake, store: Store, mode: str, days: list[pl.DataFrame]) -> dict[str, Any]:
    """What one way of writing made of a table of one day, and of the batches of the days after."""
    first, wider, _, _ = days
    first = first.select(_COLUMNS)
    # The fourth day comes as text as well, but as text that reads as a number.
    text = days[2].select(_COLUMNS).with_columns(pl.format("{} F", "temp").alias("temp"))
    numerals = days[3].select(_COLUMNS).with_columns(pl.col("temp").cast(pl.String))

    lake.write(TABLE, first, Origin((), ""), partition="station", about="readings whose producer changes its mind")
    answer = _answer(lake, first)
    further = _sent(lake, store, mode, wider)
    breaking = _sent(lake, store, mode, text)
    return {
        "rows": len(breaking.held),
        "rows_lost": len(set(first["id"]) - breaking.held),
        "old_query_same": _same(lake, first, answer),
        "additive_taken": further.taken,
        "breaking_refused": not breaking.taken,
        "said": {"additive": further.said, "breaking": breaking.said},
        "numerals_taken": _sent(lake, store, mode, numerals).taken,
        "temp_type": _type(lake),
        "seconds": [further.seconds, breaking.seconds],
    }


def _sent(lake: Lake, store: Store, mode: str, batch: pl.DataFrame) -> _Sent:
    seconds, said = timed(lambda: refusal(store, mode, batch))
    held = set(lake.collect(TABLE, lake.scan(TABLE).select("id"))["id"])
    return _Sent(set(batch["id"]) <= held, said, seconds, held)


def refusal(store: Store, mode: str, batch: pl.DataFrame) -> str | None:
    """Send a batch in one way of writing; the words with which it was refused for its schema, else None.

    Raises:
        StoreAway: it failed for another reason.
    """
    path = store.path(TABLE)
    try:
        write_deltalake(path, batch, storage_options=store.options() or None, **_WAYS[mode])
    except Exception as failure:
        # A value that cannot be converted has no class of its own, and not even always a DeltaError: its words tell.
        if isinstance(failure, SchemaMismatchError) or "Cast error" in str(failure):
            return f"{type(failure).__name__}: {failure}"
        raise told(f"table {TABLE} at {path} could not be written", failure) from failure
    return None


def _answer(lake: Lake, first: pl.DataFrame) -> list[Any]:
    """What a report on the first day says that knows the old columns only."""
    day = pl.col("date").is_in(first["date"].unique().to_list())
    means = pl.col("temp", "humid").mean().round(6)  # whatever the order in which the rows are read
    return lake.scan(TABLE).filter(day).group_by("station").agg(means).sort("station").collect().rows()


def _same(lake: Lake, first: pl.DataFrame, answer: list[Any]) -> bool:
    """Whether the report still says so; one that fails does not."""
    try:
        return _answer(lake, first) == answer
    except pl.exceptions.PolarsError:
        return False


def _type(lake: Lake) -> str:
    return next(str(field.type.type) for field in lake.table(TABLE).schema().fields if field.name == "temp")

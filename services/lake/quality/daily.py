"""The daily judgement: every day that silver gained or changed is judged once, and the result kept in a table."""

import datetime as dt
import logging
from collections.abc import Iterable

import polars as pl

from contracts.training_sets import Reference
from lake import store
from lake.errors import EmptyRange
from lake.quality.monitors import WATCHED, WEEKS, Day, Judgement, Usual, Watched, judged, measured
from lake.steps import recipe
from lake.store import Days, Lake, Origin

log = logging.getLogger(__name__)

TABLE = "quality/judgements"
_SCHEMA = {
    "table": pl.String,
    "monitor": pl.String,
    "column": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "alarm": pl.Boolean,
    "rows": pl.Int64,
    "date": pl.Date,
}


def judge(lake: Lake, days: Days | None = None) -> pl.DataFrame:
    """Judge days and keep what was found; without days, those that silver gained or changed since the last time.

    The newest day of the data is left out unless asked for: it is not over yet.

    Raises:
        EmptyRange: there is nothing to judge.
    """
    now = [lake.reference(watched.table) for watched in WATCHED]
    wanted = days if days is not None else _open(lake, now)
    if not wanted:
        return pl.DataFrame(schema=_SCHEMA)
    known = {watched.table: _alarmed(lake, watched.table) - wanted for watched in WATCHED}
    rows = [
        row
        for watched, reference in zip(WATCHED, now, strict=True)
        for row in _of_table(lake, watched, reference, wanted, known[watched.table])
    ]
    if not rows:
        raise EmptyRange(f"quality of {_told(wanted)}: silver has no rows of these days", "build silver first")
    found = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    lake.write(
        TABLE, found, Origin(tuple(now), recipe()), partition=store.DAY,
        only=store.between(wanted) if lake.exists(TABLE) else None, about="what the monitors said of each day",
    )  # fmt: skip
    return found


def _told(days: Iterable[dt.date]) -> str:
    ordered = sorted(days)
    return f"{ordered[0]}" if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _open(lake: Lake, now: list[Reference]) -> Days:
    held = {each.name: lake.days(each.name, each.version) for each in now}
    over = {day for days in held.values() for day in days}
    over.discard(max(over, default=dt.date.min))
    origin = lake.origin(TABLE) if lake.exists(TABLE) else None
    before = {each.name: each for each in origin.inputs} if origin and origin.recipe == recipe() else {}
    if any(each.name not in before or before[each.name].id != each.id for each in now):
        return over
    done = lake.days(TABLE)
    changed = {
        day for each in now for day in store.changed(lake.days(each.name, before[each.name].version), held[each.name])
    }
    return over & (changed | (over - done.keys()))


def _alarmed(lake: Lake, table: str) -> Days:
    """Days that were judged bad: they are no measure for others."""
    if not lake.exists(TABLE):
        return set()
    bad = lake.scan(TABLE).filter(pl.col("alarm") & (pl.col("table") == table)).select("date").unique()
    return set(lake.collect(TABLE, bad).get_column("date"))


def _of_table(
    lake: Lake, watched: Watched, reference: Reference, wanted: Days, bad: Days
) -> Iterable[tuple[object, ...]]:
    first = min(wanted) - dt.timedelta(weeks=WEEKS)
    span = {first + dt.timedelta(days=number) for number in range((max(wanted) - first).days + 1)}
    columns = {"time", *watched.nulls, *watched.numbers, *watched.categories, store.DAY} - {"hour"}
    rows = lake.collect(watched.table, lake.scan(watched.table, reference.version, span).select(sorted(columns)))
    by_day = {key[0]: part for key, part in rows.partition_by(store.DAY, as_dict=True).items()}
    past: list[Day] = []
    for date in sorted(span):
        part = by_day.get(date, rows.clear())
        if not part.height and date not in wanted:
            continue
        day = measured(part, date, watched)
        since = date - dt.timedelta(weeks=WEEKS)
        past = [each for each in past if each.date >= since]
        found = judged(day, Usual(past), watched.table) if date in wanted else []
        yield from (_row(each, day.rows) for each in found)
        if not found and date in wanted:
            yield (watched.table, "volume", "", float(day.rows), 0.0, float("inf"), False, day.rows, date)
        if date not in bad and not any(each.alarm for each in found):
            past.append(day)


def _row(each: Judgement, rows: int) -> tuple[object, ...]:
    return (each.table, each.monitor, each.column, each.value, each.low, each.high, each.alarm, rows, each.date)

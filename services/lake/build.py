"""The batch layer: makes every output that its inputs have outgrown, day by day where that is enough.

Each output's commit says which versions of its inputs it was made from. The next run compares these versions with the
newest ones, finds the days whose rows changed, and writes the days that follow from them anew, in one commit. Nothing
changed: nothing is written. Killed in the middle: what is committed is whole, the rest is made by the next run.
"""

import datetime as dt
import logging
import time
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from contracts.training_sets import Reference
from lake import store
from lake.errors import TableMissing
from lake.quality import rows as quality
from lake.steps import Step, recipe, steps
from lake.store import DAY, Days, Lake, Origin

log = logging.getLogger(__name__)

UNCHANGED, DAYS, WHOLE = "unchanged", "days", "whole"


class Made(NamedTuple):
    """What became of one output."""

    output: str
    how: str
    """`unchanged`, `days` (some were made anew) or `whole`."""
    days: int
    rows: int
    seconds: float


def build(lake: Lake, only: Iterable[str] = (), *, anew: bool = False) -> list[Made]:
    """Make what is out of date.

    Args:
        lake: where.
        only: outputs to look at; empty: all.
        anew: make everything, whatever the commits say.

    Raises:
        TableMissing: there is no bronze yet.
        BadQuality: rows break the contract of their event; nothing is made of them.
    """
    wanted = set(only)
    return [_made(lake, step, anew=anew) for step in steps() if not wanted or step.output in wanted]


def _made(lake: Lake, step: Step, *, anew: bool) -> Made:
    begun = time.perf_counter()
    now = [lake.reference(name) for name in step.inputs]
    days = None if anew else outdated(lake, step, now)
    if days is not None and not days:
        return Made(step.output, UNCHANGED, 0, 0, time.perf_counter() - begun)
    rows = _rows(lake, step, now, days)
    if step.topic:
        quality.check(rows, quality.of_topic(step.topic), f"table {step.output}")
    lake.write(
        step.output, rows, Origin(tuple(now), recipe()), partition=step.partition, only=_part(step, days),
        about=step.about,
    )  # fmt: skip
    made = Made(step.output, WHOLE if days is None else DAYS, len(days or ()), rows.height, time.perf_counter() - begun)
    log.info("made", extra=made._asdict())
    return made


def outdated(lake: Lake, step: Step, now: list[Reference]) -> Days | None:
    """Days of an output that its inputs have outgrown; None: all of it."""
    if not lake.exists(step.output):
        return None
    origin = lake.origin(step.output)
    if origin is None or origin.recipe != recipe():
        return None
    before = {each.name: each for each in origin.inputs}
    found: Days = set()
    for each in now:
        days = _changed(lake, before.get(each.name), each)
        if days is None:
            return None
        found |= _reached(days, *step.inputs[each.name])
    return found


def _changed(lake: Lake, before: Reference | None, now: Reference) -> Days | None:
    """Days whose rows differ between two versions of an input; None where that cannot be told."""
    if before is None or before.id != now.id:
        return None
    if before.version == now.version:
        return set()
    try:
        return store.changed(lake.days(now.name, before.version), lake.days(now.name, now.version))
    except TableMissing:
        return None  # the older version's log has been cleaned away


def _reached(days: Days, first: int, last: int) -> Days:
    return {day + dt.timedelta(days=step) for day in days for step in range(first, last + 1)}


def _rows(lake: Lake, step: Step, now: list[Reference], days: Days | None) -> pl.DataFrame:
    inputs = []
    for each in now:
        first, last = step.inputs[each.name]
        needed = None if days is None else _needed(step, days, first, last)
        inputs.append(lake.scan(each.name, each.version, needed))
    rows = step.make(*inputs)
    if days is not None:
        rows = rows.filter(pl.col(step.partition).is_in(_parts(step, days)))
    return lake.collect(step.output, rows)


def _needed(step: Step, days: Days, first: int, last: int) -> Days:
    """Input days that have a part in these days of the output."""
    if step.partition != DAY:
        days = {day for month in _parts(step, days) for day in _days_of(month)}
    return _reached(days, -last, -first)


def _part(step: Step, days: Days | None) -> str | None:
    if days is None:
        return None
    if step.partition == DAY:
        return store.between(days)
    quoted = ", ".join(f"'{part}'" for part in _parts(step, days))
    return f"{step.partition} IN ({quoted})"


def _parts(step: Step, days: Days) -> list[dt.date] | list[str]:
    """Values of the output's partition that cover these days."""
    if step.partition == DAY:
        return sorted(days)
    return sorted({f"{day:%Y-%m}" for day in days})


def _days_of(month: dt.date | str) -> Days:
    first = dt.date.fromisoformat(f"{month}-01")
    return {day for number in range(31) if (day := first + dt.timedelta(days=number)).month == first.month}

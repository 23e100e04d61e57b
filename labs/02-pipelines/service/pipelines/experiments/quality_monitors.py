"""Which monitors find which damage, and on how many good days they raise an alarm all the same."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

import polars as pl

from lake import store
from lake.errors import EmptyRange
from lake.quality.monitors import FEWEST, WATCHED, Judgement, Usual, Watched, judged, measured
from lake.store import Lake
from pipelines.stage import Stage
from runtime.errors import BadSetting
from runtime.figures import Result, row
from runtime.seeds import order

EXERCISE = "quality-monitors"
MONITORS = ("volume", "silence", "nulls", "range", "drift", "mix")

Alarm = tuple[str, str]
"""Monitor and column."""
Days = Sequence[tuple[dt.date, pl.DataFrame]]
Spoil = Callable[[pl.DataFrame], pl.DataFrame]

_SEED, _MISSING = 13, 0.8


class Seen(NamedTuple):
    """What the monitors said of a table.

    Attributes:
        clean: good day -> what alarmed.
        damaged: kind of damage done to the last day -> what alarmed because of it.
        seconds: how long the judgement of each good day took.
        rows: how many rows these days have.
    """

    clean: dict[dt.date, set[Alarm]]
    damaged: dict[str, set[Alarm]]
    seconds: list[float]
    rows: int


def quality_monitors(stage: Stage) -> Result:
    """Judge good days and a day damaged in three ways, and see what the chosen monitors, and each of them alone, find.

    Raises:
        BadSetting: a monitor was chosen that there is not.
        EmptyRange: the lake has too few days.
        StoreAway: the object store does not answer.
    """
    chosen = chosen_of(stage.settings.monitors)
    lake, damage = stage.lake(), called(stage.settings.seed)
    seen = {each.table: judge(_days(lake, each), each, damage[each.table]) for each in WATCHED if each.table in damage}
    return {
        "settings": {"monitors": stage.settings.monitors, "seed": stage.settings.seed},
        "days": len({date for each in seen.values() for date in each.clean}),
        **outcome(seen.values(), chosen),
        "monitors": {name: outcome(seen.values(), {name}) for name in MONITORS},
        "figures": [
            row(table, _USE_CASES[table], seconds=each.seconds, throughput=each.rows / sum(each.seconds))
            for table, each in seen.items()
        ],
    }


def named(seed: str) -> dict[str, str]:
    """What each kind of damage is called: by a trainee's seed, so that names tell nothing; without one, what it is."""
    kinds = [kind for done in DAMAGE.values() for kind in done]
    if not seed:
        return {kind: kind for kind in kinds}
    return {kind: f"damage-{number}" for number, kind in enumerate(order(seed, EXERCISE, kinds), 1)}


def called(seed: str) -> dict[str, dict[str, Spoil]]:
    """Table -> what is done to its last day, by the names that a seed gives."""
    names = named(seed)
    return {table: {names[kind]: spoil for kind, spoil in done.items()} for table, done in DAMAGE.items()}


def chosen_of(text: str) -> set[str]:
    """The monitors that a text names.

    Raises:
        BadSetting: it names one that there is not.
    """
    names = {name for each in text.split(",") if (name := each.strip())}
    unknown = sorted(names - set(MONITORS))
    if unknown:
        raise BadSetting(
            f"environment variable TARMAC_MONITORS={text!r} names {', '.join(unknown)}",
            f"give it some of {', '.join(MONITORS)}, separated by commas",
        )
    return names


def judge(days: Days, watched: Watched, damage: Mapping[str, Spoil]) -> Seen:
    """Judge every day before which enough are known, and the last one once more for each kind of damage.

    All days count as good ones, so each teaches those after it: what alarms on them is a false alarm.

    Args:
        days: the table's days and their rows, oldest first.
        watched: what to look at.
        damage: kind -> what it makes of a day's rows.

    Raises:
        EmptyRange: too few days.
    """
    if len(days) <= FEWEST:
        raise EmptyRange(
            f"table {watched.table}: has {len(days)} days, and a judgement needs {FEWEST} before it",
            "remove the folder lab-02 of the lake, so that it is made anew, and measure again",
        )
    known = [measured(rows, date, watched) for date, rows in days]
    seen = Seen({}, {}, [], sum(day.rows for day in known[FEWEST:]))
    for number in range(FEWEST, len(known)):
        begun = time.perf_counter()
        usual = Usual(known[:number])
        alarms = _alarms(judged(known[number], usual, watched.table))
        seen.seconds.append(time.perf_counter() - begun)
        seen.clean[known[number].date] = alarms
    # What is left of the loop is the last day: its `Usual`, which is what takes the time, serves every version of it.
    date, rows = days[-1]
    for name, spoil in damage.items():
        seen.damaged[name] = _alarms(judged(measured(spoil(rows), date, watched), usual, watched.table)) - alarms
    return seen


def outcome(seen: Iterable[Seen], chosen: Iterable[str]) -> Result:
    """What some monitors are worth: the damage that they find, and the good days on which they alarm."""
    tables, names = list(seen), set(chosen)
    damaged = {kind: alarms for each in tables for kind, alarms in each.damaged.items()}
    return {
        # In the order of their names: that of the tables would tell which is which.
        "found": {kind: any(monitor in names for monitor, _ in damaged[kind]) for kind in sorted(damaged)},
        "false_alarms": len(
            {
                date
                for each in tables
                for date, alarms in each.clean.items()
                if any(monitor in names for monitor, _ in alarms)
            }
        ),
    }


def _alarms(judgements: Iterable[Judgement]) -> set[Alarm]:
    return {(each.monitor, each.column) for each in judgements if each.alarm}


def _days(lake: Lake, watched: Watched) -> Days:
    rows = lake.collect(watched.table, lake.scan(watched.table))
    return sorted((key[0], part) for key, part in rows.partition_by(store.DAY, as_dict=True).items())


def lost_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Half of the rows, as after a partition of a topic that nobody read."""
    return rows.sample(fraction=0.5, seed=_SEED)


def empty_column(rows: pl.DataFrame) -> pl.DataFrame:
    """Humidity missing in most rows, as after an instrument that fails now and then."""
    draw = Random(_SEED)  # noqa: S311  the same rows at every run
    kept = pl.Series([draw.random() >= _MISSING for _ in range(rows.height)], dtype=pl.Boolean)
    return rows.with_columns(humid=pl.when(kept).then(pl.col("humid")))


def other_unit(rows: pl.DataFrame) -> pl.DataFrame:
    """Temperatures in degrees Celsius where Fahrenheit is expected."""
    return rows.with_columns(temp=(pl.col("temp") - 32) * 5 / 9)


DAMAGE: dict[str, dict[str, Spoil]] = {
    "silver/departures": {"lost-rows": lost_rows},
    "silver/weather": {"empty-column": empty_column, "other-unit": other_unit},
}
"""Table -> what is done to its last day."""
_USE_CASES = {"silver/departures": "punctuality", "silver/weather": "weather"}

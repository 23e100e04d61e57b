"""Monitors: a day of a table, measured, and compared with the days before it.

    volume        rows, against the same weekdays of the last weeks
    silence       the longest time without an event, seconds
    nulls         share of rows in which a column is missing
    range         share of rows outside of what the days before knew, a margin apart
    drift         Kolmogorov-Smirnov distance between the day's values and those of the days before
    mix           total variation distance between the day's shares of categories and those of the days before

What is usual is learned from the days before alone: each of them is compared with the others in the same way, and the
limit is what they reached, a margin apart. A day that was judged bad teaches nothing.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from lake.quality.drift import distance

WEEKS = 4
FEWEST = 7
"""Days that a judgement needs; before there are as many, a day is only recorded."""


@dataclass(frozen=True)
class Watched:
    """What is watched of a table.

    Attributes:
        table: silver table.
        nulls: columns that may be missing, whose share is watched.
        numbers: columns whose values are watched.
        categories: columns whose shares are watched.
    """

    table: str
    nulls: tuple[str, ...]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]


WATCHED = (
    Watched("silver/departures", ("tailnum",), ("delay", "distance", "hour"), ("origin", "carrier")),
    Watched(
        "silver/arrivals", ("tailnum", "air_time"), ("delay", "distance", "air_time", "hour"), ("origin", "carrier")
    ),
    Watched(
        "silver/weather",
        ("temp", "dewp", "humid", "wind_speed", "pressure", "visib"),
        ("temp", "dewp", "humid", "hour"),
        ("station",),
    ),
)


class Day(NamedTuple):
    """A day of a table, as far as the monitors look at it."""

    date: dt.date
    rows: int
    silence: float
    nulls: dict[str, float]
    values: dict[str, pl.Series]
    """Numeric column -> its values, in order."""
    shares: dict[str, dict[str, float]]
    """Category -> its share of the rows."""


class Judgement(NamedTuple):
    """One monitor on one day."""

    date: dt.date
    table: str
    monitor: str
    column: str
    value: float
    low: float
    high: float

    @property
    def alarm(self) -> bool:
        """Whether the value is out of bounds."""
        return not self.low <= self.value <= self.high


def measured(rows: pl.DataFrame, date: dt.date, watched: Watched) -> Day:
    """A day, measured.

    Args:
        rows: of that day, with `time`.
        date: the day.
        watched: what to look at.
    """
    rows = rows.with_columns(hour=pl.col("time").dt.hour() + pl.col("time").dt.minute() / 60)
    return Day(
        date,
        rows.height,
        _silence(rows.get_column("time"), date),
        {name: _share_of_nulls(rows, name) for name in watched.nulls},
        {name: rows.get_column(name).drop_nulls().cast(pl.Float64).sort() for name in watched.numbers},
        {name: _shares(rows, name) for name in watched.categories},
    )


def _silence(times: pl.Series, date: dt.date) -> float:
    begin = dt.datetime.combine(date, dt.time(), dt.UTC)
    ends = pl.Series([begin, begin + dt.timedelta(days=1)], dtype=pl.Datetime("us", "UTC"))
    gaps = pl.concat([times.cast(pl.Datetime("us", "UTC")), ends]).sort().diff().drop_nulls()
    return float(gaps.dt.total_seconds().max() or 0)  # type: ignore[arg-type]


def _share_of_nulls(rows: pl.DataFrame, name: str) -> float:
    return rows.get_column(name).null_count() / rows.height if rows.height else 0.0


def _shares(rows: pl.DataFrame, name: str) -> dict[str, float]:
    counted = rows.get_column(name).value_counts()
    return {str(key): number / rows.height for key, number in counted.iter_rows()}


class Usual:
    """What the days before a day were like: made once, it judges any number of versions of that day.

    Args:
        before: good days before it.
    """

    def __init__(self, before: list[Day]) -> None:
        self.days = len(before)
        self._rows = [(each.date.weekday(), each.rows) for each in before]
        self._silence = 1.5 * max((each.silence for each in before), default=0.0) + 1800
        names = before[0] if before else Day(dt.date.min, 0, 0.0, {}, {}, {})
        self._nulls = {name: _margin([each.nulls[name] for each in before], 2.0, 0.05) for name in names.nulls}
        self._numbers = {name: _Numbers([each.values[name] for each in before]) for name in names.values}
        self._mixes = {name: _Mix([each.shares[name] for each in before]) for name in names.shares}

    def of(self, day: Day) -> Iterator[tuple[str, str, float, float, float]]:
        """Monitor, column, value, and the bounds that it must keep."""
        yield "volume", "", float(day.rows), *self._volume(day.date)
        yield "silence", "", day.silence, 0.0, self._silence
        for name, share in day.nulls.items():
            yield "nulls", name, share, 0.0, self._nulls[name]
        for name, values in day.values.items():
            yield "drift", name, *self._numbers[name].drift(values)
            yield "range", name, *self._numbers[name].range(values)
        for name, shares in day.shares.items():
            yield "mix", name, *self._mixes[name].mix(shares)

    def _volume(self, date: dt.date) -> tuple[float, float]:
        same = [rows for weekday, rows in self._rows if weekday == date.weekday()] or [rows for _, rows in self._rows]
        usual = sorted(same)[len(same) // 2]
        return 0.6 * usual, 1.4 * usual


class _Numbers:
    """The values of a column on the days before."""

    def __init__(self, before: list[pl.Series]) -> None:
        self._pooled = pl.concat(before).sort()
        reached = [distance(each, self._pooled) for each in before if len(each)]
        self._limit = min(_margin(reached, 1.3, 0.1), 0.99) if reached else 1.0

    def drift(self, values: pl.Series) -> tuple[float, float, float]:
        """Distance from the days before, and its bounds."""
        if not len(self._pooled):
            return 0.0, 0.0, 1.0
        return (distance(values, self._pooled) if len(values) else 1.0), 0.0, self._limit

    def range(self, values: pl.Series) -> tuple[float, float, float]:
        """Share of values outside of what was known, and its bounds."""
        if not len(self._pooled) or not len(values):
            return 0.0, 0.0, 0.02
        low, high = float(self._pooled[0]), float(self._pooled[-1])
        margin = 0.25 * (high - low)
        outside = ((values < low - margin) | (values > high + margin)).sum()
        return float(outside) / len(values), 0.0, 0.02


class _Mix:
    """The shares of categories on the days before."""

    def __init__(self, before: list[dict[str, float]]) -> None:
        self._usual = _mean(before)
        self._limit = _margin([_variation(each, self._usual) for each in before], 1.5, 0.05)

    def mix(self, shares: dict[str, float]) -> tuple[float, float, float]:
        """Distance from the usual shares, and its bounds."""
        return _variation(shares, self._usual), 0.0, self._limit


def judged(day: Day, usual: Usual, table: str) -> list[Judgement]:
    """What the monitors say of a day; nothing as long as too few days are known.

    Args:
        day: the day.
        usual: what the days before it were like.
        table: which table.
    """
    if usual.days < FEWEST:
        return []
    return [Judgement(day.date, table, *found) for found in usual.of(day)]


def _margin(reached: list[float], factor: float, extra: float) -> float:
    return factor * max(reached) + extra


def _mean(shares: list[dict[str, float]]) -> dict[str, float]:
    names = {name for each in shares for name in each}
    return {name: sum(each.get(name, 0.0) for each in shares) / len(shares) for name in names}


def _variation(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    return sum(abs(left.get(name, 0.0) - right.get(name, 0.0)) for name in left.keys() | right.keys()) / 2

"""Rolling delays over event time, exactly as `contracts.features` defines them.

A window ends at an instant, that instant included, and begins after the instant one length earlier. The sums are of
whole minutes, so they are exact in whatever order they are made; a mean is one division, as everywhere else.

One pass over the events of a key in order of time: the cost grows linearly with their number.
"""

from collections.abc import Iterable

import polars as pl

from contracts.features import WINDOWS

_KEYS = {
    "origin": pl.col("origin"),
    "carrier": pl.col("carrier"),
    "route": pl.format("{}-{}", "origin", "dest"),
}


def keyed(events: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Columns `key`, `time`, `number`, `minutes`: what happened to each key at each instant.

    Args:
        events: departures or arrivals of silver.
        kind: `origin`, `carrier` or `route`.
    """
    return (
        events.select(key=_KEYS[kind], time="time", delay=pl.col("delay").cast(pl.Int64))
        .group_by("key", "time")
        .agg(number=pl.len().cast(pl.Int64), minutes=pl.col("delay").sum())
    )


def at(spine: pl.LazyFrame, happened: pl.LazyFrame) -> pl.LazyFrame:
    """The windows that end at each (key, time) of `spine`: `count_1h`, `mean_1h` and so on.

    Args:
        spine: columns `key` and `time`, in microseconds.
        happened: as `keyed` gives it.
    """
    nothing = pl.lit(0, pl.Int64)
    asked = spine.select("key", "time", asked=pl.lit(value=True), number=nothing, minutes=nothing)
    both = pl.concat([happened.with_columns(asked=pl.lit(value=False)).select(asked.collect_schema().names()), asked])
    summed = both.group_by("key", "time").agg(pl.col("asked").any(), pl.col("number", "minutes").sum())
    return rolled(summed).filter("asked").select("key", "time", *names())


def rolled(happened: pl.LazyFrame) -> pl.LazyFrame:
    """The windows that end at each row of `happened`, whose (key, time) are distinct."""
    sums = [
        pl.col(column).rolling_sum_by("time", f"{seconds}s", closed="right").over("key").alias(f"{column}_{window}")
        for window, seconds in WINDOWS.items()
        for column in ("number", "minutes")
    ]
    return happened.sort("key", "time").with_columns(sums).with_columns(_told())


def names() -> list[str]:
    """The columns that tell of windows, in order."""
    return [f"{figure}_{window}" for window in WINDOWS for figure in ("count", "mean")]


def _told() -> Iterable[pl.Expr]:
    for window in WINDOWS:
        number, minutes = pl.col(f"number_{window}"), pl.col(f"minutes_{window}")
        yield number.alias(f"count_{window}")
        yield pl.when(number > 0).then(minutes / number).alias(f"mean_{window}")

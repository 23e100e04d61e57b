"""Offline features: one table per view of `contracts.views_flights`, a row whenever a value becomes known.

Each row has the view's entity, `event_timestamp` and the view's features, under their names and in their order. The
value that holds at an instant is the newest row at or before it: a training set joins so, and the online store holds
the same row.
"""

import datetime as dt
from collections.abc import Callable

import polars as pl

from contracts import views_flights
from contracts.features import FEATURES, SIDES, WINDOWS
from contracts.views import View
from lake import windows

STAMP = "event_timestamp"
MONTH = dt.timedelta(days=30)
LONGEST_TURN = dt.timedelta(days=2)
"""A plane that leaves later than this after it arrived was somewhere else between."""
ON_TIME = 15
"""Minutes that an arrival may be late and still be on time."""

_EVENTS = {"departure": "silver/departures", "arrival": "silver/arrivals"}
Make = Callable[..., pl.LazyFrame]


def table(view: View) -> str:
    """Name of a view's table."""
    return f"gold/features/{view.name}"


def delays(view: View) -> tuple[str, Make]:
    """The silver table of a view of rolling delays, and what makes the view of it."""
    (feature,) = (each for each in FEATURES if each.name == view.name)
    side = next(side for side, topic in SIDES.items() if topic == feature.topic)
    kind = feature.kind
    renamed = {
        f"{figure}_{window}": f"{kind}_{side}_{figure}_{window}" for window in WINDOWS for figure in ("count", "mean")
    }

    def make(events: pl.LazyFrame) -> pl.LazyFrame:
        rows = windows.rolled(windows.keyed(events, kind)).select("key", "time", *windows.names())
        return shaped(view, rows.rename({"key": kind, "time": STAMP, **renamed}))

    return _EVENTS[side], make


def weather(readings: pl.LazyFrame) -> pl.LazyFrame:
    """The view of the newest reading: one row per reading."""
    view = views_flights.WEATHER
    instruments = (pl.col(name.removeprefix("weather_")).alias(name) for name, _ in view.columns)
    return shaped(view, readings.select(pl.col("station").alias("origin"), pl.col("time").alias(STAMP), *instruments))


def punctuality(view: View) -> Make:
    """What makes the punctuality over the 30 days before each day, of a route or of a carrier."""
    (kind,) = view.entities

    def make(arrivals: pl.LazyFrame) -> pl.LazyFrame:
        key = pl.format("{}-{}", "origin", "dest") if kind == "route" else pl.col(kind)
        daily = arrivals.group_by(key.alias(kind), pl.col("date").alias("day")).agg(
            number=pl.len().cast(pl.Int64),
            on_time=(pl.col("delay") <= ON_TIME).sum().cast(pl.Int64),
            minutes=pl.col("delay").cast(pl.Int64).sum(),
        )
        summed = ("number", "on_time", "minutes")
        spans = [pl.col(each).rolling_sum_by("day", "30d", closed="right").over(kind) for each in summed]
        months = _every_day(daily, kind).sort(kind, "day").with_columns(spans).filter(pl.col("number") > 0)
        return shaped(
            view,
            months.select(
                kind,
                # Made once the day is over: at the first instant of the next one.
                (pl.col("day") + pl.duration(days=1)).cast(pl.Datetime("us", "UTC")).alias(STAMP),
                pl.col("number").alias(f"{kind}_flights_30d"),
                (pl.col("on_time") / pl.col("number")).alias(f"{kind}_on_time_30d"),
                (pl.col("minutes") / pl.col("number")).alias(f"{kind}_arrival_mean_30d"),
            ),
        )

    return make


def _every_day(daily: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """A row for each key and day, nought where nothing arrived: a silent day changes the month as well."""
    days = daily.select(pl.date_ranges(pl.col("day").min(), pl.col("day").max(), "1d").alias("day")).explode("day")
    every = daily.select(kind).unique().join(days, how="cross")
    return every.join(daily, on=[kind, "day"], how="left").with_columns(
        pl.col("number", "on_time", "minutes").fill_null(0)
    )


def turns(departures: pl.LazyFrame, arrivals: pl.LazyFrame) -> pl.LazyFrame:
    """How a plane turns around: one row per arrival, with what was known of its turns by then."""
    view = views_flights.TURN
    landed = arrivals.filter(pl.col("tailnum").is_not_null()).sort("time", "id")
    landed = landed.group_by("tailnum", "time", maintain_order=True).agg(pl.col("delay").last())
    left = departures.filter(pl.col("tailnum").is_not_null()).select("tailnum", left="time").unique().sort("left")
    ground = left.join_asof(
        landed.select("tailnum", "time").sort("time"),
        left_on="left",
        right_on="time",
        by="tailnum",
        tolerance=LONGEST_TURN,
        check_sortedness=False,
    ).filter(pl.col("time").is_not_null())
    turned = ground.select("tailnum", time="left", minutes=(pl.col("left") - pl.col("time")).dt.total_seconds() / 60)
    known = pl.concat([turned, landed.select("tailnum", "time", minutes=pl.lit(None, pl.Float64))])
    median = pl.col("minutes").rolling_median_by("time", "30d", closed="right").over("tailnum")
    medians = (
        known.sort("tailnum", "time")
        .with_columns(tail_median_turn_30d=median)
        .unique(["tailnum", "time"], keep="first", maintain_order=True)
    )
    rows = landed.join(medians.drop("minutes"), on=["tailnum", "time"], how="left").select(
        "tailnum",
        pl.col("time").alias(STAMP),
        pl.col("time").dt.epoch("s").alias("tail_last_arrival_at"),
        pl.col("delay").alias("tail_last_arrival_delay"),
        "tail_median_turn_30d",
    )
    return shaped(view, rows)


_TYPES = {"int64": pl.Int64, "int32": pl.Int32, "float64": pl.Float64, "float32": pl.Float32, "string": pl.String}


def shaped(view: View, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The view's columns with its types, the day of the row, in order of entity and time."""
    features = [pl.col(name).cast(_TYPES[kind]) for name, kind in view.columns]
    made = rows.select(*view.entities, STAMP, *features, date=pl.col(STAMP).dt.date())
    return made.sort(*view.entities, STAMP)

"""Silver: each happening once, with its types, and flights as one row each.

departures, arrivals, weather    bronze without duplicates; the first record of an id is the one that counts
flights                          a departure with its arrival and the weather that was known when it left
"""

import datetime as dt

import polars as pl

from contracts.topics import ARRIVED, DEPARTED, WEATHER

BRONZE = {f"bronze/{topic}": topic for topic in (DEPARTED, ARRIVED, WEATHER)}
TABLES = {"silver/departures": DEPARTED, "silver/arrivals": ARRIVED, "silver/weather": WEATHER}
"""Silver table -> the topic that it is made from."""

LONGEST_FLIGHT = dt.timedelta(hours=24)
"""An arrival later than this after a departure belongs to another one."""
STALE_WEATHER = dt.timedelta(hours=6)
"""A reading older than this says nothing about a departure."""

_KAFKA = ("kafka_partition", "kafka_offset", "kafka_time")
_SAME_FLIGHT = ("carrier", "flight", "origin", "dest", "tail")


def once(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Each id once, its first record; in order of event time, equal times in order of their ids.

    An id is a function of what happened, its time included: duplicates share their day, whichever day is made.
    """
    first = bronze.sort("kafka_time", "kafka_partition", "kafka_offset").unique("id", keep="first", maintain_order=True)
    return first.drop(_KAFKA).with_columns(pl.col(pl.Int64).cast(pl.Int32)).sort("time", "id")


def flights(departures: pl.LazyFrame, arrivals: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:
    """One row per departure: with its arrival, where it is known, and the newest reading of the weather at its origin.

    A departure and an arrival belong together where carrier, number, origin, destination and plane are the same and the
    departure is the last one before the arrival.
    """
    left = departures.select(
        pl.col("id").alias("flight_id"),
        pl.col("time").alias("departed"),
        pl.col("scheduled").alias("scheduled_departure"),
        pl.col("delay").alias("departure_delay"),
        *("carrier", "flight", "origin", "dest", "tailnum", "distance", "date"),
        route=pl.format("{}-{}", "origin", "dest"),
        tail=pl.col("tailnum").fill_null(""),
    )
    met = left.join(_arrived(left, arrivals), on="flight_id", how="left")
    with_weather = met.sort("departed").join_asof(
        _readings(weather),
        left_on="departed",
        right_on="weather_time",
        by_left="origin",
        by_right="station",
        tolerance=STALE_WEATHER,
        check_sortedness=False,
    )
    return with_weather.drop("tail", "station", strict=False).sort("departed", "flight_id")


def _arrived(left: pl.LazyFrame, arrivals: pl.LazyFrame) -> pl.LazyFrame:
    landed = arrivals.select(
        pl.col("id").alias("arrival_id"),
        pl.col("time").alias("arrived"),
        pl.col("scheduled").alias("scheduled_arrival"),
        pl.col("delay").alias("arrival_delay"),
        *("carrier", "flight", "origin", "dest", "air_time"),
        tail=pl.col("tailnum").fill_null(""),
    )
    of_departure = landed.sort("arrived").join_asof(
        left.select("flight_id", "departed", *_SAME_FLIGHT).sort("departed"),
        left_on="arrived",
        right_on="departed",
        by=_SAME_FLIGHT,
        tolerance=LONGEST_FLIGHT,
        check_sortedness=False,
    )
    first = of_departure.filter(pl.col("flight_id").is_not_null()).sort("arrived", "arrival_id")
    return first.unique("flight_id", keep="first", maintain_order=True).select(
        "flight_id", "arrival_id", "arrived", "scheduled_arrival", "arrival_delay", "air_time"
    )


def _readings(weather: pl.LazyFrame) -> pl.LazyFrame:
    instruments = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    return weather.select(
        "station", pl.col("time").alias("weather_time"), *(pl.col(name).name.prefix("weather_") for name in instruments)
    ).sort("weather_time")

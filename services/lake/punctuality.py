"""Gold: how punctual carriers are on their routes, month by month."""

import polars as pl

from lake.offline import ON_TIME

TABLE = "gold/punctuality"
MONTH = "month"


def by_month(flights: pl.LazyFrame) -> pl.LazyFrame:
    """One row per carrier, route and month of departure (UTC)."""
    late = pl.col("arrival_delay")
    return (
        flights.group_by(pl.col("date").dt.strftime("%Y-%m").alias(MONTH), "carrier", "route")
        .agg(
            flights=pl.len().cast(pl.Int64),
            arrived=late.count().cast(pl.Int64),
            departure_delay_mean=pl.col("departure_delay").mean(),
            arrival_delay_mean=late.mean(),
            arrival_delay_p90=late.quantile(0.9, interpolation="nearest"),
            on_time=(late <= ON_TIME).mean(),
        )
        .sort(MONTH, "carrier", "route")
    )

"""When each column of a training set becomes known, and the guard that names what is known too late.

A model is asked some time before a plane leaves. What is known only later (above all: after it arrived) looks splendid
offline and is not there in production. The guard looks at the data: a column leaks where, for any row, the instant at
which its value became known lies after the instant of the prediction.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import polars as pl

from lake.errors import BadRequest, Leak

PREDICTED = "predicted_at"
KNOWN = "known "
"""Prefix of the columns that say when others became known; they are no part of a training set."""

_DEPARTURE = ("departed", "departure_delay")
_ARRIVAL = ("arrival_id", "arrived", "arrival_delay", "scheduled_arrival", "air_time")
_WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
FLIGHT: dict[str, str | None] = {
    "distance": None,
    "flight": None,
    "dest": None,
    **dict.fromkeys(_DEPARTURE, "departed"),
    **dict.fromkeys(_ARRIVAL, "arrived"),
    **{f"weather_{name}": "weather_time" for name in _WEATHER},
}
"""Column of silver/flights -> the column with the instant at which it becomes known; None: with the timetable."""


class Finding(NamedTuple):
    """A column that is known too late."""

    column: str
    rows: int
    """Rows in which it is."""
    flight: str
    """One of them."""
    seconds: float
    """How late at most."""


def known(column: str) -> pl.Expr | None:
    """When a column of silver/flights becomes known; None: always.

    Raises:
        BadRequest: no such column can be taken.
    """
    if column not in FLIGHT:
        raise BadRequest(
            f"column {column}: silver/flights has nothing of that name to take",
            f"choose of {', '.join(FLIGHT)}",
        )
    when = FLIGHT[column]
    return None if when is None else pl.col(when)


def findings(rows: pl.DataFrame, columns: Mapping[str, str]) -> list[Finding]:
    """The columns that leak.

    Args:
        rows: with `flight_id` and `predicted_at`.
        columns: column -> the column of `rows` that says when it became known.
    """
    found = []
    for column, when in columns.items():
        # A null is no knowledge: it comes to no model too early.
        late = rows.filter((pl.col(when) > pl.col(PREDICTED)) & pl.col(column).is_not_null())
        if late.height:
            ahead = (late.get_column(when) - late.get_column(PREDICTED)).dt.total_seconds()
            worst = late.row(int(ahead.arg_max() or 0), named=True)
            found.append(Finding(column, late.height, worst["flight_id"], float(ahead.max() or 0)))  # type: ignore[arg-type]
    return found


def foregone(rows: pl.DataFrame, happened: str) -> list[Finding]:
    """The label, where what it tells of had happened before the prediction: the windows then hold it.

    Args:
        rows: with `flight_id` and `predicted_at`.
        happened: the column that says when it happened.
    """
    early = rows.filter(pl.col(happened) <= pl.col(PREDICTED))
    if not early.height:
        return []
    before = (early.get_column(PREDICTED) - early.get_column(happened)).dt.total_seconds()
    worst = early.row(int(before.arg_max() or 0), named=True)
    return [Finding("label", early.height, worst["flight_id"], -float(before.max() or 0))]  # type: ignore[arg-type]


def guard(found: Collection[Finding], allowed: Collection[str]) -> list[str]:
    """The leaking columns that were allowed by name.

    Raises:
        Leak: others leak.
    """
    refused = [each for each in found if each.column not in allowed]
    if refused:
        told = "; ".join(
            f"{each.column} ({each.rows} rows, e.g. {each.flight}, {_late(each.seconds)})" for each in refused
        )
        names = " ".join(f"--allow-leak {each.column}" for each in refused)
        raise Leak(
            f"known at the wrong time: {told}",
            f"leave the columns out, predict earlier (--lead), or, to see the harm: {names}",
        )
    return sorted(each.column for each in found)


def _late(seconds: float) -> str:
    if seconds > 0:
        return f"known up to {seconds / 60:.0f} min after the prediction"
    return f"happened up to {-seconds / 60:.0f} min before the prediction"

"""What further columns promise a model offline, and what is left of it where they are not known in time."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from contracts.views_flights import DEFINITIONS
from lake import availability, training
from lake.availability import KNOWN
from lake.store import Lake
from pipelines.experiments import fitting
from pipelines.stage import Stage
from runtime.figures import Result, rounded, row, timed

SERVICE = "delay_v1"
"""None of its features has the name of a column of silver/flights: each further column is one more."""
FEATURES = [each.partition(":")[2] for each in DEFINITIONS.features_of(DEFINITIONS.service(SERVICE))]
WITHOUT, WITH = "without", "with"


def leakage(stage: Stage) -> Result:
    """Fit one model without the further columns and one with them, and serve both without what is known too late."""
    lake = stage.lake()
    columns = chosen(stage.settings.extra_columns)
    outcomes = {name: outcome(lake, extra) for name, extra in ((WITHOUT, ()), (WITH, columns))}
    return {
        "settings": {"extra_columns": stage.settings.extra_columns},
        "service": SERVICE,
        "columns": list(columns),
        "late": outcomes[WITH]["late"],
        **{name: outcomes[WITH][name] for name in ("rows", "baseline_rmse")},
        **{name: {each: outcomes[each][name] for each in outcomes} for name in ("offline_rmse", "served_rmse")},
        "figures": [row(name, "recommendation", throughput=each["throughput"]) for name, each in outcomes.items()],
    }


def chosen(text: str) -> tuple[str, ...]:
    """The columns that a list names, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def outcome(lake: Lake, columns: tuple[str, ...]) -> dict[str, Any]:
    """What a model with these further columns promises on later days, and what it gives when it serves them."""
    seconds, (train, held_out) = timed(lambda: fitting.sets(lake, SERVICE, columns))
    late = lateness(lake, pl.concat([train, held_out]), columns)
    model = fitting.fit(train, [*FEATURES, *columns])
    return {
        "late": late,
        "rows": {"training": train.height, "held_out": held_out.height},
        "baseline_rmse": rounded(fitting.baseline(train, held_out)),
        "offline_rmse": rounded(fitting.error(model, held_out)),
        "served_rmse": rounded(fitting.error(model, served(held_out, late))),
        "throughput": (train.height + held_out.height) / seconds,
    }


def lateness(lake: Lake, rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The columns that are known too late: with what they become known, in how many rows, by how much at most."""
    when = {f"{KNOWN}{name}": known for name in columns if (known := availability.known(name)) is not None}
    told = lake.scan(training.FLIGHTS).select(training.ID, **when)
    stamped = lake.collect("when columns become known", rows.lazy().join(told, on=training.ID, how="left"))
    found = availability.findings(stamped, {stamp.removeprefix(KNOWN): stamp for stamp in when})
    return {
        each.column: {
            "known": availability.FLIGHT[each.column],
            "rows": each.rows,
            "minutes": rounded(each.seconds / 60),
        }
        for each in found
    }


def served(rows: pl.DataFrame, late: Iterable[str]) -> pl.DataFrame:
    """The rows as serving has them: what is known too late is missing."""
    return rows.with_columns(pl.lit(None, rows.schema[name]).alias(name) for name in late)

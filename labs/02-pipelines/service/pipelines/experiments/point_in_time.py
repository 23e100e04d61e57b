"""What a training set promises and what serving gives, joined at the time of each prediction or to the latest rows."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from contracts.views import OnDemand, View
from contracts.views_flights import DEFINITIONS
from lake import offline, training
from lake.availability import KNOWN, PREDICTED
from lake.store import Lake
from pipelines.experiments import fitting
from pipelines.settings import AS_OF, LATEST
from pipelines.stage import Stage
from runtime.figures import Result, rounded, row, timed

SERVICE = "delay_v2"
_PARTS = [DEFINITIONS.feature(each) for each in DEFINITIONS.features_of(DEFINITIONS.service(SERVICE))]
FEATURES = [field.name for _, field in _PARTS]
VIEWS = {view.name: view for view, _ in _PARTS if isinstance(view, View)}
ON_DEMAND = {view.name: view for view, _ in _PARTS if isinstance(view, OnDemand)}
_ENTITIES = list(dict.fromkeys(name for view in VIEWS.values() for name in view.entities))


def point_in_time(stage: Stage) -> Result:
    """Fit one model to each training set, and compare what it promises on later days with what serving gives.

    Serving reads what is known at each prediction, whatever the training set was joined to. `lake.training` gives just
    that, so the model of either join is held against its rows as well.
    """
    lake = stage.lake()
    sets = fitting.sets(lake, SERVICE)
    outcomes = {join: outcome(lake, join, *sets) for join in (LATEST, AS_OF)}
    return {
        "settings": {"join": stage.settings.join},
        "service": SERVICE,
        "rows": {"training": sets[0].height, "held_out": sets[1].height},
        "baseline_rmse": rounded(fitting.baseline(*sets)),
        **{
            name: {join: each[name] for join, each in outcomes.items()}
            for name in ("offline_rmse", "served_rmse", "gap", "future_rows")
        },
        "figures": [row(join, "recommendation", throughput=each["throughput"]) for join, each in outcomes.items()],
    }


def outcome(lake: Lake, join: str, known: pl.DataFrame, served: pl.DataFrame) -> dict[str, Any]:
    """What a join makes of training rows, and of later ones.

    Args:
        lake: where the features are.
        join: `latest` or `as-of`.
        known: training rows, as `lake.training` makes them.
        served: later rows, as `lake.training` makes them.
    """
    seconds, (train, held_out) = timed(lambda: [joined(lake, flights, join) for flights in (known, served)])
    model = fitting.fit(train, FEATURES)
    offline_rmse, served_rmse = fitting.error(model, held_out), fitting.error(model, served)
    return {
        "offline_rmse": rounded(offline_rmse),
        "served_rmse": rounded(served_rmse),
        "gap": rounded(served_rmse / offline_rmse - 1) if offline_rmse else None,
        "future_rows": future_rows(train) + future_rows(held_out),
        "throughput": (train.height + held_out.height) / seconds,
    }


def joined(lake: Lake, flights: pl.DataFrame, join: str) -> pl.DataFrame:
    """The same flights with the features of the service by one way of joining, and when each view's row was known."""
    scheduled = (pl.col(PREDICTED) + pl.duration(minutes=fitting.LEAD)).dt.epoch("s").alias("scheduled_departure")
    rows = flights.lazy().select(training.ID, PREDICTED, *_ENTITIES, scheduled, fitting.LABEL)
    for view in VIEWS.values():
        rows = _JOINS[join](rows, lake.scan(offline.table(view)), view)
    made = lake.collect(f"training set, {join}", rows.sort(PREDICTED, training.ID))
    for each in ON_DEMAND.values():
        made = made.with_columns(_computed(made, each))
    return made


def latest(spine: pl.LazyFrame, rows: pl.LazyFrame, view: View) -> pl.LazyFrame:
    """Join to each row of `spine` its entity's latest row, whenever that became known: the mistake."""
    keys, known = list(view.entities), f"{KNOWN}{view.name}"
    right = rows.select(*keys, *(name for name, _ in view.columns), pl.col(offline.STAMP).alias(known))
    newest = right.sort(known).unique(keys, keep="last", maintain_order=True)
    return spine.join(newest, on=keys, how="left")


def future_rows(rows: pl.DataFrame) -> int:
    """How many rows hold a feature that became known after their prediction."""
    late = pl.any_horizontal(pl.col(f"{KNOWN}{name}") > pl.col(PREDICTED) for name in VIEWS)
    return rows.filter(late).height


def _computed(rows: pl.DataFrame, view: OnDemand) -> Sequence[pl.Series]:
    """The features that are computed from stored ones, by the functions that serve them."""
    out = []
    for field, function in view.features:
        inputs = [rows.get_column(name).to_list() for name in inspect.signature(function).parameters]
        out.append(pl.Series(field.name, list(map(function, *inputs)), dtype=pl.Float64))
    return out


_JOINS: dict[str, Callable[[pl.LazyFrame, pl.LazyFrame, View], pl.LazyFrame]] = {
    LATEST: latest,
    AS_OF: training.as_of,
}

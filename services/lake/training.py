"""Training sets: what a feature service would have answered at each prediction, and what came of it.

One row per flight: asked `lead` minutes before the scheduled departure. Every stored feature is the newest row of its
view at or before that instant and within the view's time to live, as the online store would have given it; on-demand
features come from the very functions that serve them. Rows are ordered, the file is written in one way only: the same
versions of the tables give the same bytes.

The label is how late the flight left or how late it arrived. A flight that never arrived has no arrival delay: it is no
row of a set with that label.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from contracts.training_sets import ARRIVAL, DEPARTURE, LABELS, Reference
from contracts.views import OnDemand, Service, Undefined, View
from contracts.views_flights import DEFINITIONS
from lake import availability, offline
from lake.availability import KNOWN, PREDICTED
from lake.errors import BadRequest, EmptyRange
from lake.store import Lake

FLIGHTS = "silver/flights"
LABEL = DEPARTURE
"""What the label is where nobody says."""
ID = "flight_id"
_HAPPENED = {DEPARTURE: "departed", ARRIVAL: "arrived"}
"""Label -> the column that says when it came to be."""
_TYPES = {"int64": pl.Int64, "float64": pl.Float64}


@dataclass(frozen=True)
class Wanted:
    """Which training set.

    Attributes:
        service: name of the feature service.
        begin: first instant of scheduled departures.
        end: the instant after the last.
        lead: minutes between prediction and scheduled departure.
        extra: further columns of silver/flights.
        label: what is to be predicted, one of LABELS, in minutes.
    """

    service: str
    begin: dt.datetime
    end: dt.datetime
    lead: int = 60
    extra: tuple[str, ...] = ()
    label: str = LABEL


@dataclass(frozen=True)
class TrainingSet:
    """A training set and what it was made of."""

    rows: pl.DataFrame
    tables: tuple[Reference, ...]
    leaks: tuple[str, ...]
    """Columns that are known too late and were allowed."""


def service(name: str) -> Service:
    """The feature service of that name.

    Raises:
        BadRequest: there is none.
    """
    try:
        return DEFINITIONS.service(name)
    except Undefined as failure:
        raise BadRequest(f"feature service {name}: {failure}", "give --service one of these names") from None


def tables(name: str) -> tuple[str, ...]:
    """Names of the tables that a service's training set is made of, the flights first.

    Raises:
        BadRequest: there is no such service.
    """
    return _tables(_plan(service(name)))


def make(
    lake: Lake, wanted: Wanted, allowed: Sequence[str] = (), versions: Sequence[Reference] | None = None
) -> TrainingSet:
    """Make a training set.

    Args:
        lake: where the tables are.
        wanted: which one.
        allowed: columns that may be known too late.
        versions: versions of the tables to read; None: the newest.

    Raises:
        BadRequest: no such service, column, label or range.
        EmptyRange: no flight in it.
        Leak: a column is known only after the prediction.
    """
    plan = _plan(service(wanted.service))
    if wanted.begin >= wanted.end:
        raise BadRequest(
            f"range {wanted.begin:%F} to {wanted.end:%F}: ends before it begins", "exchange --from and --to"
        )
    if wanted.label not in LABELS:
        raise BadRequest(f"label {wanted.label}: there is none of this name", f"choose of {', '.join(LABELS)}")
    pinned = {each.name: each for each in versions or ()}
    read = tuple(pinned.get(name) or lake.reference(name) for name in _tables(plan))
    rows = _joined(lake, wanted, plan, read)
    leaks = _leaks(rows, wanted, plan)
    kept = availability.guard(leaks, allowed)
    return TrainingSet(_selected(rows, wanted, plan), read, tuple(kept))


@dataclass(frozen=True)
class _Plan:
    """What a service needs: its views, the features in order, and on-demand views."""

    features: tuple[str, ...]
    views: tuple[View, ...]
    on_demand: tuple[OnDemand, ...]


def _plan(wanted: Service) -> _Plan:
    stored: dict[str, View] = {}
    on_demand: dict[str, OnDemand] = {}
    references = list(DEFINITIONS.features_of(wanted))
    for reference in references:
        view, _ = DEFINITIONS.feature(reference)
        if isinstance(view, View):
            stored[view.name] = view
        else:
            on_demand[view.name] = view
            references += [each for each in view.inputs if each not in references]
    features = tuple(each.partition(":")[2] for each in DEFINITIONS.features_of(wanted))
    return _Plan(features, tuple(stored.values()), tuple(on_demand.values()))


def _tables(plan: _Plan) -> tuple[str, ...]:
    return (FLIGHTS, *map(offline.table, plan.views))


def _joined(lake: Lake, wanted: Wanted, plan: _Plan, tables: Sequence[Reference]) -> pl.DataFrame:
    flights, *views = tables
    spine = _spine(lake, wanted, plan, flights)
    for view, reference in zip(plan.views, views, strict=True):
        spine = as_of(spine, lake.scan(reference.name, reference.version), view)
    rows = lake.collect("training set", spine.sort(PREDICTED, ID))
    if not rows.height:
        raise EmptyRange(
            f"range {wanted.begin:%F} to {wanted.end:%F}: no flight is scheduled in it",
            "`python -m lake table show silver/flights` tells which days there are",
        )
    for each in plan.on_demand:
        rows = rows.with_columns(_computed(rows, each))
    return rows


def _spine(lake: Lake, wanted: Wanted, plan: _Plan, flights: Reference) -> pl.LazyFrame:
    known = {f"{KNOWN}{name}": when for name in wanted.extra if (when := availability.known(name)) is not None}
    # The label is kept under a name of its own, should it be asked for as a column as well.
    return (
        lake.scan(flights.name, flights.version)
        .filter(pl.col("scheduled_departure").is_between(wanted.begin, wanted.end, closed="left"))
        .filter(pl.col(wanted.label).is_not_null())
        .with_columns(
            **known,
            **{PREDICTED: pl.col("scheduled_departure") - pl.duration(minutes=wanted.lead)},
            scheduled_departure=pl.col("scheduled_departure").dt.epoch("s"),
        )
        # Silver's weather is that of the departure. Under the view's names it would take the place of what was known.
        .drop([name for view in plan.views for name, _ in view.columns], strict=False)
    )


def as_of(spine: pl.LazyFrame, rows: pl.LazyFrame, view: View) -> pl.LazyFrame:
    """Join to each row of `spine` the newest row of a view at or before `predicted_at`, within its time to live."""
    names = [name for name, _ in view.columns]
    right = rows.select(*view.entities, *names, pl.col(offline.STAMP).alias(f"{KNOWN}{view.name}"))
    return spine.sort(PREDICTED).join_asof(
        right.sort(f"{KNOWN}{view.name}"),
        left_on=PREDICTED,
        right_on=f"{KNOWN}{view.name}",
        by=list(view.entities),
        tolerance=dt.timedelta(seconds=view.ttl) if view.ttl else None,
        coalesce=False,
        check_sortedness=False,
    )


def _computed(rows: pl.DataFrame, view: OnDemand) -> list[pl.Series]:
    """The features of an on-demand view, row by row, by the functions that serve them."""
    out = []
    for field, function in view.features:
        arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
        columns = [rows.get_column(name).to_list() for name in arguments]
        out.append(pl.Series(field.name, list(map(function, *columns)), dtype=_TYPES[field.kind]))
    return out


def _leaks(rows: pl.DataFrame, wanted: Wanted, plan: _Plan) -> list[availability.Finding]:
    when = {name: f"{KNOWN}{name}" for name in wanted.extra if f"{KNOWN}{name}" in rows.columns}
    when |= {name: f"{KNOWN}{view.name}" for view in plan.views for name, _ in view.columns}
    return [*availability.findings(rows, when), *availability.foregone(rows, _HAPPENED[wanted.label])]


def _selected(rows: pl.DataFrame, wanted: Wanted, plan: _Plan) -> pl.DataFrame:
    entities = dict.fromkeys(name for view in plan.views for name in view.entities)
    extra = [pl.col(name) for name in wanted.extra if name not in entities and name not in plan.features]
    label = pl.col(wanted.label).cast(pl.Int64).alias("label")
    return rows.select(ID, PREDICTED, *entities, *plan.features, *extra, label)

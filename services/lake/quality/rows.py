"""Contracts of tables, checked with pandera: the event's own rules, row by row, before anything is made of them."""

import re
import typing
from typing import Any

import msgspec
import pandera.errors
import pandera.polars as pa
import polars as pl

from contracts.topics import EVENTS
from lake.errors import BadQuality, SchemaChanged

_TYPES: dict[type, Any] = {str: pl.String, int: pl.Int32, float: pl.Float64}
_SHOWN = 3


def of_topic(topic: str) -> pa.DataFrameSchema:
    """The contract of a topic's silver table, from its event type: types, bounds, patterns, what may be missing."""
    fields = msgspec.inspect.type_info(EVENTS[topic]).fields  # type: ignore[attr-defined]  # an event is a struct
    columns = {field.name: _column(field) for field in fields}
    columns["id"].unique = True
    return pa.DataFrameSchema(columns, strict=False, name=topic)


def _column(field: Any) -> pa.Column:  # noqa: ANN401  what msgspec tells of a field
    kinds = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
    nullable = any(isinstance(kind, msgspec.inspect.NoneType) for kind in kinds)
    (kind,) = (each for each in kinds if not isinstance(each, msgspec.inspect.NoneType))
    kind = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
    dtype, checks = _rules(kind)
    return pa.Column(dtype, checks, nullable=nullable)


def _rules(kind: Any) -> tuple[Any, list[pa.Check]]:  # noqa: ANN401  one of msgspec's types
    match kind:
        case msgspec.inspect.StrType():
            return pl.String, _text(kind)
        case msgspec.inspect.IntType():
            return pl.Int32, _bounds(kind)
        case msgspec.inspect.FloatType():
            return pl.Float64, _bounds(kind)
        case _:
            return pl.Datetime("us", "UTC"), []


def _bounds(kind: Any) -> list[pa.Check]:  # noqa: ANN401
    checks = []
    if kind.ge is not None:
        checks.append(pa.Check.ge(kind.ge))
    if kind.le is not None:
        checks.append(pa.Check.le(kind.le))
    return checks


def _text(kind: Any) -> list[pa.Check]:  # noqa: ANN401
    checks = []
    if kind.pattern is not None:
        checks.append(pa.Check.str_matches(kind.pattern))
    if kind.min_length is not None or kind.max_length is not None:
        checks.append(pa.Check.str_length(kind.min_length, kind.max_length))
    return checks


TRAINING = pa.DataFrameSchema(
    {
        "flight_id": pa.Column(pl.String, unique=True),
        "predicted_at": pa.Column(pl.Datetime("us", "UTC")),
        "origin": pa.Column(pl.String, pa.Check.str_matches("^[A-Z]{3}$"), required=False),
        "carrier": pa.Column(pl.String, pa.Check.str_matches("^[A-Z0-9]{2}$"), required=False),
        "label": pa.Column(pl.Int64, [pa.Check.ge(-240), pa.Check.le(2880)]),
    },
    strict=False,
    name="training set",
)
"""What every training set must be, whatever its service."""


def check(rows: pl.DataFrame, contract: pa.DataFrameSchema, what: str) -> None:
    """Hold every row to a contract.

    Args:
        rows: all of them.
        contract: the rules.
        what: what the rows are, for the message.

    Raises:
        SchemaChanged: a column is missing or has another type.
        BadQuality: values break a rule; names column, rule, number of rows and examples.
    """
    try:
        contract.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as failure:
        raise _refusal(failure, what) from None
    except pandera.errors.SchemaError as failure:
        raise BadQuality(f"{what}: {failure}", _REMEDY) from None


_REMEDY = "find the rows in bronze by their kafka_offset, correct their source, and build again"
_STRUCTURE = re.compile("dtype|column_in_dataframe|coerce")


def _refusal(failure: pandera.errors.SchemaErrors, what: str) -> SchemaChanged | BadQuality:
    cases = typing.cast("pl.DataFrame", failure.failure_cases)
    grouped: dict[tuple[str, str], list[Any]] = {}
    for case in cases.iter_rows(named=True):
        grouped.setdefault((str(case["column"]), str(case["check"])), []).append(case["failure_case"])
    told = "; ".join(
        f"column {column}: {check} broken {len(values)} times, e.g. {', '.join(map(str, values[:_SHOWN]))}"
        for (column, check), values in grouped.items()
    )
    if any(_STRUCTURE.search(check) for _, check in grouped):
        return SchemaChanged(f"{what}: {told}", "publish the change as a new version of the event, or build anew")
    return BadQuality(f"{what}: {told}", _REMEDY)

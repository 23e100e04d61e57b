"""MLflow's way to ask: `/invocations` with a table or with arrays, for clients that were written for MLflow's server.

    {"dataframe_split": {"columns": [...], "data": [[...]]}}     -> {"predictions": [{"prediction": 1.5}, ...]}
    {"dataframe_records": [{column: value}, ...]}                -> the same
    {"inputs": [[...]]} or {"inputs": {name: [[...]]}}           -> {"predictions": {"prediction": [[1.5], ...]}}
    {"instances": [[...]]}                                       -> as inputs

Columns are put into the order of the model's card. As with MLflow, columns that the model does not know are left out,
and one that it needs must be there; an empty cell (null) is a missing value.
"""

from collections.abc import Container, Sequence
from typing import Any

import msgspec

from contracts.models import Card
from serving.errors import InputWrong, Unreadable
from serving.inference.asking import unreadable, work
from serving.model.batch import Work
from serving.model.session import Array
from serving.model.tensors import Reader
from serving.model.version import Served

_FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
_CELLS = 2_000_000
"""Of a table whose records may leave cells out: three bytes of a body, `{},`, are a whole row of them."""


class Split(msgspec.Struct):
    """A table, as pandas writes it with `orient="split"`."""

    data: list[list[Any]]
    columns: list[str] | None = None
    index: Any = None


class Invocation(msgspec.Struct):
    """What is asked, in one of four forms."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    inputs: Any = None
    instances: Any = None
    params: dict[str, Any] | None = None


_INVOCATION = msgspec.json.Decoder(Invocation).decode
_ENCODE = msgspec.json.Encoder().encode


def asked(body: bytes, served: Served) -> tuple[Work, bool]:
    """What is to be computed, and whether a table was sent.

    Raises:
        Unreadable: the body is no invocation.
        InputWrong: its columns or values are not the model's.
    """
    try:
        given = _INVOCATION(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise unreadable(failure) from None
    sent = [form for form in _FORMS if getattr(given, form) is not None]
    if len(sent) != 1:
        raise Unreadable(f"request: {' and '.join(sent) or 'nothing'} was sent", f"send one of {', '.join(_FORMS)}")
    table = sent[0].startswith("dataframe")
    feed = _table(given, served) if table else _arrays(given.inputs if sent == ["inputs"] else given.instances, served)
    made = work(feed, served.session.names, served)
    return (made._replace(parameters=given.params) if given.params else made), table


def answered(names: Sequence[str], found: Sequence[Array], *, table: bool) -> bytes:
    """The predictions: a record for each row of a table, or an array for each output.

    Raises:
        Unreadable: a table was sent, and the model's outputs are not rows of one table.
    """
    if not table:
        return _ENCODE({"predictions": {name: each.tolist() for name, each in zip(names, found, strict=True)}})
    rows = {each.shape[:1] for each in found}
    if len(rows) > 1 or () in rows:
        told = ", ".join(f"{name} {list(each.shape)}" for name, each in zip(names, found, strict=True))
        raise Unreadable(f"a table was sent, and the outputs are none: {told:.300}", "send inputs in its place")
    columns = [(each.ravel() if each.size == len(each) else each).tolist() for each in found]
    return _ENCODE({"predictions": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]})


def _table(given: Invocation, served: Served) -> dict[str, Array]:
    reader = _only(served)
    if given.dataframe_records is not None:
        columns, rows = _records(given.dataframe_records, served)
    else:
        split = given.dataframe_split or Split([])
        columns, rows = split.columns or [], split.data
        width = len(columns) or (len(rows[0]) if rows else 0)
        uneven = next((number for number, row in enumerate(rows) if len(row) != width), None)
        if uneven is not None:
            raise InputWrong(
                f"row {uneven} has {len(rows[uneven])} values, not {width}", "send a value for each column"
            )
    order = _order(columns, served)
    picked = rows if order is None else [[row[place] for place in order] for row in rows]
    return {reader.declared.name: reader.convert(picked)}


def _records(records: list[dict[str, Any]], served: Served) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of records.

    A record may leave out what is missing, and have what the model does not know: only the columns that it knows are
    laid out. Rows times names of a body whose every record has a name of its own would be more than any memory has.
    """
    named = dict.fromkeys(name for row in records for name in row)
    if not named:
        raise InputWrong("dataframe_records: no record has a column", "send records with the model's features")
    if served.card:
        columns = list(served.card.features)
        _check_columns(named, served.card, served.name)
        if len(records) * len(columns) > _CELLS:
            told = f"{len(records)} records of {len(columns)} columns are too many"
            raise InputWrong(told, f"send them as dataframe_split, or {_CELLS // len(columns)} at a time")
        return columns, [[row.get(name) for name in columns] for row in records]
    uneven = next((number for number, row in enumerate(records) if len(row) != len(named)), None)
    if uneven is not None:
        told = f"row {uneven} has {len(records[uneven])} values; there are {len(named)} columns"
        raise InputWrong(told, "send a value for each column")
    return list(named), [[row[name] for name in named] for row in records]


def _order(columns: list[str], served: Served) -> list[int] | None:
    """Where the model's columns stand in the table; None where they are to be taken as they come."""
    if not served.card or not columns:
        return None
    places = {name: number for number, name in enumerate(columns)}
    _check_columns(places, served.card, served.name)
    return [places[name] for name in served.card.features]


def _check_columns(named: Container[str], card: Card, model: str) -> None:
    lacking = [name for name in card.features if name not in named]
    if lacking:
        told = f"column {', '.join(lacking):.300} is missing; model {model} needs it"
        raise InputWrong(told, "send every feature of its card, null for a missing value")


def _arrays(given: Any, served: Served) -> dict[str, Array]:  # noqa: ANN401  any JSON
    if not isinstance(given, dict):
        reader = _only(served)
        return {reader.declared.name: reader.convert(given)}
    if set(given) != set(served.inputs):
        told = f"inputs are {', '.join(given):.200}; model {served.name} takes {', '.join(served.inputs)}"
        raise InputWrong(told, "send each by its name")
    return {name: reader.convert(given[name]) for name, reader in served.inputs.items()}


def _only(served: Served) -> Reader:
    if len(served.inputs) != 1:
        told = f"model {served.name} has {len(served.inputs)} inputs"
        raise InputWrong(told, f"send inputs as an object with {', '.join(served.inputs)}")
    return next(iter(served.inputs.values()))

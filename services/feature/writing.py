"""Pushes: rows of a data frame that came as JSON, checked and handed to the guarded writer."""

import datetime as dt
import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.layout import Unfit, encode_value, nanos_of
from contracts.online import Outcome, Row, Unreachable, Writer
from contracts.views import Definitions, Undefined, View
from feature.errors import NotHere, SourceUnknown, ValueWrong, ViewUnknown
from feature.wire import gone

EVENT_TIME, CREATED = "event_timestamp", "created"
"""Columns of a push beside entities and features; Feast's clients send both, the second is not kept."""


class Pushed(msgspec.Struct):
    """A request to `/push`, as Feast's clients send it."""

    push_source_name: str
    df: dict[str, list[Any]]
    to: str = "online"
    allow_registry_cache: bool = True
    transform_on_write: bool = True


class Written(msgspec.Struct):
    """A request to `/write-to-online-store`, as Feast's clients send it."""

    feature_view_name: str
    df: dict[str, list[Any]]
    allow_registry_cache: bool = True
    transform_on_write: bool = True


class Writing:
    """Writes what is pushed.

    Args:
        definitions: what there is.
        writer: the guarded writer; its calls block.
    """

    def __init__(self, definitions: Definitions, writer: Writer) -> None:
        self._definitions = definitions
        self._writer = writer

    def push(self, pushed: Pushed) -> tuple[str, Outcome]:
        """Write rows of a push source; the view's name and what came of them.

        Raises:
            Refused: no such source, or the rows are wrong.
            StoreUnavailable: Redis does not answer.
        """
        if pushed.to != "online":
            raise NotHere(f"to: {pushed.to}", "push to: online; the lake is written by ingest, from the events")
        sources = {view.push_source: view for view in self._definitions.views}
        view = sources.get(pushed.push_source_name)
        if view is None:
            raise SourceUnknown(f"no push source {pushed.push_source_name}", f"known are {', '.join(sorted(sources))}")
        return view.name, self._write(view, pushed.df)

    def write(self, written: Written) -> tuple[str, Outcome]:
        """Write rows of a feature view; its name and what came of them.

        Raises:
            Refused: no such view, or the rows are wrong.
            StoreUnavailable: Redis does not answer.
        """
        try:
            view = self._definitions.stored(written.feature_view_name)
        except Undefined as failure:
            raise ViewUnknown(str(failure), "write to one of these") from None
        return view.name, self._write(view, written.df)

    def _write(self, view: View, frame: Mapping[str, list[Any]]) -> Outcome:
        try:
            return self._writer.write(rows_of(view, frame))
        except Unfit as failure:
            raise ValueWrong(str(failure), "give each value its feature's type, or null") from None
        except Unreachable as failure:
            raise gone(str(failure)) from None


def rows_of(view: View, frame: Mapping[str, list[Any]]) -> list[Row]:
    """The rows of a data frame given by columns.

    Raises:
        ValueWrong: a column is missing, unknown, or of another length, or a value or time is not of its type.
    """
    names = [each.name for each in view.features]
    _check_columns(view, frame, [*view.entities, *names, EVENT_TIME])
    columns = [frame[name] for name in names]
    rows = []
    for number, instant in enumerate(frame[EVENT_TIME]):
        keys = {name: frame[name][number] for name in view.entities}
        rows.append(Row(view.name, keys, _nanos(instant, number), [column[number] for column in columns]))
    _check_values(view, columns)
    return rows


def _check_values(view: View, columns: list[list[Any]]) -> None:
    """Every value, also of rows that a later one of the same push beats and that the writer therefore passes over."""
    for (name, kind), column in zip(view.columns, columns, strict=True):
        for row, value in enumerate(column):
            try:
                encode_value(kind, value)
            except Unfit as failure:
                what = f"feature {view.name}:{name}, row {row}: {failure}"
                raise ValueWrong(what, f"give {kind} values or null") from None


def _check_columns(view: View, frame: Mapping[str, list[Any]], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in frame]
    if missing:
        raise ValueWrong(f"view {view.name}: column {', '.join(missing)} is missing", "send all columns of the view")
    for name in frame:
        if name not in wanted and name != CREATED:
            near = difflib.get_close_matches(name, wanted, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"its columns are {', '.join(wanted)}"
            raise ValueWrong(f"view {view.name} has no column {name}", remedy)
    lengths = {name: len(column) for name, column in frame.items()}
    if len(set(lengths.values())) > 1:
        raise ValueWrong(f"columns have different lengths: {lengths}", "give each column as many values")


def _nanos(instant: Any, row: int) -> int:  # noqa: ANN401  whatever a caller gave
    try:
        return nanos_of(dt.datetime.fromisoformat(instant))
    except (TypeError, ValueError):
        what = f"{EVENT_TIME}, row {row}: {instant!r} is no instant"
        raise ValueWrong(what, "write it as 2013-01-01T10:17:00Z") from None

"""What Redis answered, as columns of JSON texts.

The packed copies come as lines of text: a view's rows are split and turned, nothing is parsed. What Feast's own client
wrote is read from Feast's fields.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from contracts.layout import decode_time, decode_value, written
from contracts.layout_packed import LINE, NULL, fragment
from feature.plan import ViewPlan

EPOCH = b'"1970-01-01T00:00:00Z"'
"""What stands as the time of what is not there, as in Feast."""
PRESENT, MISSING, EMPTY, OLD = b'"PRESENT"', b'"NOT_FOUND"', b'"NULL_VALUE"', b'"OUTSIDE_MAX_AGE"'
_values = msgspec.json.Decoder(list[Any]).decode

Columns = list[tuple[bytes, ...]]
"""A view's answer by column: times first, then each of its features, a JSON text for each row."""


class Rows:
    """What was found of one view: a list of lines for each row, and which rows are not there."""

    __slots__ = ("columns", "missing")

    def __init__(self, columns: Columns, missing: list[bool] | None) -> None:
        self.columns = columns
        self.missing = missing


def lines(heads: Sequence[bytes], packed: bytes | None, time: bytes | None) -> list[bytes] | None:
    """`layout_packed.lines_of`, with what it compares made beforehand.

    Args:
        heads: by the length of a time, how a copy that counts begins before it.
        packed: content of `_pk:view`.
        time: content of `_ts:view`.
    """
    if packed is None or time is None:
        return None
    length = len(time)
    if not packed.startswith(heads[length] + time):
        return None
    return packed[length + 14 :].split(LINE)


def decoded(view: ViewPlan, answer: Sequence[bytes | None]) -> list[bytes] | None:
    """Lines of a row that Feast's own client wrote; None where it went meanwhile.

    Args:
        view: what was asked.
        answer: its time and each of its features, as Feast keeps them.
    """
    if answer[0] is None:
        return None
    values = [decode_value(each) for each in answer[1:]]
    texts = [fragment(kind, value) for kind, value in zip(view.kinds, values, strict=True)]
    return [b'"' + written(decode_time(answer[0])).encode() + b'"', *texts]


def spread(view: ViewPlan, rows: Sequence[list[bytes] | None], place: Sequence[int] | None) -> Rows:
    """Columns of the request's rows, from the rows of its entities.

    Args:
        view: what was asked.
        rows: lines of each entity; None where it is missing.
        place: which entity each row of the request belongs to; None: each to its own.
    """
    wanted = rows if place is None else [rows[n] for n in place]
    missing = None
    if None in wanted:
        missing = [row is None for row in wanted]
        nothing = [EPOCH, *([NULL] * len(view.kinds))]
        wanted = [nothing if row is None else row for row in wanted]
    return Rows(list(zip(*wanted, strict=True)), missing)


def statuses(column: Sequence[bytes], missing: Sequence[bool] | None, old: Sequence[bool] | None) -> list[bytes]:
    """What is said of each value of a column: the gravest that holds."""
    out = [EMPTY if each == NULL else PRESENT for each in column]
    for n in range(len(out)):
        if old and old[n]:
            out[n] = OLD
        if missing and missing[n]:
            out[n] = MISSING
    return out


def native(kind: str, column: Sequence[bytes]) -> list[Any]:
    """Values of a column, for a function."""
    values = _values(b"[" + b",".join(column) + b"]")
    if kind.startswith("float"):
        return [None if each is None else float(each) for each in values]
    return values

"""The packed copy: text that needs no parsing, and that never stands for another value than Feast's fields do."""

import json
import math
from typing import Any

import msgspec
import pytest
from feast.feature_server_utils import _value_to_native
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from contracts.layout import Unfit, encode_time
from contracts.layout_packed import HIGHEST, LINE, fragment, lines_of, pack, schema_mark
from unit.feature.test_layout import TYPED, VALUES, field

COLUMNS = tuple((f"f_{kind}", kind) for kind in VALUES)
ROWS = st.tuples(*(st.none() | VALUES[kind] for _, kind in COLUMNS))
NANOS = st.integers(0, 2**62)


@given(TYPED)
def test_a_text_is_the_value_that_feast_sends(typed: tuple[str, Any]) -> None:
    """Read as JSON, it equals what Feast's feature server would have sent, number for number."""
    kind, value = typed
    expected = _value_to_native(Value(**{field(kind): value}))
    assert json.loads(fragment(kind, value)) == expected
    assert msgspec.json.decode(fragment(kind, value)) == expected


@given(TYPED)
def test_a_text_has_no_line_break(typed: tuple[str, Any]) -> None:
    """Lines separate values: none may hold one."""
    assert LINE not in fragment(*typed)


@given(ROWS, NANOS, st.integers(0, HIGHEST))
def test_a_copy_gives_back_what_was_packed(row: tuple[Any, ...], nanos: int, sequence: int) -> None:
    """Every value in its place, after the time."""
    mark = schema_mark(COLUMNS)
    lines = lines_of(mark, pack(mark, COLUMNS, nanos, sequence, row), encode_time(nanos))
    assert lines is not None
    assert lines[1:] == [fragment(kind, value) for (_, kind), value in zip(COLUMNS, row, strict=True)]
    assert lines[0][:1] + lines[0][-2:] == b'"Z"'


@given(NANOS, NANOS)
def test_a_copy_counts_only_for_its_time(nanos: int, other: int) -> None:
    """Where Feast's client wrote in between, its time is another and the copy is passed over."""
    mark = schema_mark(COLUMNS)
    packed = pack(mark, COLUMNS, nanos, 0, [None] * len(COLUMNS))
    assert (lines_of(mark, packed, encode_time(other)) is None) == (nanos != other)


def test_a_copy_of_another_definition_does_not_count() -> None:
    """A feature more, another order or another type: Feast's fields are read instead."""
    packed = pack(schema_mark(COLUMNS), COLUMNS, 5, 0, [None] * len(COLUMNS))
    for columns in (COLUMNS[1:], COLUMNS[::-1], (("f_string", "bytes"), *COLUMNS[1:])):
        assert lines_of(schema_mark(columns), packed, encode_time(5)) is None


def test_nothing_is_no_copy() -> None:
    """An entity that is not there."""
    assert lines_of(schema_mark(COLUMNS), None, None) is None


@pytest.mark.parametrize("sequence", [-1, HIGHEST + 1])
def test_a_sequence_that_redis_could_not_count_is_refused(sequence: int) -> None:
    """Scripts in Redis count in doubles."""
    with pytest.raises(Unfit):
        pack(schema_mark(()), (), 0, sequence, ())


def test_what_is_no_number_has_a_name() -> None:
    """As in protobuf's JSON."""
    assert [fragment("float64", each) for each in (math.nan, math.inf, -math.inf)] == [
        b'"NaN"', b'"Infinity"', b'"-Infinity"'
    ]  # fmt: skip

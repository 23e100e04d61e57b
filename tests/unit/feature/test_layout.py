"""Our layout is Feast's, byte for byte: held against Feast's own functions."""

import datetime as dt
import math
import struct
from typing import Any

import pytest
from feast.feature_server_utils import _timestamp_to_str
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import layout
from contracts.layout import KINDS, NANOS, Unfit

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 0, -1])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(),
    "bytes": st.binary(),
    "int32": INT32,
    "int64": INT64,
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "bool": st.booleans(),
    "unix_timestamp": INT64,
}
FIELDS = {"float64": "double_val", "float32": "float_val"}
TYPED = st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))
ENTITIES = ("string", "int32", "int64", "bytes", "unix_timestamp")
ENTITY = st.sampled_from(ENTITIES).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))


def field(kind: str) -> str:
    """Return the name of a type's field in Feast's message."""
    return FIELDS.get(kind, f"{kind}_val")


def same(ours: object, theirs: object) -> bool:
    """Whether two values are the same, not-a-number being itself."""
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    return ours == theirs and type(ours) is type(theirs)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of all waits for Unicode's tables
@given(TYPED)
def test_values_are_written_as_protobuf_writes_them(typed: tuple[str, Any]) -> None:
    """Each value's bytes are those of Feast's message."""
    kind, value = typed
    assert layout.encode_value(kind, value) == Value(**{field(kind): value}).SerializeToString()


@given(TYPED)
def test_values_that_protobuf_wrote_are_read(typed: tuple[str, Any]) -> None:
    """Each value comes back as itself, whatever its extremes."""
    kind, value = typed
    message = Value(**{field(kind): value})
    assert same(layout.decode_value(message.SerializeToString()), getattr(message, field(kind)))


def test_null_is_empty() -> None:
    """What is unknown is a message without a field; the older way to write it is read as well."""
    assert layout.encode_value("int64", None) == Value().SerializeToString() == b""
    assert layout.decode_value(b"\x98\x01\x00") is None
    assert layout.decode_value(None) is None


def test_a_value_of_another_type_is_named() -> None:
    """A list, which no definition of ours can have, is no silent None."""
    message = Value()
    message.int64_list_val.val.extend([1, 2])
    with pytest.raises(Unfit, match="first byte"):
        layout.decode_value(message.SerializeToString())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int64", 2**63), ("int64", 1.0), ("int64", True), ("int64", "1"), ("int32", 2**31), ("float64", "1.5"),
        ("float64", 10**400), ("float32", 1e39), ("string", 1), ("string", "\ud800"), ("bool", 1), ("bytes", "x"),
        ("float64", True),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(kind: str, value: object) -> None:
    """Nothing is rounded, cut or guessed."""
    with pytest.raises(Unfit):
        layout.encode_value(kind, value)


@given(st.integers(-62135596800, 253402300799), st.integers(0, NANOS - 1))
def test_times_are_written_as_protobuf_writes_them(seconds: int, nanos: int) -> None:
    """From the year 1 to 9999, before the epoch as well."""
    message = Timestamp(seconds=seconds, nanos=nanos).SerializeToString()
    assert layout.encode_time(seconds * NANOS + nanos) == message
    assert layout.decode_time(message) == seconds * NANOS + nanos


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001  hypothesis and UTC
def test_instants_are_told_as_feast_tells_them(instant: dt.datetime) -> None:
    """The text of an event time is that of Feast's feature server."""
    message = Timestamp()
    message.FromDatetime(instant)
    assert layout.nanos_of(instant) == message.ToNanoseconds()
    assert layout.written(layout.nanos_of(instant)) == _timestamp_to_str(message)


def test_an_instant_without_an_offset_is_utc() -> None:
    """As Feast takes it."""
    assert layout.nanos_of(dt.datetime(2013, 1, 1)) == layout.nanos_of(dt.datetime(2013, 1, 1, tzinfo=dt.UTC))  # noqa: DTZ001  hypothesis and UTC


@given(st.dictionaries(st.text(min_size=1), ENTITY, min_size=1, max_size=4), st.text(min_size=1, max_size=20))
def test_entity_keys_are_feasts(keys: dict[str, tuple[str, Any]], project: str) -> None:
    """One join key or several, in any order, of any type that Feast has."""
    message = EntityKey(
        join_keys=list(keys), entity_values=[Value(**{field(kind): value}) for kind, value in keys.values()]
    )
    if len(keys) == 1:
        assert layout.entity_key(project, keys) == _redis_key(project, message)
        return
    order = sorted(keys)
    expected = EntityKey(
        join_keys=order, entity_values=[Value(**{field(keys[name][0]): keys[name][1]}) for name in order]
    )
    assert layout.entity_key(project, keys) == serialize_entity_key(expected, 3) + project.encode()


@pytest.mark.parametrize(("kind", "value"), [("string", None), ("float64", 1.0), ("bool", True), ("int64", "x")])
def test_no_entity_is_null_or_of_a_type_that_feast_lacks(kind: str, value: object) -> None:
    """A key of nothing would be everybody's."""
    with pytest.raises(Unfit):
        layout.entity_key("p", {"name": (kind, value)})


@given(st.text(), st.text())
def test_fields_are_feasts(view: str, feature: str) -> None:
    """The field of a feature is Feast's hash of its name."""
    assert layout.field_of(view, feature) == _mmh3(f"{view}:{feature}")


def test_every_type_has_its_number() -> None:
    """Numbers of types are Feast's own."""
    for kind in KINDS.values():
        assert Value.DESCRIPTOR.fields_by_name[field(kind.name)].number == kind.number


def test_float32_is_rounded_as_feast_rounds_it() -> None:
    """What comes back is the nearest of single precision."""
    read = layout.decode_value(layout.encode_value("float32", 0.1))
    assert read == struct.unpack("<f", struct.pack("<f", 0.1))[0]

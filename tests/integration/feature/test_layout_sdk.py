"""What we write Feast reads, what Feast writes we read: every type, every extreme, over a real Redis."""

import datetime as dt
import math
from typing import Any

import feast
import pandas as pd
import pytest
import redis
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import layout
from contracts.layout_packed import lines_of, packed_field
from contracts.online import Row, Writer
from integration.feature import samples
from integration.feature.processes import PASSWORD, Service
from unit.feature.test_layout import VALUES, field, same

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ROWS = st.tuples(*(st.none() | VALUES[kind] for kind in samples.KINDS))
NAMES = st.text(min_size=1, max_size=40)
# Feast carries event times as microseconds, through a float.
TIMES = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001  hypothesis and UTC


def written(store: feast.FeatureStore, name: str, row: tuple[Any, ...], instant: dt.datetime) -> None:
    """Let Feast's own online store write a row, exactly as it stands."""
    key = EntityKey(join_keys=["name"], entity_values=[Value(string_val=name)])
    values = {
        f"s_{kind}": Value() if value is None else Value(**{field(kind): value})
        for kind, value in zip(samples.KINDS, row, strict=True)
    }
    view = store.get_feature_view("texts")
    store._get_provider().online_write_batch(store.config, view, [(key, values, instant, None)], None)


def through_sdk(store: feast.FeatureStore, name: str) -> list[Any]:
    """Return what `get_online_features` gives for a name, as protobuf holds it."""
    references = [f"texts:s_{kind}" for kind in samples.KINDS]
    answer = store.get_online_features(references, [{"name": name}]).proto
    by_name = dict(zip(answer.metadata.feature_names.val, answer.results, strict=True))
    found = [by_name[f"s_{kind}"].values[0] for kind in samples.KINDS]  # noqa: PD011  protobuf's
    return [getattr(each, each.WhichOneof("val")) if each.WhichOneof("val") else None for each in found]


@SLOW
@given(NAMES, ROWS, TIMES)
def test_feast_reads_what_we_write(  # noqa: PLR0913, PLR0917  what the test stands on, and what is drawn
    redis_port: int, direct: feast.FeatureStore, writer: Writer, name: str, row: tuple[Any, ...], instant: dt.datetime
) -> None:
    """Feast's SDK gives back every value that our writer wrote, bit for bit."""
    _flush(redis_port)
    assert writer.write([Row("texts", {"name": name}, layout.nanos_of(instant), row)]).written == 1
    expected = [layout.decode_value(layout.encode_value(*each)) for each in zip(samples.KINDS, row, strict=True)]
    assert all(map(same, through_sdk(direct, name), expected))


@SLOW
@given(NAMES, ROWS, TIMES)
def test_we_read_what_feast_writes(
    redis_port: int, direct: feast.FeatureStore, name: str, row: tuple[Any, ...], instant: dt.datetime
) -> None:
    """Our codec gives back every value that Feast's online store wrote, and its time."""
    _flush(redis_port)
    written(direct, name, row, instant)
    key = layout.entity_key(samples.PROJECT, {"name": ("string", name)})
    fields = [layout.field_of("texts", f"s_{kind}") for kind in samples.KINDS]
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        time, *values = client.hmget(key, [layout.time_field("texts"), *fields])
    assert layout.decode_time(time) == layout.nanos_of(instant)
    expected = [layout.decode_value(layout.encode_value(*each)) for each in zip(samples.KINDS, row, strict=True)]
    assert all(map(same, map(layout.decode_value, values), expected))


def test_a_data_frame_through_the_sdk_is_read(redis_port: int, direct: feast.FeatureStore) -> None:
    """`write_to_online_store`, as its users call it; Feast itself turns not-a-number into null."""
    frame = pd.DataFrame(
        {
            "number": [1, -(2**63)], "n_float64": [math.inf, math.nan], "n_string": ["é漢🛫", ""],
            "event_timestamp": [dt.datetime(2013, 1, 1, tzinfo=dt.UTC)] * 2,
        }
    )  # fmt: skip
    direct.write_to_online_store("numbers", df=frame)
    found = []
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        for number in (1, -(2**63)):
            key = layout.entity_key(samples.PROJECT, {"number": ("int64", number)})
            fields = [layout.field_of("numbers", name) for name in ("n_float64", "n_string")]
            found.append([layout.decode_value(each) for each in client.hmget(key, fields)])
    assert found == [[math.inf, "é漢🛫"], [None, ""]]


def test_entities_of_two_join_keys_are_the_same(direct: feast.FeatureStore, writer: Writer) -> None:
    """Feast finds what we wrote under two keys, whatever their order."""
    writer.write([Row("pairs", {"name": "b", "number": 7}, 10**18, [42])])
    answer = direct.get_online_features(["pairs:p_int64"], [{"number": 7, "name": "b"}]).to_dict()
    assert answer["p_int64"] == [42]


def test_the_packed_copy_stands_beside_feasts_fields(redis_port: int, writer: Writer) -> None:
    """One more field per view, made in the same step."""
    writer.write([Row("more", {"name": "a"}, 10**18, [42])])
    key = layout.entity_key(samples.PROJECT, {"name": ("string", "a")})
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        stored = client.hgetall(key)
    assert set(stored) == {b"_ts:more", packed_field("more"), layout.field_of("more", "m_int64")}
    lines = lines_of(samples.MORE.mark, stored[packed_field("more")], stored[b"_ts:more"])
    assert lines == [b'"2001-09-09T01:46:40Z"', b"42"]


@pytest.mark.parametrize("ours", [True, False], ids=["packed", "feast"])
def test_the_service_gives_what_the_sdk_gives(
    direct: feast.FeatureStore, writer: Writer, fresh: Service, *, ours: bool
) -> None:
    """Whoever wrote: the packed copy and Feast's fields lead to the same answer."""
    instant = dt.datetime(2013, 1, 1, 10, 17, 0, 250_000, tzinfo=dt.UTC)
    row = ('é漢🛫\n"', 2**63 - 1, -(2**31), 0.1, 0.1, True, b"\x00\xff", 1_357_000_000)
    if ours:
        writer.write([Row("texts", {"name": "a"}, layout.nanos_of(instant), row)])
    else:
        written(direct, "a", row, instant)
    status, answer = fresh.ask(entities={"name": ["a"]}, features=[f"texts:s_{kind}" for kind in samples.KINDS])
    assert status == 200
    values = [each["values"][0] for each in answer["results"][1:]]
    expected = through_sdk(direct, "a")
    expected[samples.KINDS.index("bytes")] = "AP8="
    assert values == expected
    assert {each["event_timestamps"][0] for each in answer["results"][1:]} == {"2013-01-01T10:17:00.250Z"}
    assert ('feature_rows_detoured_total{view="texts"} 1.0' in fresh.text("/metrics")) is not ours


def _flush(port: int) -> None:
    with redis.Redis(port=port, password=PASSWORD) as client:
        client.flushall()

"""Writes that cannot go wrong: late, replayed, doubled, side by side, through a crash."""

import random
import threading
from collections.abc import Sequence
from pathlib import Path

import feast
import pandas as pd
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import layout
from contracts.layout import Unfit
from contracts.online import Outcome, Row, Unreachable, Writer, clock_key
from integration.feature import samples
from integration.feature.processes import PASSWORD, Redis

SECOND = 10**9
ROW = st.tuples(st.sampled_from("ab"), st.integers(-2, 3), st.integers(0, 2))
SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def row(name: str, seconds: int, value: int | None, sequence: int = 0) -> Row:
    """Return a row of the small view."""
    return Row("more", {"name": name}, seconds * SECOND, [value], sequence)


def stored(port: int, name: str) -> tuple[int, int | None] | None:
    """Return event time in seconds and value that stand for a name."""
    key = layout.entity_key(samples.PROJECT, {"name": ("string", name)})
    with redis.Redis(port=port, password=PASSWORD) as client:
        time, value = client.hmget(key, [layout.time_field("more"), layout.field_of("more", "m_int64")])
    return None if time is None else (layout.decode_time(time) // SECOND, layout.decode_value(value))


def number(seconds: int, sequence: int) -> int:
    """Return the value that rows of the properties carry: which one it was can be told."""
    return seconds * 10 + sequence


@SLOW
@given(st.lists(ROW, max_size=12), st.integers(1, 5))
def test_the_newest_row_stands_in_any_order(
    redis_port: int, writer: Writer, rows: list[tuple[str, int, int]], size: int
) -> None:
    """However rows are shuffled, cut into batches and repeated, the newest event time and sequence stands."""
    _flush(redis_port)
    made = [row(name, seconds, number(seconds, order), order) for name, seconds, order in rows]
    for begin in range(0, len(made), size):
        writer.write(made[begin : begin + size])
    writer.write(made)
    for name in "ab":
        mine = [(seconds, order) for each, seconds, order in rows if each == name]
        expected = (max(mine)[0], number(*max(mine))) if mine else None
        assert stored(redis_port, name) == expected


def test_a_late_row_changes_nothing(redis_port: int, writer: Writer) -> None:
    """Older than what stands there: left out, and counted so."""
    assert writer.write([row("a", 10, 1)]) == Outcome(1, 0, 0)
    assert writer.write([row("a", 9, 2)]) == Outcome(0, 1, 0)
    assert stored(redis_port, "a") == (10, 1)


def test_the_same_row_twice_is_written_once(redis_port: int, writer: Writer) -> None:
    """A replay of a batch does nothing, with a sequence or without one."""
    batch = [row("a", 10, 1), row("b", 10, 2, 5)]
    assert writer.write(batch) == Outcome(2, 0, 0)
    assert writer.write(batch) == Outcome(0, 2, 0)
    assert (stored(redis_port, "a"), stored(redis_port, "b")) == ((10, 1), (10, 2))


def test_rows_of_one_instant_are_told_apart_by_their_sequence(redis_port: int, writer: Writer) -> None:
    """Two flights of one minute: the second counts; played again, the first does not come back."""
    writer.write([row("a", 10, 1, 1)])
    assert writer.write([row("a", 10, 2, 2)]).written == 1
    assert writer.write([row("a", 10, 1, 1)]).written == 0
    assert stored(redis_port, "a") == (10, 2)


def test_without_a_sequence_the_first_of_an_instant_stays(redis_port: int, writer: Writer) -> None:
    """As Feast's own store does it."""
    writer.write([row("a", 10, 1)])
    assert writer.write([row("a", 10, 2)]).written == 0
    assert stored(redis_port, "a") == (10, 1)


def test_within_a_batch_only_the_newest_goes_over_the_wire(redis_port: int, writer: Writer) -> None:
    """A thousand rows of one entity are one write."""
    assert writer.write(row("a", n, n) for n in range(1000)) == Outcome(1, 0, 999)
    assert stored(redis_port, "a") == (999, 999)


def test_a_null_takes_the_place_of_a_value(redis_port: int, writer: Writer) -> None:
    """What is not known any more is not left as it was."""
    writer.write([row("a", 1, 5)])
    writer.write([row("a", 2, None)])
    assert stored(redis_port, "a") == (2, None)


def test_views_of_an_entity_are_guarded_each_by_itself(redis_port: int, writer: Writer) -> None:
    """A newer row of one view does not shut out an older row of another."""
    texts = Row("texts", {"name": "a"}, 5 * SECOND, [None] * len(samples.KINDS))
    assert writer.write([row("a", 10, 1), texts]) == Outcome(2, 0, 0)
    assert stored(redis_port, "a") == (10, 1)


def test_feasts_own_rows_are_guarded_too(redis_port: int, writer: Writer, direct: feast.FeatureStore) -> None:
    """What Feast's client wrote is not overwritten by an older row, and its client is held off by ours."""
    frame = {"name": ["a"], "m_int64": [1], "event_timestamp": pd.to_datetime([10], unit="s", utc=True)}
    direct.write_to_online_store("more", df=pd.DataFrame(frame))
    assert writer.write([row("a", 9, 2), row("a", 10, 3, 9)]).written == 0
    assert writer.write([row("a", 11, 4)]).written == 1
    direct.write_to_online_store("more", df=pd.DataFrame(frame))
    assert stored(redis_port, "a") == (11, 4)


def test_writers_side_by_side_leave_the_newest(redis_port: int) -> None:
    """Eight writers with the same rows in their own order, all at once."""
    rows = [row("abcd"[n % 4], n // 4, n) for n in range(400)]
    threads = [threading.Thread(target=_write_shuffled, args=(redis_port, rows, seed)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [stored(redis_port, name) for name in "abcd"] == [(99, 396 + n) for n in range(4)]


def _write_shuffled(port: int, rows: Sequence[Row], seed: int) -> None:
    order = list(rows)
    random.Random(seed).shuffle(order)  # noqa: S311  the same draws at every run
    own = Writer(samples.DEFINITIONS, "127.0.0.1", port, password=PASSWORD)
    for begin in range(0, len(order), 7):
        own.write(order[begin : begin + 7])
    own.close()


def test_a_redis_that_forgot_the_script_is_told_again(redis_port: int, writer: Writer) -> None:
    """After SCRIPT FLUSH, or on another Redis, the same call works and writes once."""
    writer.write([row("a", 1, 1)])
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        client.script_flush()
    assert writer.write([row("a", 2, 2), row("b", 2, 3)]) == Outcome(2, 0, 0)
    assert stored(redis_port, "a") == (2, 2)


def test_an_entity_that_nobody_writes_goes(redis_port: int) -> None:
    """With Feast's `key_ttl_seconds` the hash expires, later with each row that counts and only with such a one."""
    own = Writer(samples.DEFINITIONS, "127.0.0.1", redis_port, password=PASSWORD, expiry=100)
    own.write([row("a", 10, 1)])
    key = layout.entity_key(samples.PROJECT, {"name": ("string", "a")})
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        client.expire(key, 50)
        own.write([row("a", 9, 1)])
        assert 0 < client.ttl(key) <= 50
        own.write([row("a", 11, 1)])
        assert 50 < client.ttl(key) <= 100
    own.close()


def test_the_clock_of_a_view_never_moves_back(redis_port: int, writer: Writer) -> None:
    """It holds the newest event time that was written."""
    for seconds in (10, 30, 20):
        writer.write([row("abc"[seconds % 3], seconds, 1)])
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        event, wall = client.hget(clock_key(samples.PROJECT), "more").split()
    assert int(event) == 30_000_000
    assert int(wall) > int(event)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Row("nothing", {"name": "a"}, 0, [1]), "no view nothing; known are"),
        (Row("more", {"nam": "a"}, 0, [1]), "view more: no value for entity name"),
        (Row("more", {"name": 1}, 0, [1]), "view more, entity name: 1 is no text"),
        (Row("more", {"name": "a"}, 0, ["1"]), "feature more:m_int64: '1' is no whole number"),
        (Row("more", {"name": "a"}, 0, [1, 2]), "view more has 1 features, not 2"),
    ],
)
def test_a_wrong_row_is_refused_by_name_and_nothing_is_written(
    redis_port: int, writer: Writer, wrong: Row, words: str
) -> None:
    """One bad row in a batch: the batch is refused as a whole, before anything is sent."""
    with pytest.raises(Unfit, match=words):
        writer.write([row("b", 1, 1), wrong])
    assert stored(redis_port, "b") is None


def test_a_crash_of_redis_loses_nothing_that_is_written_again(tmp_path: Path) -> None:
    """Gone: told so at once. Back: the same batch again leaves what one run would have left."""
    own = Redis(tmp_path)
    own.start()
    writer = Writer(samples.DEFINITIONS, "127.0.0.1", own.port, password=PASSWORD, patience=1)
    batch = [row("abcdef"[n % 6], n, n) for n in range(60)]
    writer.write(batch[:30])
    own.kill()
    with pytest.raises(Unreachable):
        writer.write(batch)
    own.start()
    writer.write(batch)
    assert [stored(own.port, "abcdef"[n]) for n in range(6)] == [(54 + n, 54 + n) for n in range(6)]
    writer.close()
    own.kill()


def test_a_full_redis_is_told_as_such(redis_port: int, writer: Writer) -> None:
    """No eviction: the writer hears it, nothing is thrown out, and it goes on once there is room."""
    writer.write([row("a", 1, 1)])
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        with pytest.raises(Unreachable, match="maxmemory"):
            writer.write([row("b", 2, 2)])
        client.config_set("maxmemory", before)
    assert stored(redis_port, "a") == (1, 1)
    assert writer.write([row("b", 2, 2)]).written == 1


def _flush(port: int) -> None:
    with redis.Redis(port=port, password=PASSWORD) as client:
        client.flushall()

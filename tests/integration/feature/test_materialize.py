"""Batch features on their way into the online store: the newest that can be known, once, corrected, and refilled."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contracts.layout import decode_time, decode_value, entity_key, field_of, nanos_of, time_field
from contracts.online import Writer
from contracts.views_flights import DEFINITIONS, PROJECT
from integration.components.pods import free_port
from integration.feature.processes import PASSWORD
from lake.build import build
from lake.errors import OnlineStoreAway
from lake.materialize import materialize
from unit.lake.worlds import BEGIN, World, arrived, departed

CARRIER = "punctuality_30d_by_carrier"
NAMES = ("carrier_flights_30d", "carrier_on_time_30d", "carrier_arrival_mean_30d")
HOURS = 60


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a lake with three days of UA: one arrival a day, on the third one not the last word yet."""
    made = World(tmp_path)
    made.add(
        event
        for day in range(3)
        for event in (departed(day * 1440 + HOURS), arrived(day * 1440 + 8 * HOURS, delay=10 * day))
    )
    build(made.lake)
    return made


@pytest.fixture
def writer(redis_port: int) -> Iterator[Writer]:
    """Return a writer of the project's features on an empty Redis."""
    made = Writer(DEFINITIONS, "127.0.0.1", redis_port, password=PASSWORD, patience=1)
    yield made
    made.close()


def read(port: int, kind: str, key: str, view: str, *features: str) -> tuple[dt.timedelta, list[object]]:
    """Return event time (since the beginning of the year) and values that stand for a key."""
    with redis.Redis(port=port, password=PASSWORD) as client:
        fields = [time_field(view), *(field_of(view, name) for name in features)]
        time, *values = client.hmget(entity_key(PROJECT, {kind: ("string", key)}), fields)
    assert time is not None, f"{view} has no row for {key}"
    since = dt.timedelta(microseconds=(decode_time(time) - nanos_of(BEGIN)) // 1000)
    return since, [decode_value(value) for value in values]


def test_the_newest_row_that_can_be_known_stands(world: World, writer: Writer, redis_port: int) -> None:
    """The third day is not over: its row is in the lake, and not in the store; that of the second day stands."""
    materialize(world.lake, writer)

    assert read(redis_port, "carrier", "UA", CARRIER, *NAMES) == (dt.timedelta(days=2), [2, 1.0, 5.0])


def test_a_plane_has_its_last_arrival(world: World, writer: Writer, redis_port: int) -> None:
    """The row of the plane's newest arrival stands, at that instant."""
    materialize(world.lake, writer)

    at, values = read(redis_port, "tailnum", "N12345", "turn_by_tailnum", "tail_last_arrival_delay")
    assert (at, values) == (dt.timedelta(days=2, hours=8), [20])


def test_again_writes_nothing(world: World, writer: Writer) -> None:
    """The same rows a second time are all there."""
    first = materialize(world.lake, writer)

    second = materialize(world.lake, writer)

    assert all(outcome.written for outcome in first.values())
    assert [outcome.written for outcome in second.values()] == [0] * len(first)


def test_a_row_made_anew_takes_the_place_of_the_earlier_one(world: World, writer: Writer, redis_port: int) -> None:
    """An arrival of the second day that comes late changes the row of the same event time, online as well."""
    materialize(world.lake, writer)
    world.add([departed(1440 + 2 * HOURS, flight=2), arrived(1440 + 9 * HOURS, flight=2, delay=70)])
    build(world.lake)

    materialize(world.lake, writer)

    assert read(redis_port, "carrier", "UA", CARRIER, *NAMES) == (dt.timedelta(days=2), [3, 2 / 3, 80 / 3])


def test_an_emptied_store_is_filled(world: World, writer: Writer, redis_port: int) -> None:
    """A store that lost everything has it all again, without a change in the lake."""
    materialize(world.lake, writer)
    with redis.Redis(port=redis_port, password=PASSWORD) as client:
        client.flushall()

    materialize(world.lake, writer)

    assert read(redis_port, "route", "JFK-LAX", "punctuality_30d_by_route", "route_flights_30d")[1] == [2]


def test_a_store_that_is_away_is_named(world: World) -> None:
    """The error says which view waits and what makes up for it."""
    writer = Writer(DEFINITIONS, "127.0.0.1", free_port(), password=PASSWORD, patience=0.2)

    with pytest.raises(OnlineStoreAway, match=CARRIER.replace("carrier", "route")):
        materialize(world.lake, writer)
    writer.close()

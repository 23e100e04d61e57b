"""The way into bronze with a real broker, a real process and a real store: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from threading import Thread

import polars as pl
import pytest

from contracts import Event
from contracts.topics import DEPARTED, WEATHER
from integration.lake.conftest import Gateway, Store, Topics, Writer, until
from unit.lake.worlds import arrived, departed, reading, topic_of

pytestmark = pytest.mark.cluster

_EVENTS = 50_000
_KILLS = 10
_EAGER = {"TARMAC_LAKE_BATCH_EVENTS": "1500", "TARMAC_LAKE_BATCH_SECONDS": "0.2", "TARMAC_COMPACT_FILES": "12"}

Make = Callable[..., Writer]


def made_up(number: int) -> list[Event]:
    """So many different events over ten days."""
    draw = random.Random(2)  # noqa: S311  the same events at every run
    out: list[Event] = []
    for each in range(number):
        minute, origin = each * 14400 / number, draw.choice(("JFK", "LGA", "EWR"))
        if not each % 20:
            out.append(reading(minute, origin))
            continue
        kind = departed if each % 2 else arrived
        out.append(kind(minute, origin=origin, delay=draw.randint(-20, 200), name=f"made-up-{each:08}"))
    return out


def held(store: Store, topics: Topics) -> pl.DataFrame:
    """Every row of bronze: topic, id, partition, offset."""
    columns = ("id", "kafka_partition", "kafka_offset")
    tables = [
        store.lake.scan(f"bronze/{name}").select(*columns, topic=pl.lit(name)).collect()
        for name in topics.names.values()
        if store.lake.exists(f"bronze/{name}")
    ]
    return pl.concat(tables) if tables else pl.DataFrame({"id": []})


def test_ten_kills_lose_and_double_nothing(store: Store, topics: Topics, writer: Make) -> None:
    """Given 50,000 events, when the writer is killed ten times while they come, then each event is one row."""
    events, part = made_up(_EVENTS), _EVENTS // (_KILLS + 1)
    draw, one = random.Random(5), writer(store, **_EAGER)  # noqa: S311
    killed_at = []
    for begin in range(0, _KILLS * part, part):
        one.start()
        source = Thread(target=topics.send, args=(events[begin : begin + part], topic_of, 0.02))
        source.start()
        goal = begin + draw.randint(1, part - 1)
        until(lambda: one.durable() >= goal, f"{goal} events are durable", 120)  # noqa: B023  asked at once
        # Somewhere between two commits, within one, or in a compaction.
        time.sleep(draw.uniform(0, 0.1))
        killed_at.append(one.durable())
        one.kill()
        source.join()
    topics.send(events[_KILLS * part :], topic_of)
    one.start()
    until(lambda: one.durable() >= _EVENTS, "all events are durable", 120)
    assert one.kill(signal.SIGTERM) == 0

    rows = held(store, topics)
    ids = Counter(rows.get_column("id"))
    assert len(set(killed_at)) == _KILLS, killed_at
    assert len(ids) == _EVENTS, f"{_EVENTS - len(ids)} events are lost"
    assert [name for name, count in ids.items() if count > 1] == []
    assert set(ids) == {event.id for event in events}
    assert rows.select("topic", "kafka_partition", "kafka_offset").n_unique() == _EVENTS


def test_what_breaks_its_contract_is_counted_and_left_out(store: Store, topics: Topics, writer: Make) -> None:
    """Given poisoned records among good ones, then the good ones are written, and the others counted once."""
    topics.send([reading(minute) for minute in range(20)], topic_of)
    topics.send_raw(WEATHER, b"no json")
    topics.send_raw(
        WEATHER, b'{"type":"weather.read.v1","id":"wx-JFK-bad","time":"2013-01-01T00:00:00Z","station":"J"}'
    )
    topics.send([reading(minute) for minute in range(20, 30)], topic_of)
    one = writer(store, **_EAGER)
    one.start()
    until(lambda: one.durable() >= 32, "all records are passed", 60)
    assert one.metric("lake_refused_total") == 2
    assert one.metric("lake_rows_total") == 30
    one.kill(signal.SIGTERM)
    assert held(store, topics).height == 30


def test_bronze_says_what_the_event_said(store: Store, topics: Topics, writer: Make) -> None:
    """Every field of an event stands in its row, its time in UTC, a missing one as null."""
    flight = departed(75.5, delay=12, tailnum=None)
    topics.send([flight], topic_of)
    one = writer(store, **_EAGER)
    one.start()
    until(lambda: one.durable() >= 1, "the event is durable", 60)
    one.kill(signal.SIGTERM)
    row = store.lake.scan(f"bronze/{topics.names[DEPARTED]}").collect().row(0, named=True)
    assert {name: row[name] for name in ("id", "time", "scheduled", "delay", "carrier", "tailnum")} == {
        "id": flight.id, "time": flight.time, "scheduled": flight.scheduled, "delay": 12, "carrier": "UA",
        "tailnum": None,
    }  # fmt: skip
    assert row["date"] == flight.time.date()


def test_an_object_store_that_is_away_costs_nothing(gateway: Gateway, topics: Topics, writer: Make) -> None:
    """Given a store that goes away while events come, when it is back, then all is written once, without a restart."""
    store, one = gateway.store, writer(gateway.store, **_EAGER)
    topics.send(made_up(2_000), topic_of)
    one.start()
    until(lambda: one.durable() >= 2_000, "the first events are durable", 60)
    gateway.stop()
    late = [arrived(20_000 + minute, name=f"late-{minute:08}") for minute in range(3_000)]
    topics.send(late, topic_of)
    until(lambda: not one.ready()[0] and "lake" in one.ready()[1], "the writer says what it waits for", 90)
    assert one.alive
    gateway.start()
    until(lambda: one.durable() >= 5_000, "the rest is durable", 120)
    until(lambda: one.ready()[0], "the writer is ready again", 30)
    one.kill(signal.SIGTERM)
    rows = held(store, topics)
    assert rows.height == rows.get_column("id").n_unique() == 5_000


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    store: Store, topics: Topics, writer: Make, kafka_address: str
) -> None:
    """Given a topic deleted and made again, then its new events are written although their offsets were seen before."""
    from kafka.admin import KafkaAdminClient, NewTopic  # noqa: PLC0415

    topics.send([departed(minute) for minute in range(10)], topic_of)
    one = writer(store, **_EAGER)
    one.start()
    until(lambda: one.durable() >= 10, "the first events are durable", 60)
    one.kill(signal.SIGTERM)
    admin, name = KafkaAdminClient(bootstrap_servers=kafka_address), topics.names[DEPARTED]
    admin.delete_topics([name])
    until(lambda: name not in admin.list_topics(), "the topic is gone")
    admin.create_topics([NewTopic(name=name, num_partitions=3, replication_factor=1)])
    admin.close()
    topics.send([departed(minute) for minute in range(100, 105)], topic_of)
    one.start()
    until(lambda: held(store, topics).height >= 15, "the new events are durable", 60)
    one.kill(signal.SIGTERM)
    assert held(store, topics).get_column("id").n_unique() == 15


def test_of_two_writers_one_gives_way(store: Store, topics: Topics, writer: Make) -> None:
    """Given a second writer, left over behind a broken network, then rows are still written once."""
    topics.send(made_up(10_000), topic_of)
    first, second = writer(store, **_EAGER), writer(store, **_EAGER)
    first.start()
    second.start()
    until(lambda: max(first.durable(), second.durable()) >= 10_000, "all is durable", 120)
    time.sleep(1)
    for each in (first, second):
        each.kill()
    rows = held(store, topics)
    assert rows.height == rows.get_column("id").n_unique() == 10_000

"""From the log's events to the online store: what the speed layer knows is what a prediction reads."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from contracts import Event, FlightDeparted, WeatherRead, encode
from contracts.layout import decode_time, decode_value, entity_key, field_of, nanos_of, time_field
from contracts.online import Writer
from contracts.topics import DEPARTED, EVENTS, WEATHER
from contracts.views_flights import DEFINITIONS, PROJECT
from ingest.figures import OnlineFigures
from ingest.online import OnlineStore
from ingest.partition import Partition
from ingest.view import View
from integration.feature.processes import PASSWORD, Redis
from runtime.broker import Place
from runtime.health import Health
from unit.ingest.worlds import BEGIN, Record

TOPICS = {FlightDeparted: DEPARTED, WeatherRead: WEATHER}


class Speed:
    """The speed layer over a real Redis."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.health = Health()
        self.view = View()
        self.view.partitions = {Place(topic, 0): Partition(Place(topic, 0)) for topic in EVENTS}
        self.writer = Writer(DEFINITIONS, "127.0.0.1", port, password=PASSWORD, patience=1)
        self.registry = CollectorRegistry()
        self.store = OnlineStore(self.writer, self.view, OnlineFigures(self.registry), self.health, 0)

    def apply(self, *events: Event) -> None:
        """Apply events as the consumer does."""
        for event in events:
            place = Place(TOPICS[type(event)], 0)
            partition = self.view.partitions[place]
            record = Record(partition.offset, encode(event), [], topic=place.topic)
            partition.apply([record], lambda *_: None, lambda *_: None)
            self.store.touch(place.topic, partition.taken)

    def read(self, view: str, kind: str, key: str, *features: str) -> tuple[int, list[object]]:
        """Return event time and values that stand for a key."""
        with redis.Redis(port=self.port, password=PASSWORD) as client:
            fields = [time_field(view), *(field_of(view, name) for name in features)]
            time, *values = client.hmget(entity_key(PROJECT, {kind: ("string", key)}), fields)
        assert time is not None, f"{view} has no row for {key}"
        return decode_time(time), [decode_value(value) for value in values]

    def count(self, outcome: str) -> float:
        """Return how many rows were offered and came out so."""
        return self.registry.get_sample_value("ingest_online_rows_total", {"outcome": outcome}) or 0.0


@pytest.fixture
def speed(redis_port: int) -> Iterator[Speed]:
    """Return a speed layer whose store is empty."""
    made = Speed(redis_port)
    yield made
    made.writer.close()


def departure(hours: float, delay: int, origin: str = "JFK") -> FlightDeparted:
    """Return a departure of UA to Los Angeles."""
    time = BEGIN + dt.timedelta(hours=hours)
    return FlightDeparted(
        id=f"dep-{origin}-{hours}", time=time, scheduled=time, carrier="UA", flight=1, origin=origin, dest="LAX",
        delay=delay, distance=2475,
    )  # fmt: skip


def test_a_row_holds_the_windows_at_the_keys_last_event(speed: Speed) -> None:
    """Counts and means of an airline over two origins, at the event time of its newest flight."""
    speed.apply(departure(0, 30), departure(2.5, 10), departure(3, 20, "EWR"))
    assert speed.store.flush(now=True)
    names = [f"carrier_departure_{what}_{window}" for window in ("1h", "3h", "24h") for what in ("count", "mean")]
    time, values = speed.read("departure_delay_by_carrier", "carrier", "UA", *names)
    assert time == nanos_of(BEGIN + dt.timedelta(hours=3))
    assert values == [2, 15.0, 2, 15.0, 3, 20.0]
    assert speed.read("departure_delay_by_origin", "origin", "EWR", "origin_departure_count_24h")[1] == [1]
    assert speed.read("departure_delay_by_route", "route", "JFK-LAX", "route_departure_mean_1h")[1] == [10.0]


def test_a_key_whose_stream_went_days_on_is_written_all_the_same(speed: Speed) -> None:
    """Given a backlog of weeks within one write, then an airline that flew once in it has its row nevertheless."""
    rare = replace(departure(0, 30), carrier="OO")
    speed.apply(rare, *(departure(hours, 10) for hours in range(1, 24 * 14)))
    assert speed.store.flush(now=True)
    names = ("carrier_departure_count_24h", "carrier_departure_mean_24h")
    time, values = speed.read("departure_delay_by_carrier", "carrier", "OO", *names)
    assert (time, values) == (nanos_of(rare.time), [1, 30.0])


def test_the_newest_reading_of_a_station_stands(speed: Speed) -> None:
    """Every field of a reading, a missing one as null; an older reading that comes late changes nothing."""
    newest = WeatherRead(id="wx-JFK-2", time=BEGIN + dt.timedelta(hours=2), station="JFK", temp=39.5, wind_dir=270)
    speed.apply(newest, WeatherRead(id="wx-JFK-1", time=BEGIN, station="JFK", temp=10.0))
    assert speed.store.flush(now=True)
    time, values = speed.read("weather_by_origin", "origin", "JFK", "weather_temp", "weather_wind_dir", "weather_visib")
    assert (time, values) == (nanos_of(newest.time), [39.5, 270, None])


def test_the_same_events_again_change_nothing(speed: Speed) -> None:
    """Given a crash between write and commit, when the events are applied again, then no row is written anew."""
    events = [departure(each / 2, each) for each in range(6)]
    speed.apply(*events)
    assert speed.store.flush(now=True)
    written, before = speed.count("written"), speed.read("departure_delay_by_origin", "origin", "JFK")
    again = Speed(speed.port)
    again.apply(*events)
    assert again.store.flush(now=True)
    again.writer.close()
    assert (written, again.count("written"), again.count("stale")) == (3, 0, 3)
    assert speed.read("departure_delay_by_origin", "origin", "JFK") == before


def test_two_flights_of_one_minute_are_both_in_the_row(speed: Speed) -> None:
    """The second one has the same event time and still replaces the row, for it counts one more."""
    speed.apply(departure(1, 10))
    assert speed.store.flush(now=True)
    speed.apply(replace(departure(1, 30), id="dep-twin-1"))
    assert speed.store.flush(now=True)
    names = ("origin_departure_count_1h", "origin_departure_mean_1h")
    assert speed.read("departure_delay_by_origin", "origin", "JFK", *names)[1] == [2, 20.0]


def test_rows_wait_for_a_store_that_is_away(tmp_path: Path) -> None:
    """Given no store, then nothing may be committed and readiness says why; when it is back, all is written."""
    store = Redis(tmp_path)
    store.start()
    speed = Speed(store.port)
    try:
        store.kill()
        speed.apply(departure(1, 10))
        assert not speed.store.flush(now=True)
        ready, why = speed.health.ready()
        assert not ready
        assert "online store" in why
        store.start()
        assert speed.store.flush(now=True)
        assert speed.health.ready()[0]
        assert speed.read("departure_delay_by_origin", "origin", "JFK", "origin_departure_count_1h")[1] == [1]
    finally:
        speed.writer.close()
        store.kill()

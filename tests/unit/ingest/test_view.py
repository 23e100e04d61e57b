"""Questions are answered from the windows, by event time."""

import datetime as dt
from http import HTTPStatus

from contracts import FlightDeparted, encode
from contracts.topics import DEPARTED, EVENTS, WEATHER
from ingest.partition import Partition
from ingest.view import View
from runtime.broker import Place
from unit.ingest.worlds import BEGIN, Record, reading, record


def departure(offset: int, hour: float, delay: int, origin: str = "JFK") -> Record:
    """A departure of UA to Los Angeles so many hours after the beginning."""
    time = BEGIN + dt.timedelta(hours=hour)
    event = FlightDeparted(
        id=f"dep-{origin}-{offset:04}", time=time, scheduled=time, carrier="UA", flight=1, origin=origin, dest="LAX",
        delay=delay, distance=2475,
    )  # fmt: skip
    return Record(offset, encode(event), [], topic=DEPARTED)


def view(*records: Record) -> View:
    """What a consumer knows after these departures."""
    made = View()
    made.partitions = {Place(topic, 0): Partition(Place(topic, 0)) for topic in EVENTS}
    made.partitions[Place(DEPARTED, 0)].apply(records, lambda *_: None, lambda *_: None)
    return made


def test_windows_end_at_the_newest_event_and_begin_after_their_length() -> None:
    """An event exactly one hour old is outside the hour and inside the three hours."""
    status, answer = view(departure(0, 1, 30), departure(1, 1.5, 10), departure(2, 2, 20)).features(("origin", "JFK"))
    assert status is HTTPStatus.OK
    assert answer["time"] == "2013-01-01T02:00:00Z"
    assert answer["departure"]["1h"] == {"count": 2, "mean_delay": 15.0}
    assert answer["departure"]["3h"] == {"count": 3, "mean_delay": 20.0}
    assert answer["arrival"]["24h"] == {"count": 0, "mean_delay": None}


def test_a_carrier_is_counted_over_its_origins_with_one_clock() -> None:
    """An origin that is hours behind does not add its old departures to the last hour."""
    _, answer = view(departure(0, 1, 90, "EWR"), departure(1, 9, 10, "JFK")).features(("carrier", "UA"))
    assert answer["departure"]["1h"] == {"count": 1, "mean_delay": 10.0}
    assert answer["departure"]["24h"]["count"] == 2


def test_a_stray_origin_does_not_carry_a_carriers_clock_away() -> None:
    """One event of a made-up airport, years ahead, leaves the carrier's features as they were."""
    steady = [departure(each, each / 10, 10) for each in range(30)]
    _, answer = view(*steady, departure(30, 90_000, 0, "XYZ")).features(("carrier", "UA"))
    assert answer["departure"]["24h"]["count"] == 30


def test_what_is_unknown_is_answered_with_what_is_known() -> None:
    """404 with the keys that can be asked for."""
    made = view(departure(0, 1, 5))
    assert made.features(("origin", "LGA")) == (
        HTTPStatus.NOT_FOUND,
        {"error": "nothing is known about origin LGA", "known": ["JFK"]},
    )
    assert made.features(("pilot", "Ann"))[0] is HTTPStatus.NOT_FOUND
    assert made.features(()) == (HTTPStatus.OK, {"origin": ["JFK"], "carrier": ["UA"], "route": ["JFK-LAX"]})


def test_the_newest_reading_of_a_station_is_told() -> None:
    """By event time, and in its wire form."""
    made = view()
    made.partitions[Place(WEATHER, 0)].apply(
        [record(0, reading(5)), record(1, reading(4))], lambda *_: None, lambda *_: None
    )
    assert made.weather(("JFK",))[1]["id"] == reading(5).id
    assert made.weather(("LGA",))[0] is HTTPStatus.NOT_FOUND
    assert made.weather(()) == (HTTPStatus.OK, ["JFK"])


def test_counts_name_every_outcome_of_every_topic() -> None:
    """Zeros included."""
    _, counts = view(departure(0, 1, 5), departure(0, 1, 5)).counts(())
    assert counts[DEPARTED] == {"applied": 1, "late": 0, "duplicate": 1, "stray": 0, "dead": 0}
    assert set(counts) == set(EVENTS)

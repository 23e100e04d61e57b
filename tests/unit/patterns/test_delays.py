"""Delays: the rolling read model of departures, and the fault that it can be given."""

import datetime as dt
import threading
import time
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from contracts import FlightDeparted, encode
from contracts.topics import DEPARTED
from patterns.broker import Record
from patterns.delays import Delays, Fault, Intake
from patterns.departures import Departures

BEGIN = dt.datetime(2013, 3, 1, 12, tzinfo=dt.UTC)


def departure(
    minutes: float, carrier: str = "UA", delay: int = 0, dest: str = "LAX", number: int = 1
) -> FlightDeparted:
    """A departure from JFK so many minutes after the beginning."""
    when = BEGIN + dt.timedelta(minutes=minutes)
    return FlightDeparted(
        id=f"dep-{minutes:g}-{carrier}-{number}-{dest}",
        time=when,
        carrier=carrier,
        flight=number,
        origin="JFK",
        dest=dest,
        scheduled=when,
        delay=delay,
        distance=2475,
    )


def test_airlines_come_most_punctual_first_over_the_last_three_hours() -> None:
    """Mean and number of flights per airline; what left three hours before the newest departure counts no more."""
    it = Departures()
    for event in (
        departure(0, "UA", 500),  # three hours before the newest: out
        departure(1, "UA", 10),
        departure(90, "AA", -3),
        departure(120, "UA", 20),
        departure(180, "B6", 40, dest="BOS"),
    ):
        assert it.add(event)
    assert it.alternatives("JFK", "LAX") == {
        "window": "3h",
        "alternatives": [
            {"carrier": "AA", "mean_delay": -3.0, "flights": 1},
            {"carrier": "UA", "mean_delay": 15.0, "flights": 2},
        ],
    }


def test_where_nothing_left_for_three_hours_the_day_is_asked() -> None:
    """At night the window is 24 hours, and the answer says so; a route without any flight has no alternative."""
    it = Departures()
    it.add(departure(0, "UA", 10))
    it.add(departure(6 * 60, "B6", 1, dest="BOS"))
    assert it.alternatives("JFK", "LAX")["window"] == "24h"
    assert it.alternatives("JFK", "LAX")["alternatives"][0]["carrier"] == "UA"
    assert it.alternatives("JFK", "SFO")["alternatives"] == []


def test_a_departure_that_comes_twice_counts_once() -> None:
    """Redelivery changes nothing."""
    it = Departures()
    assert it.add(departure(0, "UA", 10))
    assert not it.add(departure(0, "UA", 10))
    assert it.alternatives("JFK", "LAX")["alternatives"][0]["flights"] == 1


@given(minutes=st.lists(st.integers(0, 5 * 24 * 60), min_size=1, max_size=80, unique=True))
def test_in_order_the_model_holds_exactly_the_last_day(minutes: list[int]) -> None:
    """Departures in order, at most two days apart: what is held is what left within 24 hours of the newest."""
    it = Departures()
    minutes.sort()
    kept = [minutes[0]]
    for each in minutes:
        if each - kept[-1] <= 2 * 24 * 60:
            kept.append(each)
    for each in kept:
        it.add(departure(each))
    assert len(it) == len({each for each in kept if each > kept[-1] - 24 * 60})


def test_one_stray_event_does_not_move_time_but_a_new_replay_does() -> None:
    """A lone departure of another year is passed over; twenty in a row begin the model anew there."""
    it = Departures()
    it.add(departure(0, "UA"))
    year = 365 * 24 * 60
    assert not it.add(departure(year, "AA"))
    assert it.add(departure(1, "UA", number=2))
    taken = [it.add(departure(year + number, "AA", number=number + 1)) for number in range(20)]
    assert taken == [False] * 19 + [True]
    assert it.alternatives("JFK", "LAX")["alternatives"] == [{"carrier": "AA", "mean_delay": 0.0, "flights": 1}]


def test_records_are_taken_in_and_what_is_none_is_counted() -> None:
    """A good record enters the model and its age can be told; a bad one is left to ingest's dead letters."""
    registry, model = CollectorRegistry(), Departures()
    intake = Intake(model, registry)
    for value in (encode(departure(0)), b"{}", encode(departure(0))):
        intake.take(Record(DEPARTED, 0, 0, None, value, [], 1_700_000_000_500))
    assert len(model) == 1
    assert intake.newest == 1_700_000_000.5
    counted = {
        outcome: registry.get_sample_value("lab_delays_departures_total", {"outcome": outcome})
        for outcome in ("applied", "refused", "passed")
    }
    assert counted == {"applied": 1, "refused": 1, "passed": 1}


def test_a_hanging_fault_holds_questions_until_it_is_ended() -> None:
    """A question that comes while it hangs is answered, well, as soon as the fault is taken back."""
    fault = Fault()
    delays, answers = Delays(Departures(), fault), list[HTTPStatus]()
    assert delays.set_fault((), {"mode": "hang", "seconds": 60})[0] is HTTPStatus.OK
    asking = threading.Thread(target=lambda: answers.append(delays.alternatives(("JFK", "LAX"))[0]))
    asking.start()
    deadline = time.monotonic() + 10
    while fault.told()["met"] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fault.told()["mode"] == "hang"
    assert answers == []
    delays.set_fault((), {"mode": "none", "seconds": 0})
    asking.join(10)
    assert answers == [HTTPStatus.OK]
    assert fault.told() == {"mode": "none", "seconds": 0.0, "met": 1}


def test_a_fault_ends_by_itself() -> None:
    """Held questions are let go after the fault's seconds; a refusing fault refuses until then, and not after."""
    now = [0.0]
    fault = Fault(clock=lambda: now[0])
    fault.set("error", 5)
    assert fault.suffer()
    now[0] = 5.1
    assert not fault.suffer()
    real = Fault()
    real.set("hang", 0.2)
    begun = time.monotonic()
    assert not real.suffer()
    assert 0.2 <= time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "body", [None, [], {}, {"mode": "bang"}, {"mode": "hang", "seconds": -1}, {"mode": "hang", "seconds": "x"}]
)
def test_a_fault_that_makes_no_sense_is_refused(body: object) -> None:
    """400 with what is wrong and what to give; nothing is broken by it."""
    fault = Fault()
    status, answer = Delays(Departures(), fault).set_fault((), body)
    assert status is HTTPStatus.BAD_REQUEST
    assert "give it" in answer["error"]
    assert fault.told()["mode"] == "none"


def test_a_refusing_fault_is_a_503() -> None:
    """What the gateway sees as the dependency's own failure."""
    fault = Fault()
    fault.set("error", 60)
    assert Delays(Departures(), fault).alternatives(("JFK", "LAX"))[0] is HTTPStatus.SERVICE_UNAVAILABLE
    assert Delays(Departures(), fault).alternatives(("JFK",))[0] is HTTPStatus.NOT_FOUND

"""Live traffic asks as anybody would, with what was known before the flight left, and at a bounded pace."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from contracts import FlightDeparted, encode
from contracts.topics import DEPARTED
from contracts.units import unit
from runtime.broker import Place
from runtime.tracing import Tracing
from serving.flights.people import FlightAsked
from serving.worker_settings import FollowSettings
from serving.workers.figures import FollowFigures
from serving.workers.follow import OUTCOMES, Allowance, Desk, Follower
from unit.serving.schedules import DAY

PLACE = Place(DEPARTED, 0)
NOW = 1_000_000.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
ANSWER = httpx.Response(200, json={"delay": 3.5})


class Record(NamedTuple):
    """A record, as far as it is looked at."""

    timestamp: int
    value: bytes
    headers: list[tuple[str, bytes]]


def departed(number: int = 1, tailnum: str | None = "N14228") -> FlightDeparted:
    """Return a flight that left 77 minutes late."""
    return FlightDeparted(
        id=f"dep-2013-01-01-UA-{number}-JFK", time=DAY + dt.timedelta(minutes=77), scheduled=DAY, delay=77,
        carrier="UA", flight=number, origin="JFK", dest="LAX", distance=2475, tailnum=tailnum,
    )  # fmt: skip


class World:
    """A topic and the gateway at the wire, and who follows.

    Attributes:
        asked: requests that came.
        answer: what the gateway answers with.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  values of settings
        self.records: list[Record] = []
        self.asked: list[httpx.Request] = []
        self.answer: Callable[[], httpx.Response] = lambda: ANSWER
        self.sought: dict[Place, int] = {}
        self.registry = CollectorRegistry()
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing("follow", self.exporter, 0.0)
        told = FollowSettings(**{"gateway": "http://gateway.test:8080", **settings})
        desk = Desk(told, httpx.MockTransport(self._answered))
        self.follower = Follower(told, self, desk, FollowFigures(self.registry, OUTCOMES), self.tracing)
        self._seen = True
        self.follower.turn(lambda: False)

    def tell(self, event: FlightDeparted | bytes, age: float = 0.1, parent: bytes | None = None) -> None:
        """Write a departure, so many seconds before now."""
        value = event if isinstance(event, bytes) else encode(event)
        self.records.append(Record(int((NOW - age) * 1000), value, [("traceparent", parent)] if parent else []))

    def turn(self) -> None:
        """Let the follower work."""
        self.follower.turn(lambda: False, lambda: NOW)

    def outcome(self, name: str) -> float:
        """Return how many departures ended so."""
        return self.registry.get_sample_value("serving_follow_flights_total", {"outcome": name}) or 0.0

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Return what is there."""
        assert seconds > 0
        found, self.records = self.records, []
        return {PLACE: found} if found else {}

    def changed(self) -> bool:
        """Return whether the member is new."""
        seen, self._seen = self._seen, False
        return seen

    def assigned(self) -> set[Place]:
        """Return the only partition."""
        return {PLACE}

    def bounds(self, places: set[Place]) -> dict[Place, tuple[int, int]]:
        """Return first and next offset."""
        return dict.fromkeys(places, (3, 8))

    def seek(self, place: Place, offset: int) -> None:
        """Read on from there."""
        self.sought[place] = offset

    def _answered(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer()


@pytest.fixture
def world() -> World:
    """Return one with the usual settings."""
    return World()


def test_nothing_of_how_the_flight_left_is_told(world: World) -> None:
    """Its plan and its id, by no version; what is asked is what the server takes."""
    world.tell(departed())
    world.turn()
    (request,) = world.asked
    assert str(request.url) == "http://gateway.test:8080/flights/predict"
    assert json.loads(request.content) == {
        "carrier": "UA", "flight": 1, "origin": "JFK", "dest": "LAX",
        "scheduled_departure": "2013-01-01T00:00:00+00:00", "tailnum": "N14228",
        "id": "arr-2013-01-01-UA-1-JFK", "alternatives": 0,
    }  # fmt: skip
    assert msgspec.json.decode(request.content, type=FlightAsked).scheduled_departure == DAY
    assert world.outcome("answered") == 1


def test_a_model_can_be_named(world: World) -> None:
    """By the setting, with V2's path; the plane that is not known is left out, and the flight stands for who asks."""
    other = World(follow_model="delay-linear")
    other.tell(departed(tailnum=None))
    other.turn()
    assert other.asked[0].url.path == "/v2/models/delay-linear/flights"
    assert "tailnum" not in json.loads(other.asked[0].content)
    assert other.asked[0].headers["x-tarmac-unit"] == unit("UA1")
    assert world.asked == []


def test_it_begins_at_the_end_of_the_topic(world: World) -> None:
    """What left before is not asked about; from then on it is ready."""
    assert world.sought == {PLACE: 8}
    assert world.follower.begun


def test_a_departure_that_was_told_long_ago_is_left_out(world: World) -> None:
    """By now the features might know how it ended."""
    world.tell(departed(1), age=10)
    world.tell(departed(2), age=0.5)
    world.turn()
    assert [json.loads(each.content)["flight"] for each in world.asked] == [2]
    assert (world.outcome("late"), world.outcome("answered")) == (1, 1)


def test_the_pace_is_bounded() -> None:
    """What is beyond is left out, not put off."""
    world = World(follow_rate=3)
    for number in range(1, 11):
        world.tell(departed(number))
    world.turn()
    assert world.outcome("answered") == len(world.asked)
    assert 3 <= len(world.asked) <= 4
    assert world.outcome("answered") + world.outcome("beyond-rate") == 10


def test_an_allowance_is_not_saved_up() -> None:
    """A second's worth at most, however long nothing was asked; a slow one gives one at a time."""
    clock = iter([0.0, 0.0, 0.0, 0.0, 0.1, 0.5, 100.0, 100.0, 100.0])
    allowance = Allowance(2, lambda: next(clock))
    assert [allowance.take() for _ in range(8)] == [True, True, False, False, True, True, True, False]
    slow = iter([0.0, 0.0, 5.0, 10.0])
    rare = Allowance(0.1, lambda: next(slow))
    assert [rare.take() for _ in range(3)] == [True, False, True]


@pytest.mark.parametrize(("status", "outcome"), [(400, "refused"), (404, "refused"), (503, "failed"), (500, "failed")])
def test_what_comes_of_a_question_is_counted(world: World, status: int, outcome: str) -> None:
    """By whose fault it is; the next one is asked all the same."""
    world.answer = lambda: httpx.Response(status, json={"error": "no"})
    world.tell(departed(1))
    world.turn()
    world.answer = lambda: ANSWER
    world.tell(departed(2))
    world.turn()
    assert (world.outcome(outcome), world.outcome("answered")) == (1, 1)


def test_a_gateway_that_is_away_ends_nothing(world: World) -> None:
    """It is counted, and asked again with the next departure."""

    def away() -> httpx.Response:
        raise httpx.ConnectError("gone")

    world.answer = away
    world.tell(departed(1))
    world.turn()
    world.answer = lambda: ANSWER
    world.tell(departed(2))
    world.turn()
    assert (world.outcome("failed"), world.outcome("answered")) == (1, 1)


def test_records_that_are_none_are_passed(world: World) -> None:
    """And counted."""
    world.tell(b"{}")
    world.tell(departed())
    world.turn()
    assert (world.outcome("unreadable"), world.outcome("answered")) == (1, 1)


def test_the_trace_goes_on_from_the_event(world: World) -> None:
    """The question is a part of the event's trace and hands it on; without one none is begun."""
    world.tell(departed(1), parent=f"00-{TRACE}-b7ad6b7169203331-01".encode())
    world.tell(departed(2))
    world.turn()
    world.tracing.close()
    (span,) = world.exporter.get_finished_spans()
    assert span.context is not None
    assert world.asked[0].headers["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert "traceparent" not in world.asked[1].headers


def test_a_plane_is_one_unit(world: World) -> None:
    """Whatever it flies; who is on which side of a test is the gateway's affair, and no caller names one."""
    for number in (1, 2):
        world.tell(departed(number))
    world.turn()
    assert [each.headers["x-tarmac-unit"] for each in world.asked] == [unit("N14228")] * 2
    assert all("x-tarmac-variant" not in each.headers for each in world.asked)

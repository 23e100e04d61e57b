"""Features come from the feature service as the training set had them, or not at all."""

import asyncio
import math
import time
from typing import Any

import httpx
import numpy as np
import pytest

from contracts.models import Card
from contracts.views_flights import DEFINITIONS
from serving.errors import FeaturesAway, FeaturesUnknown, FlightWrong
from serving.flights.columns import Columns
from serving.flights.lookup import Looked
from unit.serving.features import TIME, FeatureService, refusal
from unit.serving.schedules import at

ORIGIN, CARRIER, TURN = "departure_delay_by_origin", "departure_delay_by_carrier", "turn_by_tailnum"
FEATURES = (
    "origin_departure_mean_1h", "carrier_departure_count_3h", "departure_weekday", "origin_congestion",
    "departure_hour_sine",
)  # fmt: skip


def card(service: str = "delay_v1", features: tuple[str, ...] = FEATURES) -> Card:
    """Return the card of a model that takes these features."""
    return Card(
        name="delay", service=service, features=features, label="arrival_delay, minutes", kind="linear", opset=17,
        sha256="0" * 64, dataset={}, quality={},
    )  # fmt: skip


def given(*tails: str) -> dict[str, list[Any]]:
    """Return flights of JFK that differ in their plane."""
    number = len(tails)
    return {
        "origin": ["JFK"] * number, "route": ["JFK-LAX"] * number, "carrier": ["UA"] * number, "tailnum": list(tails),
        "scheduled_departure": [at(12)] * number,
    }  # fmt: skip


def looked(service: FeatureService, told: Card | None = None, tails: tuple[str, ...] = ("N1",)) -> Looked:
    """Return what is found."""

    async def look() -> Looked:
        lookup = service.lookup()
        try:
            return await lookup.features(lookup.columns(told or card()), given(*tails))
        finally:
            await lookup.close()

    return asyncio.run(look())


@pytest.fixture
def service() -> FeatureService:
    """Return a feature service that knows an airport and an airline."""
    made = FeatureService()
    made.rows[ORIGIN, "JFK"] = {
        "origin_departure_mean_1h": 0.1, "origin_departure_count_1h": 4, "origin_departure_count_24h": 48,
    }  # fmt: skip
    made.rows[CARRIER, "UA"] = {"carrier_departure_count_3h": 7}
    return made


def test_columns_stand_in_the_order_of_the_card(service: FeatureService) -> None:
    """As float32, the same that the training made of them; computed ones beside stored ones."""
    found = looked(service)
    assert found.table.dtype == np.float32
    assert found.table.tolist() == [[np.float32(0.1), 7, 1, 2, pytest.approx(0, abs=1e-6)]]
    assert found.missing == found.stale == [[]]
    assert {view: time.isoformat() for view, time in found.times[0].items()} == {
        ORIGIN: TIME.replace("Z", "+00:00"), CARRIER: TIME.replace("Z", "+00:00"),
    }  # fmt: skip


def test_only_what_the_service_needs_is_asked(service: FeatureService) -> None:
    """The first version knows nothing of planes; all flights go in one question."""
    looked(service, tails=("N1", "N2"))
    (asked,) = service.asked
    assert asked["feature_service"] == "delay_v1"
    assert {name: len(values) for name, values in asked["entities"].items()} == {
        "origin": 2, "carrier": 2, "route": 2, "scheduled_departure": 2,
    }  # fmt: skip


def test_what_is_missing_is_nan_and_named(service: FeatureService) -> None:
    """A row that was never written, and a value that is null."""
    del service.rows[CARRIER, "UA"], service.rows[ORIGIN, "JFK"]["origin_departure_mean_1h"]
    found = looked(service)
    assert [math.isnan(each) for each in found.table[0]] == [True, True, False, False, False]
    assert found.missing == [["origin_departure_mean_1h", "carrier_departure_count_3h"]]
    assert found.stale == [[]]
    missed = service.registry.get_sample_value(
        "serving_lookup_missing_total", {"feature": "carrier_departure_count_3h"}
    )
    assert missed == 1


def test_what_is_out_of_date_is_missing_as_in_training(service: FeatureService) -> None:
    """So is what is computed of it: in the training set a row beyond its time to live is no row."""
    service.old.add((ORIGIN, "JFK"))
    found = looked(service)
    assert [math.isnan(each) for each in found.table[0]] == [True, False, False, True, False]
    assert found.missing == found.stale == [["origin_departure_mean_1h", "origin_congestion"]]


def test_each_flight_has_its_own_row(service: FeatureService) -> None:
    """Two planes, one of them unknown: only the other's features are missing."""
    service.rows[TURN, "N1"] = {"tail_last_arrival_at": at(10), "tail_last_arrival_delay": 5}
    found = looked(service, card("delay_v2", ("turn_minutes", "tail_last_arrival_delay")), ("N1", "N2", "N1"))
    assert found.table[::2].tolist() == [[120, 5], [120, 5]]
    assert np.isnan(found.table[1]).all()
    assert [len(each) for each in found.missing] == [0, 2, 0]


def test_an_infinite_reading_is_no_reading(service: FeatureService) -> None:
    """As in training: what does not fit into a float32 is missing."""
    service.rows[ORIGIN, "JFK"]["origin_departure_mean_1h"] = 1e300
    assert np.isnan(looked(service).table[0, 0])


@pytest.mark.parametrize("reason", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError])
def test_a_service_that_is_away_is_told_and_asked_again(
    service: FeatureService, reason: type[httpx.TransportError]
) -> None:
    """The caller may come again; the next question goes through once the service is back."""

    def broken(_: httpx.Request) -> httpx.Response:
        raise reason("gone")

    service.fail = broken
    with pytest.raises(FeaturesAway, match=r"feature\.test"):
        looked(service)
    service.fail = None
    assert looked(service).missing == [[]]


def test_a_connection_that_was_closed_meanwhile_costs_nothing(service: FeatureService) -> None:
    """The question is asked once more, over a new one."""
    failures = [httpx.RemoteProtocolError("server disconnected")]

    def once(_: httpx.Request) -> httpx.Response:
        service.fail = None
        raise failures.pop()

    service.fail = once
    assert looked(service).missing == [[]]


def test_a_service_that_is_silent_is_given_up_in_time(service: FeatureService) -> None:
    """The limit holds for all of it, however slowly the answer trickles."""

    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def look() -> None:
        lookup = service.lookup(0.05)
        lookup._client._transport = httpx.MockTransport(silent)
        with pytest.raises(FeaturesAway, match=r"within 0\.05 s"):
            await lookup.features(lookup.columns(card()), given("N1"))
        await lookup.close()

    asyncio.run(look())
    assert service.registry.get_sample_value("serving_lookup_failures_total", {"reason": "timeout"}) == 1


def test_an_answer_that_lay_waiting_counts(service: FeatureService) -> None:
    """A process that stands still itself, on a busy machine, does not blame the feature service for it."""
    answer = service.lookup()._client._transport

    async def answered(request: httpx.Request) -> httpx.Response:
        asyncio.get_running_loop().call_soon(time.sleep, 0.2)
        await asyncio.sleep(0.01)
        return await answer.handle_async_request(request)

    async def look() -> Looked:
        lookup = service.lookup(0.05)
        lookup._client._transport = httpx.MockTransport(answered)
        try:
            return await lookup.features(lookup.columns(card()), given("N1"))
        finally:
            await lookup.close()

    assert asyncio.run(look()).missing == [[]]


@pytest.mark.parametrize(
    ("status", "kind"), [(404, FeaturesUnknown), (422, FlightWrong), (503, FeaturesAway), (500, FeaturesAway)]
)
def test_what_the_service_says_reaches_the_caller(service: FeatureService, status: int, kind: type[Exception]) -> None:
    """Its words, under the status that is meant for the caller."""
    service.fail = refusal(status, "entity carrier, row 0: 7 is no string", "give each value as text")
    with pytest.raises(kind, match="entity carrier, row 0"):
        looked(service)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"metadata": {"feature_names": []}, "results": []}', b"<html>"])
def test_an_answer_that_is_none_is_told(service: FeatureService, content: bytes) -> None:
    """Never taken for features."""
    service.fail = lambda _: httpx.Response(200, content=content)
    with pytest.raises((FeaturesAway, FeaturesUnknown)):
        looked(service)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (card("delay_v9"), "delay_v9"),
        (card(features=("tail_last_arrival_delay",)), "tail_last_arrival_delay"),
        (card(features=("origin",)), "origin"),
    ],
)
def test_features_that_nobody_has_are_refused(told: Card, named: str) -> None:
    """By the name of the service or of the feature."""
    with pytest.raises(FeaturesUnknown, match=named):
        Columns.of(told, DEFINITIONS)


def test_columns_know_what_stands_behind_them() -> None:
    """Entities and inputs of the whole service, the views behind each feature."""
    columns = Columns.of(card("delay_v2", ("turn_minutes", "weather_temp", "departure_hour_sine")), DEFINITIONS)
    assert columns.entities == ("origin", "carrier", "route", "tailnum")
    assert columns.inputs == ("scheduled_departure",)
    assert columns.sources("turn_minutes") == {TURN}
    assert columns.sources("weather_temp") == {"weather_by_origin"}
    assert columns.sources("departure_hour_sine") == set()

"""JSON for people: a flight in, its delay and alternatives out."""

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.tracing import Tracing
from serving.flights.people import People
from unit.serving.asking import Site
from unit.serving.features import FLIGHT, FeatureService, put_known, refusal
from unit.serving.graphs import linear, point, put
from unit.serving.schedules import DAY, YEAR, at, timetable

PATH = "/flights/predict"


@pytest.fixture
def service() -> FeatureService:
    """Return a feature service that knows three planes, the first of which is late."""
    made = FeatureService()
    made.rows["departure_delay_by_origin", "JFK"] = {"origin_departure_count_1h": 4}
    for tail, delay in (("N100", 50), ("N200", 70), ("N300", -5)):
        made.rows["turn_by_tailnum", tail] = {"tail_last_arrival_delay": delay}
    return made


@pytest.fixture
def site(tmp_path: Path, service: FeatureService) -> Site:
    """Return a server with one model in two versions, a timetable and the way to features."""
    put_known(tmp_path / "models", "delay", "1")
    put_known(tmp_path / "models", "delay", "2", factor=2)
    point(tmp_path / "models", "delay", champion="1", challenger="2")
    people = People(service.lookup(), timetable(tmp_path))
    return Site(tmp_path / "models", people=people)


def predicted(site: Site, path: str = PATH, **more: object) -> Any:  # noqa: ANN401  any JSON
    """Return the answer about the flight, changed as told."""
    found = site.post(path, FLIGHT | more)
    assert found.status == 200, found.body
    return found.json


def test_a_flight_is_answered_with_all_that_it_stands_on(site: Site) -> None:
    """Delay in minutes, who says so, when the features are from; plane and arrival are the timetable's."""
    found = predicted(site, alternatives=0)
    assert found == {
        "delay": 50 + 4 + 1, "model": "delay", "version": "1", "expected_arrival": "2013-01-01T18:55:00Z",
        "features": {
            "times": {"departure_delay_by_origin": "2013-01-01T11:00:00Z", "turn_by_tailnum": "2013-01-01T11:00:00Z"},
            "missing": [], "stale": [],
        },
        "alternatives": [],
    }  # fmt: skip


def test_the_best_others_of_the_route_come_first(site: Site, service: FeatureService) -> None:
    """By when they are expected to arrive: the later one with the early plane before the sooner one with the late."""
    found = predicted(site)
    assert [(each["flight"], each["delay"], each["expected_arrival"]) for each in found["alternatives"]] == [
        (3, 0.0, "2013-01-01T19:00:00Z"), (2, 75.0, "2013-01-01T20:15:00Z"),
    ]  # fmt: skip
    assert found["alternatives"][0]["tailnum"] == "N300"
    (asked,) = service.asked
    assert asked["entities"]["tailnum"] == ["N100", "N200", "N300"]
    assert asked["entities"]["scheduled_departure"] == [at(12), at(13), at(14)]


def test_a_prediction_beyond_all_time_is_no_time_of_arrival(site: Site, service: FeatureService) -> None:
    """The number is told as the model gave it; there is no instant that it stands for."""
    for tail in ("N100", "N300"):
        service.rows["turn_by_tailnum", tail] = {"tail_last_arrival_delay": 10**30}
    found = predicted(site)
    assert (found["delay"], found["expected_arrival"]) == (pytest.approx(1e30), None)
    assert [each["flight"] for each in found["alternatives"]] == [2]


def test_how_many_and_how_late_is_the_callers_to_say(site: Site) -> None:
    """Within other hours there are others."""
    assert [each["flight"] for each in predicted(site, hours=1.5)["alternatives"]] == [2]
    assert [each["flight"] for each in predicted(site, alternatives=1)["alternatives"]] == [3]


def test_what_the_caller_knows_better_counts(site: Site) -> None:
    """Another plane, another time of arrival."""
    found = predicted(site, tailnum="N300", scheduled_arrival="2013-01-01T20:00:00Z")
    assert (found["delay"], found["expected_arrival"]) == (0, "2013-01-01T20:00:00Z")


def test_a_flight_that_the_timetable_has_not_is_answered_all_the_same(site: Site, service: FeatureService) -> None:
    """Its plane is not known: what is known of it is missing, and said to be; a model that needs it says nothing."""
    found = predicted(site, flight=99)
    assert found["features"]["missing"] == ["tail_last_arrival_delay"]
    assert found["delay"] is found["expected_arrival"] is None
    assert [each["flight"] for each in found["alternatives"]] == [1, 3, 2]
    assert service.asked[0]["entities"]["tailnum"][0] == ""


def test_in_a_later_year_of_the_replay_it_is_the_same(site: Site) -> None:
    """The year repeats, and so do its flights."""
    departure = (DAY + 2 * YEAR).replace(hour=12).isoformat()
    assert [each["flight"] for each in predicted(site, scheduled_departure=departure)["alternatives"]] == [3, 2]


def test_any_version_can_be_asked(site: Site) -> None:
    """By model, version or alias, in V2's way."""
    assert predicted(site, "/v2/models/delay/flights")["version"] == "1"
    assert predicted(site, "/v2/models/delay/versions/2/flights")["delay"] == 110
    assert predicted(site, "/v2/models/delay@challenger/flights")["version"] == "2"


def test_without_a_timetable_there_are_no_alternatives(tmp_path: Path, service: FeatureService) -> None:
    """The flight itself is answered with what the caller says of it."""
    put_known(tmp_path, "delay", "1")
    site = Site(tmp_path, people=People(service.lookup()))
    found = predicted(site, tailnum="N100")
    assert (found["delay"], found["expected_arrival"], found["alternatives"]) == (55, None, [])
    found = predicted(site, scheduled_arrival="2013-01-01T18:00:00Z", tailnum="N100")
    assert found["expected_arrival"] == "2013-01-01T18:55:00Z"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"origin": "XXX"}, "origin XXX"),
        ({"dest": "ORD"}, "dest ORD"),
        ({"origin": "kennedy"}, "origin"),
        ({"carrier": 7}, "carrier"),
        ({"flight": 0}, "flight"),
        ({"scheduled_departure": "noon"}, "scheduled_departure"),
        ({"scheduled_departure": "2013-01-01T12:00:00"}, "scheduled_departure"),
        ({"scheduled_departure": "0001-01-01T00:00:00+14:00"}, "scheduled_departure"),
        ({"scheduled_arrival": "9999-12-31T23:59:59Z"}, "scheduled_arrival"),
        ({"alternatives": 11}, "alternatives"),
        ({"hours": 0}, "hours"),
        ({"id": "short"}, "id"),
        ({"delay": 12}, "delay"),
    ],
)
def test_a_field_that_is_wrong_is_named(site: Site, change: dict[str, object], named: str) -> None:
    """With what to do about it; nothing is looked up."""
    found = site.post(PATH, FLIGHT | change)
    assert found.status == 400
    assert named in found.error
    assert " - " in found.error


@pytest.mark.parametrize("field", ["carrier", "flight", "origin", "dest", "scheduled_departure"])
def test_a_field_that_is_missing_is_named(site: Site, field: str) -> None:
    """Each of those without which there is no flight."""
    found = site.post(PATH, {name: value for name, value in FLIGHT.items() if name != field})
    assert found.status == 400
    assert field in found.error


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_flight_is_refused(site: Site, body: bytes) -> None:
    """As everywhere: a typed error."""
    assert site.post(PATH, body).status == 400


def test_a_server_without_features_says_what_is_missing(tmp_path: Path) -> None:
    """Whether or not it has models; the rest of it works."""
    assert Site(tmp_path).post(PATH, FLIGHT).status == 501
    put_known(tmp_path, "delay", "1")
    for path in (PATH, "/v2/models/delay/flights"):
        found = Site(tmp_path).post(path, FLIGHT)
        assert found.status == 501
        assert "TARMAC_FEATURE" in found.error


def test_a_model_without_a_card_cannot_be_asked(tmp_path: Path, service: FeatureService) -> None:
    """Nothing says which features it takes."""
    put(tmp_path, "m", "1", linear())
    found = Site(tmp_path, people=People(service.lookup())).post(PATH, FLIGHT)
    assert found.status == 422
    assert "card" in found.error


def test_features_that_are_away_are_told_and_come_back(site: Site, service: FeatureService) -> None:
    """503 with the seconds after which to come again; it counts against the model that was asked, whichever it is."""
    service.fail = refusal(503, "Redis, the online store: no connection", "try again in a second")
    found = site.post(PATH, FLIGHT)
    assert (found.status, found.headers["retry-after"]) == (503, "1")
    assert "Redis" in found.error
    service.fail = None
    assert predicted(site)["delay"] == 55
    page = site.get("/metrics").body.decode()
    assert 'serving_requests_total{model="delay",status="503",version="1"} 1.0' in page


def test_without_a_default_the_model_has_to_be_named(site: Site, tmp_path: Path) -> None:
    """As for `/invocations`."""
    put(tmp_path / "models", "other", "1", linear())
    found = site.post(PATH, FLIGHT)
    assert found.status == 404
    assert "TARMAC_DEFAULT_MODEL" in found.error


def test_one_trace_runs_through_lookup_and_model(tmp_path: Path, service: FeatureService) -> None:
    """The caller's trace goes on to the feature service; looking up and running are parts of the request's span."""
    exporter = InMemorySpanExporter()
    tracing = Tracing("serving", exporter, 0.0)
    put_known(tmp_path, "delay", "1")
    site = Site(tmp_path, people=People(service.lookup()), tracing=tracing)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    assert site.post(PATH, FLIGHT, traceparent=f"00-{trace}-{parent}-01").status == 200
    assert site.post(PATH, FLIGHT, traceparent=f"00-{trace}-{parent}-00").status == 200
    tracing.close()
    spans = {each.name: each for each in exporter.get_finished_spans()}
    assert set(spans) == {f"POST {PATH}", "look features up", "run the model"}
    assert {f"{each.context.trace_id:032x}" for each in spans.values() if each.context} == {trace}
    server = spans[f"POST {PATH}"]
    assert server.parent is not None
    assert server.context is not None
    assert f"{server.parent.span_id:016x}" == parent
    for name in ("look features up", "run the model"):
        above = spans[name].parent
        assert above is not None
        assert above.span_id == server.context.span_id
    assert "traceparent" not in service.headers, "the second caller does not trace"

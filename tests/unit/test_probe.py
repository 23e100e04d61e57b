"""The end-to-end probe: what counts as come out, and what is said where nothing does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lab.converge import events, probe
from lab.errors import NotConverged
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

_SETTINGS = Settings.load({"LAB_PORT_OFFSET": "100"})
_TIME = datetime(2013, 2, 3, 4, tzinfo=UTC)
_AWAY = httpx.Response(503, json={"error": "away"})
_EVENT = events.Event(at=0.0, time=_TIME, trace="ab" * 16, identity="wx-probe-1", degrees=1.5, partition=0, offset=4711)


def _came_out(status: int, body: object) -> tuple[bool, str]:
    """Return whether an answer of the lake counts, and where it was asked."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, json=body)

    with httpx.Client(transport=httpx.MockTransport(answer)) as web:
        return probe._lake(web, _SETTINGS, _EVENT), asked[0]


def test_the_row_of_the_event_proves_the_lake() -> None:
    """The lake is asked at the event's own place in the log, on the port of this cluster."""
    assert _came_out(200, {"id": "wx-probe-1"}) == (True, "http://127.0.0.1:8183/rows/weather.read.v1/0/4711")


@pytest.mark.parametrize(
    ("status", "body"), [(404, {"error": "no row"}), (503, {"error": "away"}), (200, {"id": "wx-probe-0"})]
)
def test_no_other_answer_does(status: int, body: object) -> None:
    """No row yet, a store that is away, a row that an earlier log left at the same place: the probe goes on waiting."""
    assert _came_out(status, body)[0] is False


def _predicted(status: int, body: object) -> tuple[bool, httpx.Request]:
    """Return whether an answer of the gateway counts, and what was asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=body)

    with httpx.Client(transport=httpx.MockTransport(answer)) as web:
        return probe._predicted(web, _SETTINGS, _EVENT), asked[0]


def test_a_prediction_that_read_the_events_row_proves_the_serving() -> None:
    """It is asked for a flight of the probe's own airport, through the gateway, in the event's trace."""
    came_out, asked = _predicted(200, {"features": {"times": {"weather_by_origin": "2013-02-03T04:00:00Z"}}})
    assert came_out
    assert str(asked.url) == "http://127.0.0.1:8900/flights/predict"
    assert asked.headers["traceparent"].split("-")[1] == _EVENT.trace
    assert json.loads(asked.content)["origin"] == "ZZZ"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": "away"}),
        (200, {"features": {"times": {}}}),
        (200, {"features": {"times": {"weather_by_origin": "2013-02-03T03:59:59Z"}}}),
    ],
)
def test_a_prediction_of_an_older_row_does_not(status: int, body: object) -> None:
    """A refusal, no reading, the reading before: the probe goes on waiting."""
    assert _predicted(status, body)[0] is False


@pytest.mark.parametrize(
    ("services", "whole"),
    [
        (["ingest-consumer", "gateway", "serving", "feature"], True),
        (["ingest-consumer", "serving", "feature"], False),
        (["ingest-consumer"], False),
        ([], False),
    ],
)
def test_one_trace_has_to_show_every_service(services: list[str], whole: bool) -> None:  # noqa: FBT001  a case
    """Where models are served, spans of ingest alone are not enough."""
    found: dict[str, Any] = {"processes": {f"p{at}": {"serviceName": name} for at, name in enumerate(services)}}
    wire = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": [found] if services else []}))
    with httpx.Client(transport=wire) as web:
        assert probe._trace(web, _SETTINGS, _EVENT.trace, probe._passed({"kafka", "serving"})) is whole


@pytest.mark.parametrize("name", probe._PLACES)
def test_what_does_not_come_out_is_named_with_a_log_to_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which address was asked, and whose log tells more, in both languages."""
    monkeypatch.setattr(probe, "_SECONDS", 0)
    place = probe._PLACES[name]
    with pytest.raises(NotConverged) as caught:
        probe._await(lambda: True, Text.plain("x"), place, _SETTINGS)
    for told in (caught.value.render("en"), caught.value.render("fr")):
        assert f"http://127.0.0.1:{_SETTINGS.port(place.port)}" in told
        assert f"`lab kubectl logs -n chain deploy/{place.writer}`" in told


def _moment(readings: dict[str, str], held: str = "", *components: str) -> str:
    """Return the event time of a probe where ingest has these newest readings, and the online store that row."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/get-online-features":
            row = {"values": [1.5 if held else None], "event_timestamps": [held or "1970-01-01T00:00:00Z"]}
            return httpx.Response(200, json={"results": [{"values": ["ZZZ"]}, row]}) if held != "away" else _AWAY
        station = request.url.path.removeprefix("/weather").strip("/")
        return httpx.Response(200, json={"time": readings[station]} if station else sorted(readings))

    with httpx.Client(transport=httpx.MockTransport(answer)) as web:
        moment = events.event_time(web, _SETTINGS, components)
    return moment.isoformat() if moment else ""


@pytest.mark.parametrize(
    ("readings", "moment"),
    [
        ({}, "2013-01-01T00:00:00+00:00"),
        ({"JFK": "2013-02-03T04:00:00Z", "LGA": "2013-02-03T05:00:00Z"}, "2013-02-03T05:00:00+00:00"),
        ({"JFK": "2013-02-03T04:00:00Z", "ZZZ": "2013-02-03T04:00:00Z"}, "2013-02-03T04:00:01+00:00"),
        ({"JFK": "2013-02-09T05:00:00Z", "ZZZ": "2013-02-03T04:00:00Z"}, "2013-02-03T04:00:01+00:00"),
    ],
)
@pytest.mark.parametrize("held", ["", "away", "2013-02-03T04:00:00Z"])
def test_a_probe_happens_when_the_replay_is(readings: dict[str, str], moment: str, held: str) -> None:
    """Never ahead of the replay, by which ages are judged; newer than the probe before, and no stray beside it."""
    assert _moment(readings) == moment
    if "ZZZ" in readings or held in ("", "away"):
        assert _moment(readings, held, "feature") == moment


@pytest.mark.parametrize(
    ("readings", "moment"),
    [
        ({}, ""),
        ({"JFK": "2013-02-03T04:00:00Z"}, ""),
        ({"JFK": "2013-02-03T03:00:00Z", "ZZZ": "2013-02-03T03:00:00Z"}, ""),
        ({"JFK": "2013-02-03T05:00:00Z"}, "2013-02-03T05:00:00+00:00"),
        ({"JFK": "2013-02-03T05:00:00Z", "ZZZ": "2013-02-03T03:00:00Z"}, "2013-02-03T04:30:01+00:00"),
    ],
)
def test_a_probe_waits_for_a_replay_that_lost_what_the_online_store_holds(
    readings: dict[str, str], moment: str
) -> None:
    """A row that is older is none for the online store, and one that is ahead of the replay would hide that it is."""
    assert _moment(readings, "2013-02-03T04:30:00Z", "feature") == moment


class _Kept:
    """A broker that keeps what it is sent."""

    def __init__(self) -> None:
        self.times: list[str] = []

    def send(self, topic: str, key: bytes, value: bytes, headers: object) -> tuple[int, int]:
        """Keep the event's time."""
        del topic, key, headers
        self.times.append(json.loads(value)["time"])
        return 0, len(self.times)


def test_no_two_events_of_a_command_happen_at_one_time() -> None:
    """Ingest may not have seen the last when the next is sent, by the same probe or the one after it."""
    broker, turn = _Kept(), events.Turn()
    turn.send(broker, _TIME)  # type: ignore[arg-type]
    turn.send(broker, _TIME)  # type: ignore[arg-type]
    turn.next().send(broker, _TIME)  # type: ignore[arg-type]
    assert broker.times == [f"2013-02-03T04:00:0{second}.000Z" for second in range(3)]


def test_a_probe_that_was_given_up_sends_nothing_any_more() -> None:
    """What it sent would be newer than the event of the probe that took its place."""
    broker, turn = _Kept(), events.Turn()
    turn.next()
    with pytest.raises(NotConverged):
        turn.send(broker, _TIME)  # type: ignore[arg-type]
    assert broker.times == []


def test_only_what_a_component_brings_may_be_left_out() -> None:
    """Each step that depends on a component names one that there is; lab 04 takes all of them, lab 01 three."""
    course = Course(_SETTINGS.root)
    needs = {name: place.component for name, place in probe._PLACES.items()}
    assert set(needs.values()) <= set(course.components)
    assert [name for name, need in needs.items() if need not in course.lab("04").components] == []
    assert [name for name, need in needs.items() if need in course.lab("01").components] == [
        "feature",
        "trace",
        "metric",
    ]

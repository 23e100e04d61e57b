"""What can be asked and ordered of a site, over HTTP's values: nothing but weights leaves when it learns."""

import gzip
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from patterns.broker import Sender
from patterns.edge_role import Edge, EdgeSettings, opened, station_of
from patterns.edge_site import Link, Sensor, Site
from patterns.lake import Lake
from patterns.training import history
from runtime.errors import BadSetting

_WEATHER = (
    '{{"type":"weather.read.v1","id":"wx-LGA-{0:02}","time":"2013-01-01T{0:02}:00:00Z","station":"LGA",'
    '"wind_speed":{1}}}'
)
_FLIGHT = (
    '{{"type":"flight.{kind}.v1","id":"{short}-2013-01-01-UA-{number}-{origin}","time":"2013-01-01T12:00:00Z",'
    '"carrier":"UA","flight":{number},"origin":"{origin}","dest":"LAX","scheduled":"2013-01-01T11:30:00Z",'
    '"delay":{delay},"distance":2475}}'
)


def flight(kind: str, number: int, delay: int, origin: str = "LGA") -> str:
    """A departure or an arrival, as on the wire."""
    return _FLIGHT.format(kind=kind, short=kind[:3], number=number, delay=delay, origin=origin)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A packed file: two hours of weather and, of three departures, two that arrived."""
    lines = [
        '{"format":1,"events":9}',
        _WEATHER.format(10, 1048.36),
        flight("departed", 1, 5),
        flight("departed", 2, 30),
        flight("departed", 2, 99, origin="JFK"),
        _WEATHER.format(11, 11.5),
        flight("arrived", 2, 25),
        flight("departed", 3, 0),
        flight("arrived", 1, -5),
        flight("arrived", 2, 99, origin="JFK"),
    ]
    file = tmp_path / "flights.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    return Lake(file)


def never() -> Sender:
    """No test here forwards."""
    raise AssertionError("a test connected to a broker")


@contextmanager
def edge(lake: Lake, folder: Path, answer_from: str) -> Iterator[tuple[Edge, Site]]:
    """A site of LGA on its own disk."""
    settings = EdgeSettings(store_folder=str(folder), answer_from=answer_from, centre="http://127.0.0.1:9")
    with closing(opened(settings)) as store:
        site = Site("LGA", Sensor(folder, lake, "LGA"), store, Link(folder), never)
        yield Edge(settings, site, lake), site


@pytest.fixture
def own(lake: Lake, tmp_path: Path) -> Iterator[tuple[Edge, Site]]:
    """A site that answers for itself."""
    with edge(lake, tmp_path / "own", "site") as made:
        yield made


def test_a_site_answers_for_itself_while_its_link_is_cut(own: tuple[Edge, Site]) -> None:
    """The reading it shows is the last one that it took, with its age."""
    asked, site = own
    assert asked.weather(())[0] == HTTPStatus.SERVICE_UNAVAILABLE  # no reading yet
    assert asked.set_link((), {"up": False})[1]["link"] is False
    assert asked.take((), {"count": 2}) == (HTTPStatus.OK, {"site": "LGA", "sequence": 2})
    status, answer = asked.weather(())
    assert (status, answer["from"], answer["sequence"]) == (HTTPStatus.OK, "site", 2)
    assert answer["reading"]["wind_speed"] == 11.5
    assert 0 <= answer["age_s"] < 5
    assert asked.state(())[1]["held"] == 2
    assert not site.link.up


def test_a_site_that_asks_the_centre_has_no_answer_without_its_link(lake: Lake, tmp_path: Path) -> None:
    """503 with the reason, at once; and with the link whole a centre that is away is named."""
    with edge(lake, tmp_path / "asks", "centre") as (asked, site):
        site.take(1)
        site.link.set(up=False)
        status, answer = asked.weather(())
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "link of LGA is cut" in answer["error"]
        site.link.set(up=True)
        status, answer = asked.weather(())
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "127.0.0.1:9" in answer["error"]


@pytest.mark.parametrize("body", [None, {}, {"up": "no"}, [True]])
def test_a_link_is_set_only_by_a_clear_word(own: tuple[Edge, Site], body: object) -> None:
    """Anything but true or false is refused and changes nothing."""
    asked, site = own
    assert asked.set_link((), body)[0] == HTTPStatus.BAD_REQUEST
    assert site.link.up


@pytest.mark.parametrize("body", [None, {"count": 0}, {"count": 100_000}, {"count": "5"}, {"count": True}])
def test_a_burst_is_bounded(own: tuple[Edge, Site], body: object) -> None:
    """No order makes a site write for minutes."""
    asked, site = own
    assert asked.take((), body)[0] == HTTPStatus.BAD_REQUEST
    assert site.sequence == 0


def test_learning_gives_back_weights_and_a_number_only(own: tuple[Edge, Site]) -> None:
    """The answer has the site's name, five weights and how many flights they come from: no flight leaves."""
    asked, _ = own
    status, answer = asked.train((), {"weights": [0.0] * 5, "steps": 4, "rate": 0.1})
    assert status == HTTPStatus.OK
    assert set(answer) == {"site", "weights", "samples"}
    assert (len(answer["weights"]), answer["samples"]) == (5, 2)
    assert any(answer["weights"])


def test_learning_needs_the_link_and_sound_weights(own: tuple[Edge, Site]) -> None:
    """Nothing is learned through a cut link, nor from weights that are none."""
    asked, site = own
    assert asked.train((), {"weights": [0.0], "steps": 4, "rate": 0.1})[0] == HTTPStatus.BAD_REQUEST
    assert asked.train((), None)[0] == HTTPStatus.BAD_REQUEST
    site.link.set(up=False)
    assert asked.train((), {"weights": [0.0] * 5, "steps": 4, "rate": 0.1})[0] == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_site_learns_from_its_own_flights_that_arrived(lake: Lake) -> None:
    """Departure meets its arrival, with the wind that was known then; other origins and open flights stay out."""
    own = history(lake, "LGA")
    assert own.delays.tolist() == [25.0, -5.0]
    departure_delays = own.features[:, 1] * 40.0 + 12.6
    assert departure_delays.tolist() == pytest.approx([30.0, 5.0])
    assert (own.features[:, 4] * 5.5 + 10.5).tolist() == pytest.approx([60.0, 60.0])  # the broken reading is bounded


@pytest.mark.parametrize(("name", "station"), [("edge-0", "EWR"), ("edge-1", "JFK"), ("edge-2", "LGA")])
def test_a_site_s_number_names_its_airport(name: str, station: str) -> None:
    """The pod's name is all that a site needs to know who it is."""
    assert station_of(name) == station


@pytest.mark.parametrize("name", ["edge-3", "edge", "", "edge-x"])
def test_a_name_without_a_station_is_refused(name: str) -> None:
    """A fourth site has no airport: it ends with the reason instead of pretending."""
    with pytest.raises(BadSetting, match="no station"):
        station_of(name)

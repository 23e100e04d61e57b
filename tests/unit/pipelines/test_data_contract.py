"""Data products of lab 02: what the definitions say of them, and what a new version does to those who read them."""

import html.parser
import math
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from contracts.views import STREAM, Definitions, Entity, Field, OnDemand, Service, View
from contracts.views_flights import DEFINITIONS, WEATHER
from lake.build import build
from lake.store import Lake
from pipelines import discovery, products
from pipelines.experiments import data_contract as contract
from pipelines.products import Break, Change
from runtime.errors import BadSetting
from runtime.web import Page
from unit.lake.worlds import World, days_of_flights, departed

_FEELS = Field("weather_feels", "float64", "new")


def _double(base: int | None) -> int | None:
    return None if base is None else 2 * base


@pytest.fixture
def small() -> Definitions:
    """Return definitions in which one service reads a feature only through what is computed on demand."""
    view = View(
        "stock", ("shop",), (Field("base", "int64", "a"), Field("spare", "int64", "<b>")), 3600, STREAM, "store", "all",
        {"product": "store"},
    )  # fmt: skip
    made = OnDemand("made", ((Field("double", "int64", "2a"), _double),), ("stock:base",), (), "store", "computed")
    service = Service("model", ("made",), "models", "reads one")
    return Definitions("small", (Entity("shop", "string", "a shop"),), (view,), (made,), (service,))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake of two days, and a flight from an airport without a weather station."""
    world = World(Path(tmp_path_factory.mktemp("contract")))
    world.add([*days_of_flights(2), departed(100, origin="LGA", flight=99)])
    tables = ["silver/departures", "silver/arrivals", "silver/weather", "silver/flights"]
    build(world.lake, [*tables, "gold/features/weather_by_origin"])
    return world.lake


def test_every_view_belongs_to_one_product() -> None:
    """The products are what the definitions say, whole."""
    found = products.products()
    assert list(found) == ["flights", "weather"]
    assert sorted(view.name for each in found.values() for view in each.views) == sorted(
        view.name for view in DEFINITIONS.views
    )
    weather = found["weather"]
    assert (weather.owner, weather.topics, weather.consumers) == ("weather", ("weather.read.v1",), ("delay_v2",))
    assert found["flights"].consumers == ("delay_v1", "delay_v2")
    assert weather.freshness_seconds == weather.needed_seconds == WEATHER.ttl // 3


@pytest.mark.parametrize("name", [name for name, _ in WEATHER.columns])
def test_whatever_weather_drops_breaks_the_second_model(name: str) -> None:
    """It reads the whole view; the first model reads none of it."""
    found = products.broken(products.products()["weather"], Change(WEATHER.name, (name,)))
    assert [(each.consumer, each.feature, each.becomes) for each in found] == [
        ("delay_v2", f"weather_by_origin:{name}", None)
    ]


def test_another_type_breaks_and_an_addition_does_not() -> None:
    """A reader decodes by type, and does not look at what it has not asked for."""
    weather = products.products()["weather"]
    typed = Change(WEATHER.name, add=(Field("weather_temp", "int64", ""),))
    assert products.broken(weather, typed) == [
        Break("delay_v2", "weather_by_origin:weather_temp", "float64", "int64"),
    ]
    assert products.broken(weather, Change(WEATHER.name, add=(_FEELS,))) == []


def test_reading_through_a_computation_is_reading(small: Definitions) -> None:
    """An input of an on-demand view cannot go unnoticed; what nobody reads may go."""
    (store,) = products.products(small).values()
    assert store.consumers == ("model",)
    assert [each.consumer for each in products.broken(store, Change("stock", ("base",)), small)] == ["model"]
    assert products.broken(store, Change("stock", ("spare",)), small) == []
    assert products.readers("stock:spare", small) == ()


def test_a_published_version_keeps_the_features_of_its_consumers() -> None:
    """What is new stands at the end of the view and in no service of before."""
    after = products.published(Change(WEATHER.name, add=(_FEELS,)), 7200)
    assert after.stored(WEATHER.name).columns == (*WEATHER.columns, ("weather_feels", "float64"))
    for service in DEFINITIONS.services:
        assert after.features_of(after.service(service.name)) == DEFINITIONS.features_of(service)
    assert after.fingerprint() != DEFINITIONS.fingerprint()
    weather = products.products(after)["weather"]
    assert (weather.version, weather.freshness_seconds) == (2, 7200)
    assert contract.slips_in(after.stored(WEATHER.name)) == {}


def test_a_service_that_names_a_whole_view_is_told() -> None:
    """It would get what is new unasked: the experiment names it, and sees that its columns are no longer the same."""
    whole = Service("delay_v3", (WEATHER.name,), "models", "whatever the view has")
    before = replace(DEFINITIONS, services=(whole,))
    after = products.published(Change(WEATHER.name, add=(_FEELS,)), 7200, before)
    assert contract.slips_in(after.stored(WEATHER.name), before) == {"delay_v3": ["weather_by_origin:weather_feels"]}
    assert after.features_of(after.service("delay_v3")) != before.features_of(whole)


def test_a_version_without_a_feature_leaves_it_out_of_its_consumers() -> None:
    """A copy in which something is missing is still a set of definitions that holds: what is lost can be measured."""
    after = products.published(Change(WEATHER.name, ("weather_humid",)), 7200)
    for service in DEFINITIONS.services:
        had = DEFINITIONS.features_of(service)
        has = after.features_of(after.service(service.name))
        assert has == tuple(each for each in had if each != "weather_by_origin:weather_humid")


def test_the_settings_are_a_change() -> None:
    """Names are separated by commas; none is nothing."""
    change = contract.asked("weather_humid, weather_temp", "weather_feels:float64")
    assert change.drop == ("weather_humid", "weather_temp")
    assert [(each.name, each.kind) for each in change.add] == [("weather_feels", "float64")]
    assert contract.asked("none", "") == Change(WEATHER.name)


@pytest.mark.parametrize(
    ("drop", "add", "named"),
    [
        ("weather_hmid", "none", "TARMAC_WEATHER_DROP"),
        ("none", "weather_feels", "TARMAC_WEATHER_ADD"),
        ("none", "weather_feels:double", "TARMAC_WEATHER_ADD"),
        ("none", "<b>:float64", "TARMAC_WEATHER_ADD"),
        ("none", "carrier_on_time_30d:float64", "TARMAC_WEATHER_ADD"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_its_variable(drop: str, add: str, named: str) -> None:
    """A feature that is not there, no type, an unknown type, no name, a name that another view has."""
    with pytest.raises(BadSetting, match=named):
        contract.asked(drop, add)


@pytest.mark.parametrize(
    ("drop", "add", "same"),
    [
        ("none", "weather_feels:float64", True),
        ("weather_humid", "none", False),
        ("none", "weather_temp:int64", False),
    ],
)
def test_consumers_read_from_the_new_table_what_they_read_before(lake: Lake, drop: str, add: str, same: bool) -> None:  # noqa: FBT001
    """An addition leaves their rows as they were; a drop or another type does not."""
    change = contract.asked(drop, add)
    after = products.published(change, 7200)
    contract.copied(lake, after)
    found = contract.kept(lake, "delay_v2", after)
    assert found["same_columns"] is same
    assert found["rows"] == 48
    told = contract.told(change, after)
    assert (told["refused"] is None) is same
    assert told["unread"] == []


def test_a_flight_without_a_reading_finds_no_promise_kept(lake: Lake) -> None:
    """All flights of JFK leave five minutes after a reading; the one of LGA has none."""
    ages = contract.reading_ages(lake)
    assert sorted(ages) == [300.0] * 48 + [math.inf]
    found = contract.fresh(ages, 300)
    assert found["kept"] == round(48 / 49, 4)
    assert contract.fresh(ages, 299)["kept"] == 0
    assert contract.fresh([], 300)["kept"] is None


class _Reader(html.parser.HTMLParser):
    """What a page says, by language, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: dict[str, list[str]] = {}
        self.loads: list[str] = []
        self._language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the language and every address."""
        given = dict(attrs)
        if tag == "section":
            self._language = given["lang"] or ""
        self.loads += [value for name in ("src", "href") if (value := given.get(name))]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.cells.setdefault(self._language, []).append(data.strip())


def test_the_page_tells_every_feature_in_both_languages_and_loads_nothing() -> None:
    """One file, for whoever looks for data."""
    reader = _Reader()
    reader.feed(discovery.page())
    names = [name for view in DEFINITIONS.views for name, _ in view.columns]
    for language in ("en", "fr"):
        assert [name for name in names if name not in reader.cells[language]] == []
    assert "Data products" in reader.cells["en"]
    assert "Produits de données" in reader.cells["fr"]
    assert reader.loads == ["#en", "#fr"]


def test_the_page_is_served_to_browsers() -> None:
    """The conductor answers with the page at /products; below it there is nothing."""
    status, answer = discovery.told(())
    assert (status, answer) == (HTTPStatus.OK, Page(discovery.page()))
    status, answer = discovery.told(("weather",))
    assert (status, answer["paths"]) == (HTTPStatus.NOT_FOUND, ["/products"])


def test_the_page_shows_text_as_text(small: Definitions) -> None:
    """What a definition says is no markup."""
    view = replace(small.views[0], owner="a & b")
    text = discovery.page(replace(small, views=(view,)))
    assert "&lt;b&gt;" in text
    assert "a &amp; b" in text
    assert "<b>" not in text

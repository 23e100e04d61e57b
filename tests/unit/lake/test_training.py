"""Training sets: only what was known, the same bytes from the same versions, and what leaks is named."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from contracts.views_flights import DEFINITIONS
from lake import lineage, manifest, training
from lake.__main__ import main
from lake.build import build
from lake.errors import BadRequest, EmptyRange, Leak
from lake.training import Wanted, make
from unit.lake.worlds import BEGIN, World, arrived, days_of_flights, departed, reading

WHOLE = Wanted("delay_v1", BEGIN + dt.timedelta(days=1), BEGIN + dt.timedelta(days=3))

Run = Callable[..., int]


@pytest.fixture
def built(world: World) -> World:
    """Return a lake of five days, built."""
    world.add(days_of_flights(5))
    build(world.lake)
    return world


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the command line, on the test's lake."""
    monkeypatch.setenv("TARMAC_LAKE", world.root)
    return lambda *words: main([str(word) for word in words])


def test_a_row_holds_what_was_known_an_hour_before(world: World) -> None:
    """Given departures before and after the prediction, then only those before count, as each view has them."""
    world.add([reading(0), arrived(0)])
    world.add(
        [departed(100, delay=10, name="dep-before-1"), departed(110, delay=30, name="dep-before-2", carrier="B6")]
    )
    world.add([departed(125, delay=99, name="dep-after-it"), departed(185, delay=5, name="dep-the-flight", flight=9)])
    build(world.lake)
    row = make(world.lake, Wanted("delay_v1", BEGIN, BEGIN + dt.timedelta(days=1))).rows.filter(
        pl.col("flight_id") == "dep-the-flight"
    )
    told = row.row(0, named=True)
    assert told["predicted_at"] == BEGIN + dt.timedelta(minutes=120)
    assert (told["origin_departure_count_1h"], told["origin_departure_mean_1h"]) == (2, 20.0)
    assert (told["carrier_departure_count_1h"], told["carrier_departure_mean_1h"]) == (1, 10.0)
    assert told["label"] == 5
    assert told["origin_congestion"] == 24.0


def test_the_weather_is_that_of_the_prediction(world: World) -> None:
    """Given a reading between prediction and departure, then the one before the prediction counts."""
    world.add([reading(90, temp=30.0), reading(150, temp=50.0), arrived(0), departed(185, name="dep-the-flight")])
    build(world.lake)
    row = make(world.lake, Wanted("delay_v2", BEGIN, BEGIN + dt.timedelta(days=1))).rows.row(0, named=True)
    assert (row["flight_id"], row["weather_temp"]) == ("dep-the-flight", 30.0)


def test_the_columns_are_those_of_the_service_in_order(built: World) -> None:
    """Identity, instant, entities, every feature of the service, the label."""
    for name in ("delay_v1", "delay_v2"):
        service = DEFINITIONS.service(name)
        features = [each.partition(":")[2] for each in DEFINITIONS.features_of(service)]
        columns = make(built.lake, Wanted(name, WHOLE.begin, WHOLE.end)).rows.columns
        assert columns[:2] == ["flight_id", "predicted_at"]
        assert [each for each in columns if each in features] == features
        assert columns[-1] == "label"


def test_the_same_versions_give_the_same_bytes(built: World, tmp_path: Path, run: Run) -> None:
    """Given a set made again after the lake went on, from its manifest, then not one byte differs."""
    words = ("training-set", "--from", "2013-01-02", "--to", "2013-01-04", "--service", "delay_v2")
    assert run(*words, "--out", tmp_path / "a.parquet") == 0
    assert run(*words, "--out", tmp_path / "b.parquet") == 0
    built.add([departed(1500, name="dep-one-more", flight=77), *days_of_flights(2, first=5)])
    build(built.lake)
    assert run(*words, "--out", tmp_path / "now.parquet") == 0
    like = manifest.beside(tmp_path / "a.parquet")
    assert run("training-set", "--like", like, "--out", tmp_path / "again.parquet") == 0
    digests = {name: manifest.digest(tmp_path / f"{name}.parquet") for name in ("a", "b", "again", "now")}
    assert digests["a"] == digests["b"] == digests["again"] != digests["now"]
    assert manifest.beside(tmp_path / "again.parquet").read_bytes() == like.read_bytes()


class TestLeaks:
    """A feature that is known only after the prediction."""

    @pytest.mark.parametrize("column", ["arrival_delay", "air_time", "departed", "weather_temp"])
    def test_it_is_named_and_refused(self, built: World, column: str) -> None:
        """The message names the column and how to see the harm."""
        with pytest.raises(Leak, match=rf"{column} \(\d+ rows.*--allow-leak {column}"):
            make(built.lake, Wanted("delay_v1", WHOLE.begin, WHOLE.end, extra=(column,)))

    def test_what_the_timetable_says_is_none(self, built: World) -> None:
        """The distance is known for months."""
        made = make(built.lake, Wanted("delay_v1", WHOLE.begin, WHOLE.end, extra=("distance",)))
        assert "distance" in made.rows.columns
        assert made.leaks == ()

    def test_one_that_is_allowed_stands_in_the_manifest(self, built: World, tmp_path: Path, run: Run) -> None:
        """Whoever reads the manifest sees that the set lies; without being allowed nothing is written."""
        words = ("training-set", "--from", "2013-01-02", "--to", "2013-01-03", "--service", "delay_v1")
        out = tmp_path / "leaky.parquet"
        assert run(*words, "--with", "arrival_delay", "--out", out) == 2
        assert list(tmp_path.glob("*leaky*")) == []
        assert run(*words, "--with", "arrival_delay", "--allow-leak", "arrival_delay", "--out", out) == 0
        assert manifest.read(out).allowed_leaks == ("arrival_delay",)
        assert built.root

    def test_a_prediction_too_late_lets_the_label_in(self, world: World) -> None:
        """Asked after planes have left early, their own departure is in the windows: the label itself leaks."""
        world.add([reading(0), arrived(0), departed(100, delay=-20, flight=5), departed(300)])
        build(world.lake)
        with pytest.raises(Leak, match="label"):
            make(world.lake, Wanted("delay_v1", BEGIN, BEGIN + dt.timedelta(days=1), lead=0))


class TestLabel:
    """What is to be predicted: how late a flight leaves, or how late it arrives."""

    @pytest.fixture
    def flown(self, world: World) -> World:
        """Return a lake of two flights: one left 5 late and arrived 3 early, the other never arrived."""
        world.add([reading(0), arrived(0), departed(300, delay=5, name="dep-arriving"), arrived(600, delay=-3)])
        world.add([departed(310, delay=7, name="dep-diverted", flight=2, tailnum="N00002")])
        build(world.lake)
        return world

    def test_the_arrival_delay_is_the_label_where_it_is_asked_for(self, flown: World) -> None:
        """A flight that never arrived has none and is no row; otherwise both sets hold the same."""
        day = (BEGIN, BEGIN + dt.timedelta(days=1))
        departures = make(flown.lake, Wanted("delay_v1", *day)).rows
        arrivals = make(flown.lake, Wanted("delay_v1", *day, label="arrival_delay")).rows
        assert departures.select("flight_id", "label").rows() == [("dep-arriving", 5), ("dep-diverted", 7)]
        assert arrivals.select("flight_id", "label").rows() == [("dep-arriving", -3)]
        assert arrivals.drop("label").equals(departures.drop("label").head(1))

    def test_a_set_of_the_first_label_has_the_bytes_and_the_manifest_of_before(
        self, flown: World, tmp_path: Path, run: Run
    ) -> None:
        """Given no label or the departure's, then the manifest does not speak of it; the arrival's stands in it."""
        words = ("training-set", "--from", "2013-01-01", "--to", "2013-01-02", "--service", "delay_v1")
        assert run(*words, "--out", tmp_path / "a.parquet") == 0
        assert run(*words, "--label", "departure_delay", "--out", tmp_path / "b.parquet") == 0
        assert run(*words, "--label", "arrival_delay", "--out", tmp_path / "c.parquet") == 0
        a, b, c = (manifest.beside(tmp_path / f"{name}.parquet").read_text() for name in "abc")
        assert a == b
        assert "label" not in json.loads(a)
        assert list(json.loads(a)) == [
            "format", "service", "begin", "end", "lead", "extra", "allowed_leaks", "rows", "columns", "sha256",
            "registry", "recipe", "tables",
        ]  # fmt: skip
        assert json.loads(c)["label"] == "arrival_delay"
        assert flown.root

    def test_a_set_is_made_again_with_its_label(self, flown: World, tmp_path: Path, run: Run) -> None:
        """Its manifest is enough: the same bytes."""
        words = ("--from", "2013-01-01", "--to", "2013-01-02", "--service", "delay_v2", "--label", "arrival_delay")
        assert run("training-set", *words, "--out", tmp_path / "a.parquet") == 0
        like = manifest.beside(tmp_path / "a.parquet")
        assert run("training-set", "--like", like, "--out", tmp_path / "b.parquet") == 0
        assert manifest.digest(tmp_path / "a.parquet") == manifest.digest(tmp_path / "b.parquet")
        assert manifest.read(like).wanted().label == "arrival_delay"
        assert flown.root

    @pytest.mark.parametrize("label", ["departure_delay", "arrival_delay"])
    @pytest.mark.parametrize("column", ["departure_delay", "departed", "arrival_delay", "scheduled_arrival"])
    def test_what_the_flight_itself_tells_leaks_before_it_left(self, flown: World, label: str, column: str) -> None:
        """An hour before the departure neither delay is known, whichever is the label."""
        wanted = Wanted("delay_v1", BEGIN, BEGIN + dt.timedelta(days=1), extra=(column,), label=label)
        with pytest.raises(Leak, match=column):
            make(flown.lake, wanted)

    def test_in_the_air_the_departure_is_known_and_the_arrival_is_not(self, flown: World) -> None:
        """Asked an hour after the schedule, the departure delay is a fair feature of an arrival, and no fair label."""
        day = (BEGIN, BEGIN + dt.timedelta(days=1))
        made = make(flown.lake, Wanted("delay_v1", *day, lead=-60, extra=("departure_delay",), label="arrival_delay"))
        assert made.rows.get_column("departure_delay").to_list() == [5]
        assert made.leaks == ()
        with pytest.raises(Leak, match="arrival_delay"):
            make(flown.lake, Wanted("delay_v1", *day, lead=-60, extra=("arrival_delay",), label="arrival_delay"))
        with pytest.raises(Leak, match="label"):
            make(flown.lake, Wanted("delay_v1", *day, lead=-60))

    def test_asked_after_the_landing_the_label_itself_leaks(self, flown: World) -> None:
        """The arrival is then in the windows of its route."""
        with pytest.raises(Leak, match="label"):
            make(
                flown.lake,
                Wanted("delay_v1", BEGIN, BEGIN + dt.timedelta(days=1), lead=-600, label="arrival_delay"),
            )

    def test_a_label_that_there_is_not_is_told_with_those_that_are(self, flown: World) -> None:
        """The names to choose from are in the message."""
        with pytest.raises(BadRequest, match=r"departure_delay, arrival_delay"):
            make(flown.lake, Wanted("delay_v1", BEGIN, BEGIN + dt.timedelta(days=1), label="air_time"))


class TestBadInput:
    """Each mistake under its name, with a remedy, and nothing half-written."""

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--service", "delay_v9", "--from", "2013-01-02", "--to", "2013-01-03"), "delay_v9"),
            (("--service", "delay_v1", "--from", "2013-01-03", "--to", "2013-01-02"), "ends before it begins"),
            (("--service", "delay_v1", "--from", "2019-01-01", "--to", "2019-01-02"), "no flight is scheduled"),
            (("--service", "delay_v1", "--from", "2013-01-02"), "--to is missing"),
            (("--service", "delay_v1", "--from", "2013-01-02", "--to", "2013-01-03", "--with", "height"), "height"),
            (("--like", "nowhere.parquet"), "nowhere.parquet"),
        ],
    )
    def test_it_is_told(  # noqa: PLR0913, PLR0917  fixtures and parameters
        self,
        built: World,
        tmp_path: Path,
        run: Run,
        capfd: pytest.CaptureFixture[str],
        words: tuple[str, ...],
        told: str,
    ) -> None:
        """Exit code 2, object and remedy on standard error, no file."""
        out = tmp_path / "set.parquet"
        assert run("training-set", *words, "--out", out) == 2
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert any(told in line["event"] and line["remedy"] for line in lines)
        assert list(tmp_path.glob("*set.parquet*")) == []
        assert built.root

    def test_a_service_that_is_unknown_is_told_with_those_that_are(self) -> None:
        """The names to choose from are in the message."""
        with pytest.raises(BadRequest, match=r"delay_v1, delay_v2"):
            training.service("delay_v9")

    def test_an_empty_range_is_no_empty_file(self, built: World) -> None:
        """There is no training set without rows."""
        with pytest.raises(EmptyRange):
            make(built.lake, Wanted("delay_v1", BEGIN + dt.timedelta(days=400), BEGIN + dt.timedelta(days=401)))

    def test_a_changed_definition_makes_no_set_like_an_old_one(
        self, built: World, tmp_path: Path, run: Run, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A manifest of other definitions is refused: the bytes could not be the same."""
        words = ("--service", "delay_v1", "--from", "2013-01-02", "--to", "2013-01-03")
        assert run("training-set", *words, "--out", tmp_path / "a.parquet") == 0
        beside = manifest.beside(tmp_path / "a.parquet")
        beside.write_text(beside.read_text().replace(DEFINITIONS.fingerprint(), "0" * 64))
        assert run("training-set", "--like", beside, "--out", tmp_path / "b.parquet") == 2
        assert "feature definitions" in capfd.readouterr().err
        assert built.root


class TestLineage:
    """From a file back to the log."""

    def test_the_chain_ends_at_places_in_the_log(self, built: World, tmp_path: Path) -> None:
        """File, tables, what they were made from, and for bronze the newest offset of each partition."""
        made = make(built.lake, WHOLE)
        manifest.keep(made, WHOLE, tmp_path / "set.parquet")
        chain = lineage.chain(built.lake, tmp_path / "set.parquet")
        tables = {each["name"]: each for each in chain["tables"]}
        assert chain["intact"]
        assert set(tables) >= {"silver/flights", "silver/departures", "bronze/flight.departed.v1"}
        assert tables["bronze/flight.departed.v1"]["log"] == {"0": 5 * 24 - 1}
        assert "bronze/flight.departed.v1@1" in "\n".join(lineage.lines(chain))

    def test_a_changed_file_is_seen(self, built: World, tmp_path: Path) -> None:
        """The manifest's hash does not fit any more."""
        file = tmp_path / "set.parquet"
        manifest.keep(make(built.lake, WHOLE), WHOLE, file)
        file.write_bytes(file.read_bytes() + b"x")
        assert not lineage.chain(built.lake, file)["intact"]

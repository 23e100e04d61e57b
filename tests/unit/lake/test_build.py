"""The batch layer: the same as from scratch whatever came in between, and nothing twice."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from contracts import Event
from contracts.views_flights import DELAYS, PUNCTUALITY, TURN, WEATHER
from lake import build as batch
from lake.build import DAYS, UNCHANGED, WHOLE, build
from lake.errors import BadQuality, TableMissing
from lake.offline import STAMP, table
from lake.steps import recipe, steps
from unit.lake.worlds import BEGIN, World, arrived, days_of_flights, departed, reading


def rows(world: World, name: str) -> pl.DataFrame:
    """All rows of a table in one order."""
    found = world.lake.scan(name).collect()
    return found.sort(found.columns)


def hows(world: World) -> dict[str, str]:
    """What a run did to each output."""
    return {made.output: made.how for made in build(world.lake)}


def test_a_first_run_makes_everything_and_a_second_nothing(world: World) -> None:
    """Nothing changed: nothing is written, not even a commit."""
    world.add(days_of_flights(3))
    assert set(hows(world).values()) == {WHOLE}
    versions = {step.output: world.lake.reference(step.output).version for step in steps()}
    assert set(hows(world).values()) == {UNCHANGED}
    assert versions == {step.output: world.lake.reference(step.output).version for step in steps()}


def test_days_made_anew_equal_a_lake_made_from_scratch(tmp_path: Path) -> None:
    """Given events in five parts, some of them days late, when each part is built, then all is as if built at once."""
    events = list(days_of_flights(40, per_day=8))
    draw = random.Random(3)  # noqa: S311
    late = set(draw.sample(range(len(events)), 60))
    parts: list[list[Event]] = [[] for _ in range(5)]
    for number, event in enumerate(events):
        part = number * 4 // len(events)
        parts[min(part + 1 + draw.randrange(3), 4) if number in late else part].append(event)
    piecemeal, scratch = World(tmp_path / "piecemeal"), World(tmp_path / "scratch")
    for each in parts:
        piecemeal.add(each)
        build(piecemeal.lake)
    scratch.add([event for part in parts for event in part])
    build(scratch.lake)
    for step in steps():
        assert_frame_equal(rows(piecemeal, step.output), rows(scratch, step.output))


def test_a_late_event_touches_only_the_days_that_it_changes(world: World) -> None:
    """An event of the second day leads to that day and the next one, in the views of delays."""
    world.add(days_of_flights(10))
    build(world.lake)
    world.add([departed(1440 + 77, carrier="ZZ", name="dep-late-one")])
    made = {each.output: each for each in build(world.lake)}
    assert (made["silver/departures"].how, made["silver/departures"].days) == (DAYS, 1)
    delays = [made[table(view)] for view in DELAYS if "departure" in view.name]
    assert {(each.how, each.days) for each in delays} == {(DAYS, 2)}
    assert made["silver/arrivals"].how == made["silver/weather"].how == UNCHANGED


def test_a_compaction_of_bronze_changes_nothing(world: World) -> None:
    """Fewer and larger files are the same rows: nothing is made anew."""
    for event in days_of_flights(1):
        world.add([event])
    build(world.lake)
    assert all(each.compact() > 0 for each in world.tables.values())
    assert set(hows(world).values()) == {UNCHANGED}


def test_other_definitions_make_everything_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made by an older recipe is not kept beside what a newer one makes."""
    world.add(days_of_flights(2))
    build(world.lake)
    monkeypatch.setattr(batch, "recipe", lambda: "another")
    assert set(hows(world).values()) == {WHOLE}


def test_a_restored_output_is_known_as_the_old_one_that_it_is(world: World) -> None:
    """Given an output put back to an older version, then the next run brings it up to date again."""
    world.add(days_of_flights(2))
    build(world.lake)
    before = world.lake.reference("silver/departures").version
    world.add([departed(99, name="dep-the-new-one")])
    build(world.lake)
    newest = rows(world, "silver/departures")
    world.lake.restore("silver/departures", before)
    assert rows(world, "silver/departures").height == newest.height - 1
    assert hows(world)["silver/departures"] == DAYS
    assert_frame_equal(rows(world, "silver/departures"), newest)


def test_each_output_says_what_it_was_made_from(world: World) -> None:
    """The commit names table, id and version of each input, and the recipe."""
    world.add(days_of_flights(1))
    build(world.lake)
    for step in steps():
        origin = world.lake.origin(step.output)
        assert origin is not None
        assert {each.name for each in origin.inputs} == set(step.inputs)
        assert all(each == world.lake.reference(each.name) for each in origin.inputs)
        assert origin.recipe == recipe()


def test_duplicates_are_one_row_and_the_first_counts(world: World) -> None:
    """The same id twice: silver has the record that came first."""
    world.add(days_of_flights(1))
    world.add([departed(5, delay=0, flight=1, tailnum="N00001", carrier="UA")])
    world.add([departed(700, delay=3, name="dep-same-id"), departed(700, delay=90, name="dep-same-id")])
    build(world.lake)
    found = rows(world, "silver/departures").filter(pl.col("id") == "dep-same-id")
    assert found.get_column("delay").to_list() == [3]


def test_without_bronze_the_remedy_is_told(tmp_path: Path) -> None:
    """A lake that nobody writes to is a named failure."""
    empty = World(tmp_path / "other")
    shutil.rmtree(Path(empty.root) / "bronze" / "weather.read.v1")
    with pytest.raises(TableMissing, match=r"bronze/weather\.read\.v1.*ingest bronze"):
        build(empty.lake)


def test_a_lake_without_events_is_built_empty_and_filled_later(world: World) -> None:
    """The first run may come before the first event; what comes then is found."""
    build(world.lake)
    assert world.lake.scan("silver/flights").collect().height == 0
    world.add([departed(1)])
    build(world.lake)
    assert world.lake.scan("silver/flights").collect().height == 1


def test_rows_that_break_the_contract_stop_the_build(world: World) -> None:
    """A value that no event may have, written past the writer, is named with its column; silver stays as it was."""
    world.add(days_of_flights(1))
    build(world.lake)
    before = rows(world, "silver/departures")
    names = [name for name in world.lake.scan("bronze/flight.departed.v1").collect_schema() if name != "date"]
    bad = {
        "id": "dep-too-late", "time": 1_357_000_000_000_000, "carrier": "UA", "flight": 1, "origin": "JFK",
        "dest": "LAX", "scheduled": 1_357_000_000_000_000, "delay": 9_999, "distance": 1, "tailnum": None,
        "kafka_partition": 0, "kafka_offset": 999, "kafka_time": 0,
    }  # fmt: skip
    world.tables["flight.departed.v1"].append({name: [bad[name]] for name in names}, {"test": 1000})
    with pytest.raises(BadQuality, match=r"silver/departures: column delay.*9999"):
        build(world.lake)
    assert_frame_equal(rows(world, "silver/departures"), before)


class TestFlights:
    """A departure, its arrival and the weather."""

    def test_they_meet_by_carrier_number_route_and_plane(self, world: World) -> None:
        """The arrival belongs to the last departure before it; the next day's has its own or none."""
        world.add([reading(0), departed(60, delay=7), arrived(400, delay=9), departed(1500, delay=1)])
        build(world.lake)
        found = world.lake.scan("silver/flights").sort("departed").collect()
        assert found.get_column("departure_delay").to_list() == [7, 1]
        assert found.get_column("arrival_delay").to_list() == [9, None]

    def test_the_weather_is_the_newest_that_was_known(self, world: World) -> None:
        """A reading after the departure is not its weather, nor is another station's or one of yesterday."""
        world.add([reading(0, temp=10), reading(50, temp=20), reading(61, temp=99), reading(59, "LGA", temp=77)])
        world.add([departed(60), arrived(400), departed(60 + 2 * 1440, flight=2)])
        build(world.lake)
        found = world.lake.scan("silver/flights").sort("departed").collect()
        assert found.get_column("weather_temp").to_list() == [20, None]


class TestViews:
    """The offline features beside the rolling delays."""

    def test_every_view_has_its_table_with_its_features_in_order(self, world: World) -> None:
        """Entity, time of the event, features by name and type, and the day."""
        world.add(days_of_flights(3))
        build(world.lake)
        for view in (*DELAYS, WEATHER, *PUNCTUALITY, TURN):
            names = world.lake.scan(table(view)).collect_schema().names()
            assert names == [*view.entities, STAMP, *(name for name, _ in view.columns), "date"]

    def test_punctuality_is_of_the_thirty_days_before(self, world: World) -> None:
        """The row of a day's beginning counts the 30 days before it and not that day."""
        world.add(
            [reading(0), departed(0), *(arrived(day * 1440 + 60, delay=day, flight=day + 1) for day in range(33))]
        )
        build(world.lake)
        (view,) = (each for each in PUNCTUALITY if each.entities == ("carrier",))
        found = world.lake.scan(table(view)).sort(STAMP).collect()
        at = found.filter(pl.col(STAMP) == BEGIN + dt.timedelta(days=31)).row(0, named=True)
        assert at["carrier_flights_30d"] == 30
        assert at["carrier_arrival_mean_30d"] == sum(range(1, 31)) / 30
        assert at["carrier_on_time_30d"] == 15 / 30

    def test_a_turn_is_known_once_the_plane_has_left(self, world: World) -> None:
        """The median counts turns that ended by the arrival, of this plane, no longer than two days."""
        world.add([reading(0), arrived(0), departed(90), arrived(400, flight=2), departed(550), arrived(900, flight=3)])
        build(world.lake)
        found = world.lake.scan(table(TURN)).sort(STAMP).collect()
        assert found.get_column("tail_median_turn_30d").to_list() == [None, 90.0, 120.0]
        assert found.get_column("tail_last_arrival_delay").to_list() == [0, 0, 0]
        assert found.get_column("tail_last_arrival_at")[0] == int(BEGIN.timestamp())

"""Quality: rows that break their contract, days that are not like the others, and the page that tells of them."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

import polars as pl
import pytest

from contracts import Event
from contracts.topics import DEPARTED, WEATHER
from lake.__main__ import main
from lake.build import build
from lake.errors import BadQuality, SchemaChanged
from lake.quality import daily, report, rows, watch
from runtime.health import Health
from runtime.metrics import exposition
from unit.lake.worlds import BEGIN, World, arrived, departed, reading


def usual(days: int, first: int = 0) -> list[Event]:
    """Days like each other: 200 flights and 24 readings, with the noise of every day."""
    draw = random.Random(first)  # noqa: S311
    out: list[Event] = []
    for day in range(first, first + days):
        out += [reading(day * 1440 + hour * 60, temp=draw.gauss(50, 8)) for hour in range(24)]
        for number in range(200):
            minute, origin = day * 1440 + draw.uniform(0, 1439), draw.choice(("JFK", "LGA", "EWR"))
            delay = round(draw.expovariate(0.05))
            out.append(departed(round(minute, 2), origin=origin, delay=delay, flight=1 + number))
            out.append(arrived(round(minute, 2), origin=origin, delay=delay, flight=1 + number))
    return out


def alarms(found: pl.DataFrame) -> set[tuple[str, str, str]]:
    """Table, monitor and column of what alarms."""
    return set(found.filter("alarm").select("table", "monitor", "column").iter_rows())


class TestContracts:
    """The event's own rules, held by pandera."""

    def test_what_the_lake_makes_of_real_events_passes(self, world: World) -> None:
        """Silver of valid events meets its contract, missing values included."""
        world.add([departed(1, tailnum=None), reading(1, temp=None), arrived(2)])
        build(world.lake)

    @pytest.mark.parametrize(
        ("column", "value", "told"),
        [("carrier", "united", "column carrier"), ("delay", 5000, "column delay"), ("origin", None, "column origin")],
    )
    def test_a_broken_rule_is_told_with_column_and_example(
        self, world: World, column: str, value: object, told: str
    ) -> None:
        """The message says which rule of which column is broken how often."""
        world.add([departed(1), arrived(1), reading(1)])
        build(world.lake)
        good = world.lake.scan("silver/departures").collect()
        bad = good.with_columns(pl.lit(value).cast(good.schema[column]).alias(column))
        with pytest.raises(BadQuality, match=told):
            rows.check(bad, rows.of_topic(DEPARTED), "table silver/departures")

    @pytest.mark.parametrize("change", ["lost", "retyped"])
    def test_another_schema_is_no_matter_of_values(self, world: World, change: str) -> None:
        """A column that is missing or has another type is told as a change of schema."""
        world.add([departed(1), arrived(1), reading(1)])
        build(world.lake)
        good = world.lake.scan("silver/weather").collect()
        bad = good.drop("temp") if change == "lost" else good.with_columns(pl.col("temp").cast(pl.String))
        with pytest.raises(SchemaChanged, match="temp"):
            rows.check(bad, rows.of_topic(WEATHER), "table silver/weather")


class TestMonitors:
    """Days against the days before them."""

    def test_usual_days_are_quiet(self, world: World) -> None:
        """Thirty days of the same noise: no alarm."""
        world.add(usual(30))
        build(world.lake)
        found = daily.judge(world.lake)
        assert found.get_column("date").n_unique() == 29  # the last one is not over
        assert alarms(found) == set()

    @pytest.mark.parametrize(
        ("spoil", "expected"),
        [
            (lambda event, number: None if number % 4 < 2 else event, ("silver/departures", "volume", "")),
            (lambda event, _: _with(event, distance=1609), ("silver/departures", "drift", "distance")),
            (lambda event, _: _with(event, tailnum=None), ("silver/departures", "nulls", "tailnum")),
            (lambda event, _: _with(event, origin="JFK"), ("silver/departures", "mix", "origin")),
        ],
    )
    def test_a_spoiled_day_is_found(self, world: World, spoil: object, expected: tuple[str, str, str]) -> None:
        """Half of the rows lost, miles as kilometres, a column emptied, one origin for all: each by its own monitor."""
        assert callable(spoil)
        spoiled = [spoil(event, number) for number, event in enumerate(usual(1, first=20))]
        world.add([*usual(20), *(event for event in spoiled if event), *usual(1, first=21)])
        build(world.lake)
        assert expected in alarms(daily.judge(world.lake))

    def test_each_day_is_judged_once_and_again_when_it_changes(self, world: World) -> None:
        """A second run judges nothing; a late event brings its day back."""
        world.add(usual(12))
        build(world.lake)
        assert daily.judge(world.lake).get_column("date").n_unique() == 11
        assert daily.judge(world.lake).height == 0
        world.add([departed(9 * 1440 + 10, name="dep-a-late-one")])
        build(world.lake)
        assert set(daily.judge(world.lake).get_column("date")) == {dt.date(2013, 1, 10)}

    def test_a_bad_day_teaches_nothing(self, world: World) -> None:
        """After a day with half of the rows lost, a second such day alarms as well."""
        lost = [event for number, event in enumerate(usual(2, first=15)) if number % 4 < 2]
        world.add([*usual(15), *lost, *usual(1, first=17)])
        build(world.lake)
        found = daily.judge(world.lake).filter("alarm")
        assert {dt.date(2013, 1, 16), dt.date(2013, 1, 17)} <= set(found.get_column("date"))


def _with(event: Event, **values: object) -> Event:
    import msgspec  # noqa: PLC0415

    known = {name: value for name, value in values.items() if hasattr(event, name)}
    return msgspec.structs.replace(event, **known)


def test_the_page_of_a_day_stands_alone(world: World, tmp_path: Path) -> None:
    """One HTML file per day, with its verdict and every monitor; it refers to nothing outside."""
    world.add(usual(10))
    build(world.lake)
    pages = report.write(daily.judge(world.lake), tmp_path / "pages")
    text = pages[-1].read_text(encoding="utf-8")
    assert pages[-1].name == "2013-01-09.html"
    assert "monitors are quiet" in text
    assert "drift" in text
    assert "http" not in text


def test_alarms_end_a_strict_run_with_two(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A job that must not go on over bad data says table, day, monitor, value and bounds."""
    world.add([*usual(15), *(event for number, event in enumerate(usual(1, first=15)) if number % 3 == 0)])
    world.add(usual(1, first=16))
    build(world.lake)
    monkeypatch.setenv("TARMAC_LAKE", world.root)
    assert main(["quality", "--strict"]) == 2
    out, err = capfd.readouterr()
    assert any(each["monitor"] == "volume" for each in json.loads(out)["alarms"])
    assert "2013-01-16" in err


def test_prometheus_is_told_of_the_newest_day_and_of_every_table(world: World) -> None:
    """Values, limits, alarms, ages and versions; a lake that is away is told as such."""
    world.add(usual(10))
    build(world.lake)
    daily.judge(world.lake)
    figures, health = watch.Figures(), Health()
    watch.Watch(world.lake, figures, health).look()
    told = exposition(figures.registry).decode()
    assert 'lake_quality_alarms{table="silver/departures"} 0.0' in told
    newest = figures.registry.get_sample_value("lake_quality_day_seconds")
    assert newest == (BEGIN + dt.timedelta(days=8)).timestamp()
    assert 'lake_table_version{table="bronze/weather.read.v1"} 1.0' in told
    assert "lake_away 0.0" in told
    assert health.ready()[0]

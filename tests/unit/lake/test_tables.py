"""Versions of tables: time travel, restore, schema evolution with enforcement, vacuum, and damage under its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from contracts.topics import WEATHER
from ingest.bronze.batch import Column, columns
from ingest.bronze.table import Table
from lake.__main__ import main
from lake.build import build
from lake.errors import TableMissing
from lake.store import told
from runtime.store import Contended, SchemaChanged, Store, TableBroken
from unit.lake.worlds import World, arrived, departed, reading


@pytest.fixture
def two(world: World) -> World:
    """Return a lake whose silver has two versions: of one departure, and of two."""
    world.add([departed(1, name="dep-first-one"), arrived(1), reading(1)])
    build(world.lake)
    world.add([departed(2, name="dep-second-one")])
    build(world.lake)
    return world


def ids(world: World, version: int | None = None) -> list[str]:
    """Departures of silver in a version."""
    return world.lake.scan("silver/departures", version).collect().get_column("id").sort().to_list()


class TestTimeTravel:
    """Every version stays readable."""

    def test_an_older_version_is_read_as_it_was(self, two: World) -> None:
        """The first version has the first departure only, whatever came later."""
        newest = two.lake.reference("silver/departures").version
        assert ids(two, newest - 1) == ["dep-first-one"]
        assert ids(two) == ["dep-first-one", "dep-second-one"]

    def test_a_version_that_never_was_is_told(self, two: World) -> None:
        """With the table's name and where to find the versions."""
        with pytest.raises(TableMissing, match=r"silver/departures"):
            two.lake.table("silver/departures", 99)

    def test_restore_makes_the_old_rows_the_newest_and_keeps_the_rest(self, two: World) -> None:
        """Restoring is a commit of its own: it can be taken back."""
        newest = two.lake.reference("silver/departures").version
        assert two.lake.restore("silver/departures", newest - 1) == newest + 1
        assert ids(two) == ["dep-first-one"]
        assert two.lake.restore("silver/departures", newest) == newest + 2
        assert ids(two) == ["dep-first-one", "dep-second-one"]

    def test_vacuum_ends_the_journey(self, two: World) -> None:
        """Files that only older versions need go; the newest version stays whole, the old one is told as broken."""
        newest = two.lake.reference("silver/departures").version
        planned = two.lake.vacuum("silver/departures", 0, dry=True)
        assert planned
        assert ids(two, newest - 1) == ["dep-first-one"]
        assert sorted(two.lake.vacuum("silver/departures", 0)) == sorted(planned)
        assert ids(two) == ["dep-first-one", "dep-second-one"]
        with pytest.raises(TableBroken, match="silver/departures"):
            two.lake.collect("silver/departures", two.lake.scan("silver/departures", newest - 1))

    def test_the_commands_do_the_same(
        self, two: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """list, history, show, restore and vacuum speak JSON."""
        monkeypatch.setenv("TARMAC_LAKE", two.root)
        newest = two.lake.reference("silver/departures").version

        def run(*words: str) -> Any:  # noqa: ANN401  JSON
            assert main(["table", *words]) == 0
            return json.loads(capsys.readouterr().out)

        assert {each["table"] for each in run("list")} >= {"bronze/weather.read.v1", "gold/punctuality"}
        assert run("history", "silver/departures")[0]["version"] == newest
        assert run("show", "silver/departures", "--version", str(newest - 1))["rows"] == 1
        assert run("show", "silver/departures")["rows"] == 2
        assert run("restore", "silver/departures", "--version", str(newest - 1))["version"] == newest + 1
        assert run("vacuum", "silver/departures", "--dry-run")["dry_run"]


class TestSchema:
    """A table may gain columns; what it has keeps its type."""

    def test_a_column_that_the_contract_gains_is_added(self, world: World) -> None:
        """Old rows have none of it, new ones do; no file is written anew."""
        world.add([reading(1)])
        wider = (*columns(WEATHER), Column("snow", "number", optional=True))
        table = Table(Store(world.root), WEATHER, wider)
        values: dict[str, list[Any]] = {
            each.name: [None] for each in wider if each.name not in ("date", "id", "time")
        } | {"id": ["wx-with-snow"], "time": [1_357_000_000_000_000], "snow": [2.5]}  # fmt: skip
        table.append(values, {"test": 1})
        found = world.lake.scan(f"bronze/{WEATHER}").sort("time").collect()
        assert found.get_column("snow").to_list() == [None, 2.5]

    def test_a_column_that_changes_its_type_is_refused(self, world: World) -> None:
        """The message names table, column and both types; the table stays as it was."""
        world.add([reading(1)])
        other = tuple(each._replace(kind="text") if each.name == "temp" else each for each in columns(WEATHER))
        before = world.lake.reference(f"bronze/{WEATHER}")
        with pytest.raises(
            SchemaChanged, match=r"weather\.read\.v1, column temp: the contract has string, the table double"
        ):
            Table(Store(world.root), WEATHER, other)
        assert world.lake.reference(f"bronze/{WEATHER}") == before


class TestPlaces:
    """Rows and places in one commit."""

    def test_a_place_survives_compaction_checkpoint_and_vacuum(self, world: World) -> None:
        """After a hundred commits and all upkeep the table still says where to go on."""
        for minute in range(60):
            world.add([reading(minute)])
        table = world.tables[WEATHER]
        table.compact()
        table.vacuum(0)
        again = Table(Store(world.root), WEATHER, columns(WEATHER))
        assert again.position(f"{WEATHER}-0@test") == 60
        assert again.position("somebody-else") is None
        assert world.lake.scan(f"bronze/{WEATHER}").collect().height == 60

    def test_two_writers_of_the_same_places_do_not_both_commit(self, world: World) -> None:
        """Given two writers that read the same records, then the second commit is refused and the first stands."""
        first, second = (Table(Store(world.root), WEATHER, columns(WEATHER)) for _ in range(2))
        values: dict[str, list[Any]] = {each.name: [None] for each in columns(WEATHER) if each.name != "date"}
        values |= {"id": ["wx-once-only"], "time": [1_357_000_000_000_000]}
        first.append(values, {"place": 1})
        with pytest.raises(Contended, match=r"weather\.read\.v1"):
            second.append(values, {"place": 1})
        assert world.lake.scan(f"bronze/{WEATHER}").collect().height == 1


class TestDamage:
    """What is broken is told as such, with object and remedy, and not taken for a store that is away."""

    def test_a_corrupt_file(self, two: World) -> None:
        """A Parquet file full of zeros."""
        (file, *_) = Path(two.root, "silver/departures").rglob("*.parquet")
        for file in Path(two.root, "silver/departures").rglob("*.parquet"):
            file.write_bytes(b"\0" * file.stat().st_size)
        with pytest.raises(TableBroken, match="silver/departures"):
            two.lake.collect("silver/departures", two.lake.scan("silver/departures"))

    def test_a_corrupt_log(self, two: World) -> None:
        """A commit that is no JSON: for the batch layer and for the writer of bronze."""
        for table in ("silver/departures", f"bronze/{WEATHER}"):
            newest = max(Path(two.root, table, "_delta_log").glob("*.json"))
            newest.write_text("{ this is no JSON\n")
        with pytest.raises(TableBroken, match="silver/departures"):
            two.lake.scan("silver/departures")
        with pytest.raises(TableBroken, match=WEATHER):
            Table(Store(two.root), WEATHER, columns(WEATHER))

    def test_a_build_over_damage_leaves_what_was_made(self, two: World) -> None:
        """Bronze is corrupt: the build ends with its name, silver stays as it was."""
        two.add([departed(3, name="dep-third-one")])
        for file in Path(two.root, "bronze/flight.departed.v1").rglob("*.parquet"):
            file.write_bytes(b"PAR1 and then nothing")
        with pytest.raises(TableBroken):
            build(two.lake)
        assert ids(two) == ["dep-first-one", "dep-second-one"]

    def test_words_of_the_network_are_no_damage(self) -> None:
        """An error of the connection is one that passes."""
        failure = told("table x", OSError("Generic S3 error: error sending request for url (http://127.0.0.1:1/lake)"))
        assert type(failure).__name__ == "StoreAway"


class TestTheNewestCommit:
    """Asked for again and again, while others write."""

    def test_is_that_of_the_whole_history(self, two: World) -> None:
        """Before and after another commit."""
        for _ in range(2):
            newest = two.lake.newest("silver/departures")
            assert newest == two.lake.history("silver/departures")[0]
            two.add([departed(3, name="dep-third-one")])
            build(two.lake)
        assert two.lake.newest("silver/departures")["version"] == newest["version"] + 1

    def test_is_that_of_a_table_made_anew_under_its_name(self, two: World) -> None:
        """Fewer commits than were known before."""
        before = two.lake.newest("silver/departures")["version"]
        shutil.rmtree(two.lake.path("silver/departures"))
        build(two.lake)
        newest = two.lake.newest("silver/departures")
        assert newest == two.lake.history("silver/departures")[0]
        assert newest["version"] < before

    def test_of_a_table_that_is_gone_is_none(self, two: World) -> None:
        """Told as of one that never was."""
        two.lake.newest("silver/departures")
        shutil.rmtree(two.lake.path("silver/departures"))
        for _ in range(2):
            with pytest.raises(TableMissing, match="silver/departures"):
                two.lake.newest("silver/departures")

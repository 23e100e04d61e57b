"""What each way of writing makes of a further column and of another type, with the real writer on a small lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from lake.build import build
from lake.store import Lake, Origin
from pipelines.experiments.schema_evolution import TABLE, evolved, refusal
from pipelines.settings import MERGE, OVERWRITE, STRICT
from runtime.store import Store, StoreAway
from unit.lake.worlds import World, days_of_flights


class Place(NamedTuple):
    """A lake, and the store that it is in."""

    lake: Lake
    store: Store


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a lake of four days, built."""
    world = World(tmp_path)
    world.add(days_of_flights(4, per_day=4))
    build(world.lake)
    return Place(world.lake, Store(world.root))


@pytest.fixture
def modes(place: Place) -> dict[str, dict[str, Any]]:
    """Return what became of the batches in each way."""
    found: dict[str, dict[str, Any]] = evolved(*place)["modes"]
    return found


def test_overwrite_takes_all_and_loses_what_was_there(modes: dict[str, dict[str, Any]]) -> None:
    """Every batch is taken, the first day is gone, and its report fails."""
    found = modes[OVERWRITE]
    assert found["additive_taken"]
    assert not found["breaking_refused"]
    assert found["rows_lost"] == found["rows"] == 4
    assert not found["old_query_same"]
    assert found["temp_type"] == "string"


def test_strict_keeps_all_and_refuses_what_would_hurt_nobody(modes: dict[str, dict[str, Any]]) -> None:
    """The further column and the text are refused; what was there stays."""
    found = modes[STRICT]
    assert not found["additive_taken"]
    assert found["breaking_refused"]
    assert "fields" in found["said"]["additive"]
    assert found["rows"] == 4
    assert found["rows_lost"] == 0
    assert found["old_query_same"]


def test_merge_takes_the_further_column_and_refuses_the_other_type(modes: dict[str, dict[str, Any]]) -> None:
    """Both days are there, no row of the text is, and the report of the first day stands."""
    found = modes[MERGE]
    assert found["additive_taken"]
    assert found["said"]["additive"] is None
    assert found["breaking_refused"]
    assert "Cast error" in found["said"]["breaking"]
    assert found["rows"] == 8
    assert found["rows_lost"] == 0
    assert found["old_query_same"]


@pytest.mark.parametrize("mode", [STRICT, MERGE])
def test_text_that_reads_as_a_number_is_converted_without_a_word(modes: dict[str, dict[str, Any]], mode: str) -> None:
    """Only what cannot be converted is refused: the column keeps its type."""
    assert modes[mode]["numerals_taken"]
    assert modes[mode]["temp_type"] == "double"


@pytest.mark.parametrize("mode", [STRICT, MERGE])
def test_a_fraction_for_a_column_of_whole_numbers_is_cut_without_a_word(place: Place, mode: str) -> None:
    """What the guide warns of: no way of writing refuses it, and the value is another."""
    whole = pl.DataFrame({"station": ["JFK"], "delay": [4]})
    place.lake.write(TABLE, whole, Origin((), ""), partition="station")
    assert refusal(place.store, mode, pl.DataFrame({"station": ["JFK"], "delay": [7.9]})) is None
    assert sorted(place.lake.scan(TABLE).collect()["delay"]) == [4, 7]


def test_a_second_run_finds_the_same(place: Place) -> None:
    """Whatever the run before left of the table."""
    first, second = (evolved(*place)["modes"] for _ in range(2))
    assert second == first


def test_a_store_that_fails_is_not_taken_for_a_refusal(place: Place, tmp_path: Path) -> None:
    """Only the words about the schema make a refusal; everything else goes on as the failure that it is."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreAway, match="schema-evolution/readings"):
        refusal(Store(str(tmp_path / "file")), MERGE, place.lake.scan("silver/weather").collect())

"""ETL and ELT: what each has loaded decides which questions it can answer once the source is gone."""

from pathlib import Path

import polars as pl
import pytest

from lake.build import build
from lake.store import Lake
from pipelines.experiments.etl_elt import ELT, ETL, answer, by_origin, late_answers, load, table_of
from unit.lake.worlds import World, arrived


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with four arrivals from two airports."""
    world = World(tmp_path)
    world.add(
        [
            arrived(10, origin="JFK", delay=1, flight=1),
            arrived(20, origin="JFK", delay=5, flight=2),
            arrived(30, origin="JFK", delay=60, flight=3),
            arrived(40, origin="EWR", delay=9, flight=4),
        ]
    )
    build(world.lake)
    return world.lake


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The same arrivals, as they stand in the source."""
    file = tmp_path / "events.ndjson"
    rows = {
        "time": ["2013-01-01T00:10:00Z"] * 4,
        "carrier": ["UA"] * 4,
        "origin": ["JFK", "JFK", "JFK", "EWR"],
        "delay": [1, 5, 60, 9],
    }
    pl.DataFrame(rows).write_ndjson(file)
    return file


def test_only_elt_answers_when_the_source_is_gone(lake: Lake) -> None:
    """The whole scenario on real tables: the late question finds its column in one of the two."""
    told = late_answers(lake)
    assert {name: answered for name, (answered, _) in told.items()} == {ETL: False, ELT: True}


def test_as_long_as_the_source_lasts_both_answer_alike(lake: Lake, source: Path) -> None:
    """It is the expiry that decides: before it, ETL goes back to the source and gives what ELT gives."""
    load(lake, source)
    given = {name: answer(lake, name, source) for name in (ETL, ELT)}
    for each in given.values():
        assert each is not None
        assert each.rows() == [("EWR", 1, 9.0), ("JFK", 3, 5.0)]
    source.unlink()
    assert answer(lake, ETL, source) is None
    assert by_origin(lake.scan(table_of(ELT))).collect().rows() == [("EWR", 1, 9.0), ("JFK", 3, 5.0)]


def test_etl_keeps_its_answer_and_elt_every_row(lake: Lake, source: Path) -> None:
    """What is loaded: one row for carrier and month, or all arrivals; a second run replaces both and adds nothing."""
    for _ in range(2):
        load(lake, source)
    kept = {name: lake.scan(table_of(name)).collect() for name in (ETL, ELT)}
    assert kept[ETL].height == 1
    assert "origin" not in kept[ETL].columns
    assert kept[ELT].height == 4
    files = list(Path(lake.path(table_of(ELT))).rglob("*.parquet"))
    assert len(files) == 1

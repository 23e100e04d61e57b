"""The journey back over a small lake: what the vacuum decides, and that the way back leads to the same rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lake.build import build
from lake.store import Lake
from pipelines.experiments.time_travel import TABLE, digest, travelled
from unit.lake.worlds import World, days_of_flights


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a lake of two days, built."""
    world = World(tmp_path)
    world.add(days_of_flights(2))
    build(world.lake)
    return world.lake


def test_nothing_kept_leaves_no_way_back_but_building_anew(lake: Lake) -> None:
    """Without kept versions the old one is gone and cannot be restored; building anew gives the same rows."""
    found = travelled(lake, 0)
    assert found["rows_wrong"] > 0
    assert not found["old_readable"]
    assert found["restore_seconds"] is None
    assert found["content"]["after_restore"] is None
    assert found["content"]["after_building"] == found["content"]["before"] != found["content"]["bad"]
    assert found["files_removed"] > 0
    assert found["bytes_kept"] == found["bytes_needed"]


def test_a_kept_version_is_read_and_restored_as_it_was(lake: Lake) -> None:
    """With a week kept, the restore brings the content back; the price is the bytes of both versions."""
    found = travelled(lake, 168)
    assert found["old_readable"]
    assert found["content"]["after_restore"] == found["content"]["before"] != found["content"]["bad"]
    assert found["files_removed"] == 0
    assert found["bytes_kept"] > found["bytes_needed"]


def test_a_run_counts_nothing_of_the_runs_before_it(lake: Lake) -> None:
    """The figures of a second run are those of the first, and its files are the only ones that are left."""
    first, second = (travelled(lake, 0) for _ in range(2))
    assert second["versions"]["before"] > first["versions"]["bad"]
    assert second["files_removed"] == first["files_removed"]
    assert second["bytes_kept"] == first["bytes_kept"]
    for _ in range(2):
        travelled(lake, 168)
    left = len(list(Path(lake.path(TABLE)).rglob("part-*.parquet")))
    assert left == 3, "the copy, the bad batch and what was built anew"


def test_the_mistake_is_one_of_the_unit(lake: Lake) -> None:
    """The bad version has the mean delays times sixty; flights are counted as before."""
    found = travelled(lake, 168)
    good, bad = (
        lake.collect(TABLE, lake.scan(TABLE, found["versions"][name]).sort("carrier", "route"))
        for name in ("before", "bad")
    )
    assert bad["departure_delay_mean"].to_list() == pytest.approx([each * 60 for each in good["departure_delay_mean"]])
    assert bad["flights"].to_list() == good["flights"].to_list()


def test_a_digest_looks_at_rows_and_not_at_their_order() -> None:
    """Turned around it is the same, with one other value it is not."""
    rows = pl.DataFrame({"carrier": ["AA", "UA"], "on_time": [0.5, 0.75]})
    assert digest(rows) == digest(rows.reverse())
    assert digest(rows) != digest(rows.with_columns(on_time=pl.lit(0.5)))

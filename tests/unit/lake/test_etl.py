"""ETL and ELT of one step come to the same table, and are told apart by what they cost."""

import pytest

from lake import etl
from lake.build import build
from lake.errors import EmptyRange
from unit.lake.worlds import World, days_of_flights


def test_both_ways_come_to_the_same(world: World) -> None:
    """The same rows for both questions; ELT keeps everything, ETL only its answers."""
    world.add(days_of_flights(3))
    build(world.lake)
    found = etl.compare(world.lake)
    assert found["same"]
    assert found["rows"] == 72
    assert found["elt"]["bytes_kept"] > found["etl"]["bytes_kept"] > 0
    assert all(found[way]["changed_answer_seconds"] >= 0 for way in ("etl", "elt"))


def test_without_rows_there_is_nothing_to_compare(world: World) -> None:
    """An empty lake is told as such."""
    build(world.lake)
    with pytest.raises(EmptyRange, match="silver/arrivals"):
        etl.compare(world.lake)

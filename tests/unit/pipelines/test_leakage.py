"""Further columns of a training set: which are known too late, and what serving has instead of them."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from contracts import Event
from lake.build import build
from lake.errors import BadRequest
from lake.training import Wanted, make
from pipelines.experiments import leakage as experiment
from pipelines.experiments.leakage import chosen, lateness, outcome, served
from unit.lake.worlds import BEGIN, World, arrived, departed, reading

_DAYS = 21


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a lake of three weeks, whose flights arrive as late as they left, to two minutes."""
    made = World(tmp_path_factory.mktemp("leaks"))
    events: list[Event] = []
    for day in range(_DAYS):
        for number in range(8):
            minute, late, later = day * 1440 + number * 180 + 100, (7 * day + 33 * number) % 50, number % 3
            events += [
                reading(minute - 30),
                departed(minute + late, delay=late, flight=1 + number),
                arrived(minute + 300 + late + later, delay=late + later, flight=1 + number),
            ]
    made.add(events)
    build(made.lake)
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("distance,arrival_delay", ("distance", "arrival_delay")),
        (" distance , distance,", ("distance",)),
        (" , ", ()),
        ("", ()),
    ],
)
def test_a_list_of_columns_is_read(text: str, names: tuple[str, ...]) -> None:
    """Blanks, empty places and repetitions are no columns."""
    assert chosen(text) == names


def test_what_is_known_too_late_is_named_with_its_instant(world: World) -> None:
    """Given columns of the timetable, of the departure and of the arrival, then the last two are late, each by its own.

    The prediction is made 60 minutes before the scheduled departure.
    """
    columns = ("distance", "departure_delay", "arrival_delay")
    begin = BEGIN + dt.timedelta(days=3)
    rows = make(world.lake, Wanted("delay_v1", begin, begin + dt.timedelta(days=1), extra=columns), columns).rows
    late = lateness(world.lake, rows, columns)
    departure, arrival = (max(rows.get_column(name).to_list()) for name in ("departure_delay", "arrival_delay"))
    assert late == {
        "departure_delay": {"known": "departed", "rows": rows.height, "minutes": 60 + departure},
        "arrival_delay": {"known": "arrived", "rows": rows.height, "minutes": 360 + arrival},
    }


def test_what_was_never_known_is_not_late(world: World) -> None:
    """Given flights whose arrival is not known, then they leak nothing."""
    begin = BEGIN + dt.timedelta(days=3)
    wanted = Wanted("delay_v1", begin, begin + dt.timedelta(days=1), extra=("arrival_delay",))
    rows = make(world.lake, wanted, ("arrival_delay",)).rows
    blank = rows.with_columns(arrival_delay=pl.lit(None, pl.Int32))
    assert lateness(world.lake, blank, ("arrival_delay",)) == {}


def test_serving_lacks_what_is_late_and_nothing_else() -> None:
    """The column is there, of its type, and empty."""
    rows = pl.DataFrame(
        {"distance": [100], "arrival_delay": [5]}, schema={"distance": pl.Int64, "arrival_delay": pl.Int32}
    )
    left = served(rows, ["arrival_delay"])
    assert left.schema == rows.schema
    assert left.row(0) == (100, None)


def test_a_leak_promises_what_serving_does_not_give(world: World) -> None:
    """Given the arrival delay, then the error offline is that of its two minutes, and serving is far from it."""
    leaking, honest = outcome(world.lake, ("distance", "arrival_delay")), outcome(world.lake, ("distance",))
    assert list(leaking["late"]) == ["arrival_delay"]
    assert leaking["offline_rmse"] < 2 < leaking["served_rmse"]
    assert honest["late"] == {}
    assert honest["offline_rmse"] == honest["served_rmse"]
    assert honest["rows"] == {"training": 11 * 8, "held_out": 2 * 8}


def test_an_unknown_column_is_told_with_those_that_are() -> None:
    """A slip of the pen names what could have been meant."""
    with pytest.raises(BadRequest, match="distanc") as refused:
        lateness(None, pl.DataFrame(), ("distanc",))  # type: ignore[arg-type]
    assert "arrival_delay" in refused.value.remedy


def test_the_service_has_no_weather_that_could_stand_for_silver_s() -> None:
    """A further column is kept under its own name only where the service has no feature of that name."""
    assert not [name for name in experiment.FEATURES if name.startswith("weather_")]

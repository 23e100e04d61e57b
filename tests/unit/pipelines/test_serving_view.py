"""The serving view of lab 02: two layers that count alike, and the instant at which one takes over from the other."""

import datetime as dt
from pathlib import Path

import pytest

from contracts import FlightArrived
from lake.build import build
from lake.store import Lake
from pipelines.experiments import serving_view as serving
from pipelines.experiments.serving_view import BATCH, BATCH_HORIZON, MERGED, SPEED, WALL_CLOCK, Count, Speed
from unit.lake.worlds import BEGIN, World, arrived

_FIRST = 11 * 24
"""Hours since the beginning of the year: two days before the window begins."""
_LAST = 20 * 24
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def _events() -> list[FlightArrived]:
    """Two arrivals an hour, one of them on the hour itself."""
    return [
        event
        for hour in range(_FIRST, _LAST)
        for event in (
            arrived(hour * 60, carrier="UA", delay=hour % 7),
            arrived(hour * 60 + 30, carrier="B6", origin="EWR", delay=-(hour % 5)),
        )
    ]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake whose bronze holds every tenth event twice, as a sender that was not sure leaves them."""
    world = World(Path(tmp_path_factory.mktemp("serving")))
    world.add([again for place, event in enumerate(_events()) for again in [event] * (1 if place % 10 else 2)])
    build(world.lake, ["silver/arrivals"])
    return world.lake


@pytest.fixture(scope="module")
def truth(lake: Lake) -> serving.Counts:
    """Return what a replay of all events gives."""
    return serving.filled(lake, _NEVER, serving.NOW).counts(serving.NOW - serving.SPAN, serving.NOW)


@pytest.fixture(scope="module")
def speed(lake: Lake) -> Speed:
    """Return the speed layer since the last batch run."""
    return serving.filled(lake, serving.HORIZON, serving.NOW)


def test_the_replay_counts_each_arrival_of_the_window_once(truth: serving.Counts) -> None:
    """Seven days of one arrival an hour: the first instant is left out, the last one counts, duplicates do not."""
    assert {carrier: count.number for carrier, count in truth.items()} == {"UA": 168, "B6": 168}
    assert truth["UA"].newest == serving.NOW


@pytest.mark.parametrize("horizon", [serving.HORIZON, serving.RERUN])
def test_joined_at_the_horizon_both_layers_give_what_the_replay_gives(
    lake: Lake, speed: Speed, truth: serving.Counts, horizon: dt.datetime
) -> None:
    """Two code paths, one answer, wherever the batch layer ends."""
    serving.run_batch(lake, horizon)
    assert serving.answer(lake, speed, MERGED, BATCH_HORIZON) == truth


def test_a_missed_batch_run_leaves_a_gap_until_midnight(lake: Lake, speed: Speed, truth: serving.Counts) -> None:
    """The speed layer is asked from midnight on, though the batch layer ended two days before."""
    serving.run_batch(lake, serving.HORIZON)
    found = serving.judged(serving.answer(lake, speed, MERGED, WALL_CLOCK), truth)
    assert found == {"cells": 2, "missing": 2 * 48, "twice": 0, "age_s": 0}


def test_a_late_batch_run_is_counted_twice_from_midnight(lake: Lake, speed: Speed, truth: serving.Counts) -> None:
    """The batch layer knows the first six hours of the day, and the speed layer adds them again."""
    serving.run_batch(lake, serving.RERUN)
    found = serving.judged(serving.answer(lake, speed, MERGED, WALL_CLOCK), truth)
    assert found == {"cells": 2, "missing": 0, "twice": 2 * 6, "age_s": 0}


def test_each_layer_alone_knows_its_part(lake: Lake, speed: Speed, truth: serving.Counts) -> None:
    """The batch layer is old, the speed layer short."""
    serving.run_batch(lake, serving.HORIZON)
    batch = serving.judged(serving.answer(lake, speed, BATCH, BATCH_HORIZON), truth)
    assert batch["missing"] == 2 * 60
    assert batch["age_s"] == 60 * 3600
    alone = serving.judged(serving.answer(lake, speed, SPEED, BATCH_HORIZON), truth)
    assert alone["missing"] == 2 * (168 - 60)
    assert alone["age_s"] == 0


def test_the_speed_layer_counts_an_event_once_and_by_the_end_of_its_hour() -> None:
    """The same id twice is one arrival; what happens on the hour belongs to the hour that it ends."""
    layer = Speed()
    for offset, minute in enumerate((60, 60, 61)):
        layer.take(arrived(minute, delay=4), offset, 0)
    assert layer.events == 2
    first, second = BEGIN + dt.timedelta(hours=1), BEGIN + dt.timedelta(hours=2)
    assert layer.counts(BEGIN, first) == {"UA": Count(1, 4, first)}
    assert layer.counts(first, second) == {"UA": Count(1, 4, BEGIN + dt.timedelta(minutes=61))}


def test_an_answer_without_a_carrier_differs_in_its_cell() -> None:
    """A carrier that is not there is as wrong as one with other figures; an empty answer has no age."""
    truth = {"UA": Count(3, 6, BEGIN), "B6": Count(1, 0, BEGIN)}
    assert serving.judged({"UA": truth["UA"]}, truth) == {"cells": 1, "missing": 1, "twice": 0, "age_s": 0}
    assert serving.judged({}, truth) == {"cells": 2, "missing": 4, "twice": 0, "age_s": None}


def test_a_wrong_sum_is_a_difference_where_the_number_is_right() -> None:
    """As many arrivals with another mean are another answer."""
    found = serving.judged({"UA": Count(3, 7, BEGIN)}, {"UA": Count(3, 6, BEGIN)})
    assert (found["cells"], found["missing"], found["twice"]) == (1, 0, 0)

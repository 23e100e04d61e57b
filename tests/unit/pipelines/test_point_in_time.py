"""Two ways of joining features to flights: the mistake looks into the future, the right one is what serving has."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lake.availability import KNOWN
from lake.build import build
from lake.training import Wanted, make
from pipelines.experiments import fitting
from pipelines.experiments.point_in_time import FEATURES, VIEWS, future_rows, joined, outcome
from pipelines.settings import AS_OF, LATEST
from unit.lake.worlds import BEGIN, World, arrived, departed, reading

_DAYS = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a lake of days that get worse: each is colder, and its flights are later, than the one before."""
    made = World(tmp_path_factory.mktemp("worse"))
    for day in range(_DAYS):
        for hour in range(24):
            minute, tail = day * 1440 + hour * 60, f"N{hour:05}"
            made.add(
                [
                    reading(minute, temp=60.0 - 10 * day - hour / 4),
                    departed(minute + 5, delay=20 * day + hour % 5, flight=1 + hour, tailnum=tail),
                    arrived(minute + 305, delay=15 * day + hour % 7, flight=1 + hour, tailnum=tail),
                ]
            )
    build(made.lake)
    return made


def flights(world: World, first: int, last: int) -> pl.DataFrame:
    """Flights of some days, as the lake's own training sets have them."""
    begin, end = (BEGIN + dt.timedelta(days=day) for day in (first, last))
    return make(world.lake, Wanted("delay_v2", begin, end)).rows


def test_joined_as_of_the_prediction_is_what_the_lake_trains_on(world: World) -> None:
    """Given the same flights, then every stored and every computed feature is the one of the lake's own training set.

    The weather included: a reading between prediction and departure has no part in it.
    """
    known = flights(world, 1, 3)
    made = joined(world.lake, known, AS_OF)
    assert future_rows(made) == 0
    for name in FEATURES:
        assert made.get_column(name).cast(pl.Float64).equals(known.get_column(name).cast(pl.Float64)), name


def test_joined_to_the_latest_row_every_flight_sees_the_last_day(world: World) -> None:
    """Given flights of the second day, then they all have the weather of the fourth, and count as from the future."""
    made = joined(world.lake, flights(world, 1, 2), LATEST)
    assert made.get_column("weather_temp").unique().to_list() == [60.0 - 30 - 23 / 4]
    assert future_rows(made) == made.height == 24
    assert (made.get_column("turn_minutes") < 0).all()


def test_a_row_counts_once_however_many_of_its_features_come_too_late() -> None:
    """Given rows of which none, one and two views are known too late, then two count; what is missing is not late."""
    before, after = BEGIN - dt.timedelta(minutes=1), BEGIN + dt.timedelta(minutes=1)
    stamps = {f"{KNOWN}{name}": [before, before, None] for name in VIEWS}
    stamps["known weather_by_origin"] = [BEGIN, after, after]
    stamps["known turn_by_tailnum"] = [None, before, after]
    assert future_rows(pl.DataFrame({"predicted_at": [BEGIN] * 3, **stamps})) == 2


def test_the_latest_rows_promise_what_serving_does_not_give(world: World) -> None:
    """Given flights that get later every day, then only the model of the point-in-time join keeps its word."""
    known, later = flights(world, 1, 3), flights(world, 3, 4)
    latest, as_of = (outcome(world.lake, join, known, later) for join in (LATEST, AS_OF))
    assert as_of["gap"] == 0
    assert as_of["future_rows"] == 0 < latest["future_rows"]
    assert latest["served_rmse"] != latest["offline_rmse"]
    assert latest["throughput"] > 0


class TestFitting:
    """The model that both training sets are given to."""

    def test_it_finds_the_line_that_the_labels_follow(self) -> None:
        """Given labels that are a sum of columns, also of one that repeats another, then the error is nought."""
        rows = pl.DataFrame({"a": [0, 1, 2, 3], "b": [5.0, 1.0, 2.0, 0.0]})
        rows = rows.with_columns(again="a", same=pl.lit(7), label=3 * pl.col("a") - 2 * pl.col("b") + 10)
        model = fitting.fit(rows, ["a", "b", "again", "same"])
        assert fitting.error(model, rows) == pytest.approx(0, abs=1e-9)

    def test_a_missing_value_is_the_mean_of_training(self) -> None:
        """Given a null at serving time, then the prediction is the one for the mean."""
        model = fitting.fit(pl.DataFrame({"a": [0.0, 2.0, None, 4.0], "label": [0, 20, 20, 40]}), ["a"])
        given = model.predicted(pl.DataFrame({"a": [None, 2.0]}, schema={"a": pl.Float64}))
        assert given.tolist() == pytest.approx([20, 20])

    def test_a_column_of_one_value_has_no_effect_when_it_changes(self) -> None:
        """Given a constant whose mean is rounded, then another value of it moves no prediction."""
        rows = pl.DataFrame({"a": list(range(30)), "label": list(range(30))}).with_columns(same=pl.lit(0.1))
        model = fitting.fit(rows, ["a", "same"])
        given = model.predicted(pl.DataFrame({"a": [3.0], "same": [1e6]}))
        assert given.tolist() == pytest.approx([3])

    def test_an_instant_counts_from_the_prediction(self) -> None:
        """Given an instant, then its distance from the prediction is what is learned."""
        at = dt.datetime(2013, 1, 9, tzinfo=dt.UTC)
        predicted = [at + dt.timedelta(hours=hour) for hour in (0, 7, 30)]
        left = [when + dt.timedelta(minutes=minutes) for when, minutes in zip(predicted, (60, 90, 61), strict=True)]
        rows = pl.DataFrame({"predicted_at": predicted, "departed": left, "label": [0, 30, 1]})
        assert fitting.error(fitting.fit(rows, ["departed"]), rows) == pytest.approx(0, abs=1e-9)

    def test_text_is_refused_by_name(self) -> None:
        """Given a column of text, then it is named, with what to do."""
        with pytest.raises(fitting.TextColumn, match="dest") as refused:
            fitting.fit(pl.DataFrame({"dest": ["LAX"], "label": [1]}), ["dest"])
        assert "dest" in refused.value.remedy

    def test_the_baseline_is_the_error_of_the_mean(self) -> None:
        """Given a mean of 10, then labels of 7 and 13 are 3 off."""
        held_out = pl.DataFrame({"label": [7, 13]})
        assert fitting.baseline(pl.DataFrame({"label": [0, 20]}), held_out) == pytest.approx(3)


def test_the_days_are_those_of_the_scratch_lake(tmp_path: Path) -> None:
    """Training rows end where the held-out ones begin, and both lie within what the scratch lake holds."""
    made = World(tmp_path)
    made.add([reading(0), arrived(0), *(departed(day * 1440 + 5, flight=day) for day in range(6, 22))])
    build(made.lake)
    known, later = fitting.sets(made.lake, "delay_v1")
    assert [each.height for each in (known, later)] == [11, 2]
    assert known.get_column("predicted_at").max() < later.get_column("predicted_at").min()  # type: ignore[operator]

"""Quality monitors: damage is told from what is usual, and chosen monitors are counted for what they do."""

import datetime as dt
from random import Random

import polars as pl
import pytest

from lake.errors import EmptyRange
from lake.quality.monitors import FEWEST, WATCHED
from pipelines.experiments.quality_monitors import (
    DAMAGE,
    Days,
    Seen,
    called,
    chosen_of,
    empty_column,
    judge,
    lost_rows,
    named,
    other_unit,
    outcome,
)
from runtime.errors import BadSetting

WEATHER = next(each for each in WATCHED if each.table == "silver/weather")
FIRST = dt.date(2013, 1, 1)


def readings(days: int, odd: int | None = None) -> Days:
    """Days of hourly readings with the noise of every day; the odd one is far warmer than any other."""
    draw = Random(7)  # noqa: S311
    made = []
    for number in range(days):
        date = FIRST + dt.timedelta(days=number)
        begin = dt.datetime.combine(date, dt.time(), dt.UTC)
        warm = 90.0 if number == odd else 30.0
        rows = {
            "time": [begin + dt.timedelta(hours=hour) for hour in range(24)],
            "station": ["EWR", "JFK", "LGA"] * 8,
            **{name: [draw.gauss(50, 8) for _ in range(24)] for name in WEATHER.nulls},
            "temp": [warm + draw.gauss(0, 5) for _ in range(24)],
        }
        made.append((date, pl.DataFrame(rows, schema_overrides={"time": pl.Datetime("us", "UTC")})))
    return made


ALL = {"lost-rows": lost_rows, "empty-column": empty_column, "other-unit": other_unit}


def test_each_damage_is_found_by_the_monitor_that_looks_at_it() -> None:
    """Half of the rows change the volume, an empty column the nulls, degrees Celsius the range; good days are quiet."""
    seen = judge(readings(FEWEST + 6), WEATHER, ALL)
    assert ("volume", "") in seen.damaged["lost-rows"]
    assert ("nulls", "humid") in seen.damaged["empty-column"]
    assert ("range", "temp") in seen.damaged["other-unit"]
    assert ("volume", "") not in seen.damaged["empty-column"] | seen.damaged["other-unit"]
    assert outcome([seen], {"volume"}) == {
        "found": {"lost-rows": True, "empty-column": False, "other-unit": False},
        "false_alarms": 0,
    }


def test_what_alarms_on_the_good_day_as_well_has_not_found_the_damage() -> None:
    """A last day that is odd by itself alarms for its range whatever is done to it: that is no discovery."""
    last = FEWEST + 3
    seen = judge(readings(last + 1, odd=last), WEATHER, {"lost-rows": lost_rows})
    assert ("range", "temp") in seen.clean[FIRST + dt.timedelta(days=last)]
    assert outcome([seen], {"range"}) == {"found": {"lost-rows": False}, "false_alarms": 1}


def test_every_day_is_judged_from_the_first_before_which_enough_are_known() -> None:
    """The first days only teach; each later one is judged, and timed, once."""
    days = readings(FEWEST + 4)
    seen = judge(days, WEATHER, {})
    assert list(seen.clean) == [date for date, _ in days[FEWEST:]]
    assert len(seen.seconds) == 4
    assert seen.rows == 4 * 24


def test_too_few_days_are_told() -> None:
    """Without a day to judge there is nothing to measure."""
    with pytest.raises(EmptyRange, match=r"silver/weather.*7 days"):
        judge(readings(FEWEST), WEATHER, {})


def test_a_day_on_which_two_tables_alarm_is_one_false_alarm() -> None:
    """False alarms are counted in days, over all tables, and by the chosen monitors alone."""
    second = FIRST + dt.timedelta(days=1)
    tables = [
        Seen({FIRST: {("range", "temp")}, second: set()}, {"a": {("nulls", "temp")}}, [0.1], 1),
        Seen({FIRST: {("drift", "delay")}, second: {("drift", "delay")}}, {"b": {("drift", "delay")}}, [0.1], 1),
    ]
    assert outcome(tables, {"range", "drift"}) == {"found": {"a": False, "b": True}, "false_alarms": 2}
    assert outcome(tables, {"range", "nulls"}) == {"found": {"a": True, "b": False}, "false_alarms": 1}
    assert outcome(tables, set()) == {"found": {"a": False, "b": False}, "false_alarms": 0}


def test_a_monitor_that_there_is_not_is_refused() -> None:
    """A name with a slip of the pen would watch nothing, in silence: it is told, with those that there are."""
    assert chosen_of(" volume, nulls,,volume ") == {"volume", "nulls"}
    with pytest.raises(BadSetting, match=r"names null - .*nulls"):
        chosen_of("volume,null")


def test_a_seed_calls_damage_by_names_that_tell_nothing() -> None:
    """Which is which differs from seed to seed; neither names nor their order in the result say it."""
    assert named("") == {kind: kind for kind in ALL}
    assert named("1234") == {"empty-column": "damage-1", "lost-rows": "damage-2", "other-unit": "damage-3"}
    assert len({tuple(named(str(seed)).items()) for seed in range(100)}) == 6
    damage = called("1234")
    assert damage["silver/departures"] == {"damage-2": lost_rows}
    assert damage["silver/weather"] == {"damage-1": empty_column, "damage-3": other_unit}
    seen = [Seen({}, {name: set() for name in each}, [0.1], 1) for each in damage.values()]
    assert list(outcome(seen, {"volume"})["found"]) == ["damage-1", "damage-2", "damage-3"]


def test_damage_is_the_same_at_every_run() -> None:
    """Seeded: two runs damage the same rows, and only as they say."""
    _, rows = readings(1)[0]
    for damage in (each for table in DAMAGE.values() for each in table.values()):
        assert damage(rows).equals(damage(rows))
    assert lost_rows(rows).height == 12
    assert empty_column(rows).get_column("humid").null_count() > 12
    assert empty_column(rows).drop("humid").equals(rows.drop("humid"))
    assert other_unit(rows).get_column("temp").max() == pytest.approx((rows.get_column("temp").max() - 32) * 5 / 9)  # type: ignore[operator]

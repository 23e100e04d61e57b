"""What a serving view answers from: the batch layer, the speed layer, or both, and at which instant they change over.

The question is the same throughout: how many arrivals each carrier had in the seven days before now, and their mean
delay. Now is noon of 20 January; the last batch run ended with 17 January, for the runs of the next two nights failed.

batch     `silver/arrivals` up to its horizon, counted per carrier and hour into a table that says how far it knows
speed     the events of bronze after that horizon, taken one by one, counted per carrier and hour as well
truth     all events of bronze through one code path, the speed layer's

An hour holds what happened after its beginning up to its end, the end included, as every window of the chain does.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl

from contracts import FlightArrived
from contracts.topics import ARRIVED
from ingest.stream import APPLIED, LATE, Stream
from lake.store import Lake, Origin
from pipelines.stage import Stage
from runtime.figures import Result, row, timed

BATCH, SPEED, MERGED = "batch", "speed", "merged"
SERVINGS = (BATCH, SPEED, MERGED)
WALL_CLOCK, BATCH_HORIZON = "wall-clock", "batch-horizon"
HANDOVERS = (WALL_CLOCK, BATCH_HORIZON)

NOW = dt.datetime(2013, 1, 20, 12, tzinfo=dt.UTC)
SPAN = dt.timedelta(days=7)
HORIZON = dt.datetime(2013, 1, 18, tzinfo=dt.UTC)
"""How far the last batch run knows."""
RERUN = dt.datetime(2013, 1, 20, 6, tzinfo=dt.UTC)
"""How far it knows once somebody has made up for the missed runs, in the morning of now."""

VIEW = "serving-view/batch"
_SILVER, _BRONZE = "silver/arrivals", f"bronze/{ARRIVED}"
_HOUR = dt.timedelta(hours=1)
_TIMES = 5
"""How often each answer is asked for."""


class Count(NamedTuple):
    """Arrivals of a carrier."""

    number: int
    minutes: int
    """Sum of their delays: whole minutes, so it is exact in whatever order it was made."""
    newest: dt.datetime

    def plus(self, other: "Count") -> "Count":
        """Both together."""
        return Count(self.number + other.number, self.minutes + other.minutes, max(self.newest, other.newest))

    @property
    def mean(self) -> float:
        """Their mean delay in minutes."""
        return self.minutes / self.number


Counts = dict[str, Count]
"""Carrier -> its arrivals."""


class Speed:
    """The speed layer: counts and sums per carrier and hour; each event counts once, however often it comes."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._hours: dict[tuple[str, int], Count] = {}
        self.events = 0

    def take(self, event: FlightArrived, offset: int, stamp: float) -> None:
        """Apply one event, as ingest does: `Stream` knows the ids that were there before.

        Args:
            event: an arrival.
            offset: where its record stands in the log.
            stamp: when that was written, seconds since the epoch.
        """
        time = event.time.timestamp()
        if self._streams.setdefault(event.key, Stream()).offer(event, time, offset, stamp) not in (APPLIED, LATE):
            return
        self.events += 1
        _add(self._hours, (event.carrier, _hour(event.time)), Count(1, event.delay, event.time))

    def counts(self, since: dt.datetime, until: dt.datetime) -> Counts:
        """What happened after `since`, up to `until`; both are whole hours."""
        found: Counts = {}
        for (carrier, hour), count in self._hours.items():
            if _hour(since) < hour <= _hour(until):
                _add(found, carrier, count)
        return found


def serving_view(stage: Stage) -> Result:
    """Answer the question in every way, before and after the batch layer catches up, and compare with a replay."""
    lake, serving, handover = stage.lake(), stage.settings.serving, stage.settings.handover
    seconds, (truth, replayed) = timed(lambda: _replay(lake))
    speed = filled(lake, HORIZON, NOW)
    figures = [row("replay", "punctuality", seconds=[seconds], staleness=0, throughput=replayed / seconds)]

    run_batch(lake, HORIZON)
    answers = every(lambda *how: _judged(lake, speed, truth, figures, *how))
    served = answer(lake, speed, serving, handover)
    run_batch(lake, RERUN)
    after = every(lambda *how: judged(answer(lake, speed, *how), truth))
    return {
        "settings": {"serving": serving, "handover": handover},
        "now": NOW.isoformat(),
        "horizon": HORIZON.isoformat(),
        "horizon_after_rerun": RERUN.isoformat(),
        "events": sum(count.number for count in truth.values()),
        "speed_events": speed.events,
        "served": answers[serving][handover],
        "served_after_rerun": after[serving][handover],
        "answers": answers,
        "answers_after_rerun": after,
        "carriers": [_told(carrier, served, truth) for carrier in sorted(truth)],
        "figures": figures,
    }


def run_batch(lake: Lake, horizon: dt.datetime) -> None:
    """The batch layer's run: count everything up to the horizon, and write the horizon beside the counts."""
    # An instant that is a whole hour belongs to the hour that it ends.
    end = (pl.col("time") - dt.timedelta(microseconds=1)).dt.truncate("1h") + _HOUR
    rows = (
        lake.scan(_SILVER)
        .filter(pl.col("time") <= horizon)
        .group_by("carrier", end.alias("hour"))
        .agg(
            number=pl.len().cast(pl.Int64),
            minutes=pl.col("delay").cast(pl.Int64).sum(),
            newest=pl.col("time").max(),
        )
        .with_columns(horizon=pl.lit(horizon, pl.Datetime("us", "UTC")), month=pl.col("hour").dt.strftime("%Y-%m"))
        .sort("carrier", "hour")
    )
    origin = Origin((lake.reference(_SILVER),), "serving-view")
    lake.write(VIEW, lake.collect(VIEW, rows), origin, partition="month", about="arrivals per carrier and hour")


def filled(lake: Lake, since: dt.datetime, until: dt.datetime) -> Speed:
    """A speed layer that has taken the events of bronze after `since`, up to `until`, in the order of the log."""
    speed = Speed()
    for event, offset, stamp in _events(lake, since, until):
        speed.take(event, offset, stamp)
    return speed


def answer(lake: Lake, speed: Speed, serving: str, handover: str) -> Counts:
    """The serving view's answer.

    Args:
        lake: holds the batch layer's view.
        speed: the speed layer.
        serving: from which layers it answers.
        handover: what it takes for the end of the batch layer: midnight before now, or what the batch view says.
    """
    begin, end = NOW - SPAN, NOW.replace(hour=0)
    found: Counts = {}
    if serving != SPEED or handover == BATCH_HORIZON:
        rows = lake.collect(VIEW, lake.scan(VIEW))
        if handover == BATCH_HORIZON:
            end = rows.item(0, "horizon")
        if serving != SPEED:
            found = _batch_counts(rows, begin)
    if serving != BATCH:
        for carrier, count in speed.counts(max(begin, end), NOW).items():
            _add(found, carrier, count)
    return found


def _batch_counts(rows: pl.DataFrame, since: dt.datetime) -> Counts:
    """All that the batch layer knows: whoever believes that it ended at midnight sees no reason to cut it there."""
    found: Counts = {}
    for carrier, *count in rows.filter(pl.col("hour") > since).select("carrier", *Count._fields).iter_rows():
        _add(found, carrier, Count(*count))
    return found


def judged(found: Counts, truth: Counts) -> dict[str, Any]:
    """How an answer compares with the truth.

    Each answer changes over at one instant: there is a gap there or an overlap, never both. So the difference of the
    numbers tells which of them it was.
    """
    carriers = found.keys() | truth.keys()
    off = {carrier: _number(found, carrier) - _number(truth, carrier) for carrier in carriers}
    newest, until = (max((each.newest for each in counts.values()), default=None) for counts in (found, truth))
    return {
        "cells": sum(_shown(found, carrier) != _shown(truth, carrier) for carrier in carriers),
        "missing": -sum(number for number in off.values() if number < 0),
        "twice": sum(number for number in off.values() if number > 0),
        "age_s": (until - newest).total_seconds() if until and newest else None,
    }


def every(judge: Callable[[str, str], dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Serving -> handover -> what `judge` says of it."""
    return {serving: {handover: judge(serving, handover) for handover in HANDOVERS} for serving in SERVINGS}


def _judged(  # noqa: PLR0913, PLR0917  the two layers, the yardstick, and the two settings
    lake: Lake, speed: Speed, truth: Counts, figures: list[Result], serving: str, handover: str
) -> dict[str, Any]:
    """Ask for an answer several times, judge it, and add its row to the comparison."""
    asked = [timed(lambda: answer(lake, speed, serving, handover)) for _ in range(_TIMES)]
    found = judged(asked[0][1], truth)
    seconds = [each for each, _ in asked]
    figures.append(row(f"{serving}, {handover}", "punctuality", seconds=seconds, staleness=found["age_s"]))
    return found


def _replay(lake: Lake) -> tuple[Counts, int]:
    """The truth: every event of bronze through one code path; and how many there were."""
    speed = filled(lake, dt.datetime.min.replace(tzinfo=dt.UTC), NOW)
    return speed.counts(NOW - SPAN, NOW), speed.events


def _events(lake: Lake, since: dt.datetime, until: dt.datetime) -> Iterator[tuple[FlightArrived, int, float]]:
    wanted = lake.scan(_BRONZE).filter((pl.col("time") > since) & (pl.col("time") <= until))
    fields = FlightArrived.__struct_fields__
    for each in lake.collect(_BRONZE, wanted.sort("kafka_partition", "kafka_offset")).iter_rows(named=True):
        event = FlightArrived(**{name: each[name] for name in fields})
        yield event, each["kafka_offset"], each["kafka_time"].timestamp()


def _add(counts: dict[Any, Count], key: object, more: Count) -> None:
    counts[key] = counts[key].plus(more) if key in counts else more


def _hour(time: dt.datetime) -> int:
    """Number of the hour since the epoch that holds an instant, by its end."""
    return math.ceil(time.timestamp() / _HOUR.total_seconds())


def _number(counts: Mapping[str, Count], carrier: str) -> int:
    return counts[carrier].number if carrier in counts else 0


def _shown(counts: Mapping[str, Count], carrier: str) -> tuple[int, float] | None:
    """What a reader sees of a carrier; None where it is not in the answer."""
    return (counts[carrier].number, counts[carrier].mean) if carrier in counts else None


def _told(carrier: str, found: Counts, truth: Counts) -> dict[str, Any]:
    number, mean = _shown(found, carrier) or (0, None)
    return {
        "carrier": carrier,
        "number": number,
        "mean": None if mean is None else round(mean, 2),
        "true_number": truth[carrier].number,
        "true_mean": round(truth[carrier].mean, 2),
    }

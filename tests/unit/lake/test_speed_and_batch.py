"""Batch and speed agree: what the streaming windows hold at their clock is what the batch layer computes for it."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts import FlightArrived, FlightDeparted, encode
from contracts.features import SIDES, WINDOWS
from contracts.topics import ARRIVED, DEPARTED
from ingest.partition import Partition
from ingest.view import View
from lake import silver, windows
from runtime.broker import Place
from unit.ingest.worlds import Record
from unit.lake.worlds import arrived, departed

Flight = FlightDeparted | FlightArrived

EVENTS = st.builds(
    lambda make, minute, origin, carrier, dest, delay: make(
        minute, origin=origin, carrier=carrier, dest=dest, delay=delay
    ),
    st.sampled_from([departed, arrived]),
    st.integers(0, 2 * 1440 - 1),
    st.sampled_from(["JFK", "LGA"]),
    st.sampled_from(["UA", "B6"]),
    st.sampled_from(["LAX", "SFO"]),
    st.integers(-20, 300),
)
"""Two days of events: windows overlap, events share their minute, some come more than a day late.

Not more: what is further ahead of its stream than that is a stray for the speed layer, until time itself has moved,
and a row like any other for the batch layer, which knows what came after.
"""


def streamed(events: list[Flight]) -> View:
    """The speed layer after these events, in this order."""
    view = View()
    view.partitions = {Place(topic, 0): Partition(Place(topic, 0)) for topic in (DEPARTED, ARRIVED)}
    for offset, event in enumerate(events):
        topic = DEPARTED if isinstance(event, FlightDeparted) else ARRIVED
        record = Record(offset, encode(event), [], topic=topic)
        view.partitions[Place(topic, 0)].apply([record], lambda *_: None, lambda *_: None)
    return view


def bronze(events: list[Flight], side: str) -> pl.LazyFrame:
    """The same events as a bronze table holds them."""
    kind = {"departure": FlightDeparted, "arrival": FlightArrived}[side]
    rows: list[dict[str, Any]] = [
        {
            "id": each.id, "time": each.time, "origin": each.origin, "dest": each.dest, "carrier": each.carrier,
            "delay": each.delay, "kafka_partition": 0, "kafka_offset": offset, "kafka_time": offset,
        }
        for offset, each in enumerate(events) if isinstance(each, kind)
    ]  # fmt: skip
    schema: dict[str, Any] = {
        "id": pl.String, "time": pl.Datetime("us", "UTC"), "origin": pl.String, "dest": pl.String,
        "carrier": pl.String, "delay": pl.Int64, "kafka_partition": pl.Int64, "kafka_offset": pl.Int64,
        "kafka_time": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def batched(events: list[Flight], side: str, kind: str, key: str, clock: dt.datetime) -> dict[str, Any]:
    """The batch layer's windows of a key that end at an instant, as the speed layer tells them."""
    spine = pl.LazyFrame({"key": [key], "time": [clock]}, schema={"key": pl.String, "time": pl.Datetime("us", "UTC")})
    happened = windows.keyed(silver.once(bronze(events, side)), kind)
    row = windows.at(spine, happened).collect().row(0, named=True)
    means = {name: row[f"mean_{name}"] for name in WINDOWS}
    return {
        name: {"count": row[f"count_{name}"], "mean_delay": None if means[name] is None else round(means[name], 4)}
        for name in WINDOWS
    }


def agree(events: list[Flight]) -> None:
    """Hold every key and side of the speed layer to the batch layer, at the speed layer's clock and at its row."""
    view = streamed(events)
    for kind, known in view.features(())[1].items():
        for key in known:
            for name, topic in SIDES.items():
                side = view.sides(topic, {(kind, key)}).get((kind, key))
                if side is None:
                    continue
                for instant in {side.clock, side.newest}:
                    at = dt.datetime.fromtimestamp(instant, dt.UTC)
                    told = {
                        window: {"count": each.number, "mean_delay": None if each.mean is None else round(each.mean, 4)}
                        for window, each in side.windows(instant).items()
                    }
                    assert batched(events, name, kind, key, at) == told, (name, kind, key, at)


FORGOTTEN: list[Flight] = [
    arrived(0, origin="JFK", carrier="B6"), arrived(0, origin="LGA", carrier="B6"), arrived(1440, origin="JFK"),
]  # fmt: skip
"""JFK is a day ahead of LGA, and its first flight still lies in the window of its airline at LGA."""


@settings(max_examples=25, deadline=None)
@example(FORGOTTEN)
@given(st.lists(EVENTS, min_size=1, max_size=40))
def test_in_whatever_order_events_come(events: list[Flight]) -> None:
    """Out of order, late by days, several in one minute: both layers tell the same counts and means."""
    agree(events)


@settings(max_examples=15, deadline=None)
@example(FORGOTTEN, Random(1))  # noqa: S311  hypothesis wants one
@given(st.lists(EVENTS, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_duplicates_change_neither(events: list[Flight], draw: Any) -> None:  # noqa: ANN401  hypothesis' random
    """Some events come again, later: neither layer counts them twice."""
    again = [event for event in events if draw.random() < 0.5]
    agree(events + again)


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=30))
def test_a_row_of_a_view_is_what_the_speed_layer_wrote_then(events: list[Flight]) -> None:
    """In order of time, the row at each instant is what the windows held once that instant's events had come."""
    ordered = sorted({event.id: event for event in events}.values(), key=lambda event: event.time)
    for number, event in enumerate(ordered, 1):
        if number < len(ordered) and ordered[number].time == event.time:
            continue
        side = "departure" if isinstance(event, FlightDeparted) else "arrival"
        view = streamed(ordered[:number])
        told = view.sides(SIDES[side], {("origin", event.origin)})["origin", event.origin]
        made = windows.rolled(windows.keyed(silver.once(bronze(ordered, side)), "origin"))
        row = made.filter((pl.col("key") == event.origin) & (pl.col("time") == event.time)).collect()
        assert told.newest == event.time.timestamp()
        assert {name: row.item(0, f"count_{name}") for name in WINDOWS} == {
            name: window.number for name, window in told.windows(told.newest).items()
        }

"""What is made from what: every output of the batch layer, its inputs, and how far a changed day reaches.

A step is a pure function of its inputs.

`reach` says which days of the output an input's day has a part in: (0, 1) means
itself and the day after. So a late event leads to the days that it changes, and to no others.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from contracts.features import WINDOWS
from contracts.views_flights import DEFINITIONS, DELAYS, PUNCTUALITY, TURN, WEATHER
from lake import offline, punctuality, silver
from lake.store import DAY

_RECIPE = 1
"""Counted up whenever a step computes something else: everything is then made anew."""


@dataclass(frozen=True)
class Step:
    """One output.

    Attributes:
        output: its table.
        inputs: table -> (first, last) day of the output, relative to an input's day, that this day has a part in.
        make: the output's rows from its inputs' rows, in order.
        about: a line for whoever finds the table.
        partition: column by which its files are kept apart.
    """

    output: str
    inputs: dict[str, tuple[int, int]]
    make: Callable[..., pl.LazyFrame]
    about: str
    partition: str = DAY
    topic: str = ""
    """The event whose contract its rows must meet; empty: none."""


def recipe() -> str:
    """Fingerprint of all that decides what the outputs mean."""
    told = json.dumps([_RECIPE, DEFINITIONS.fingerprint(), WINDOWS], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def steps() -> tuple[Step, ...]:
    """Every step, inputs before what is made from them."""
    return (*_silver(), *_gold())


def _silver() -> tuple[Step, ...]:
    events = tuple(
        Step(table, {f"bronze/{topic}": (0, 0)}, silver.once, f"{topic}, each happening once", topic=topic)
        for table, topic in silver.TABLES.items()
    )
    # The next day's departures claim their own arrivals.
    reach = {"silver/departures": (-1, 0), "silver/arrivals": (-1, 0), "silver/weather": (0, 1)}
    return (*events, Step("silver/flights", reach, silver.flights, "a departure, its arrival and the weather"))


def _gold() -> tuple[Step, ...]:
    month = Step(
        punctuality.TABLE,
        {"silver/flights": (0, 0)},
        punctuality.by_month,
        "punctuality per carrier, route and month",
        punctuality.MONTH,
    )
    return (month, *(_delays(view.name) for view in DELAYS), *_others())


def _delays(name: str) -> Step:
    view = DEFINITIONS.stored(name)
    source, make = offline.delays(view)
    return Step(offline.table(view), {source: (0, 1)}, make, view.description)


def _others() -> tuple[Step, ...]:
    return (
        Step(offline.table(WEATHER), {"silver/weather": (0, 0)}, offline.weather, WEATHER.description),
        *(
            Step(offline.table(view), {"silver/arrivals": (1, 30)}, offline.punctuality(view), view.description)
            for view in PUNCTUALITY
        ),
        Step(
            offline.table(TURN),
            {"silver/departures": (0, 30), "silver/arrivals": (0, 32)},
            offline.turns,
            TURN.description,
        ),
    )

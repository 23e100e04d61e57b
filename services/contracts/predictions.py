"""A prediction as it was made: the record of `prediction.made.v1`, from which quality is measured once labels come."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from contracts.events import Identity, Instant

Mode = Literal["online", "shadow", "stream", "offline"]
"""How it was asked for: by a caller, by the gateway's copy of a caller's request, from a topic, by a job."""
ONLINE: Mode = "online"
SHADOW: Mode = "shadow"
STREAM: Mode = "stream"
STABLE, CANARY = "stable", "canary"
"""The two tracks that a release compares."""

_DEPARTURE, _ARRIVAL = "dep-", "arr-"


class PredictionMade(Struct, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One row that a version of a model was asked about, and what it said."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    """Of the request, and the row behind a dot where it had several; two tracks that were asked the same share it."""
    made_at: Instant
    model: Annotated[str, Meta(min_length=1)]
    version: Annotated[str, Meta(min_length=1)]
    track: str
    """`stable`, `canary`, or nothing where there are no tracks."""
    mode: Mode
    flight: Identity | None
    """The flight's id as in `flight.arrived.v1`, which brings the label; null where the caller named none."""
    features: list[float | None]
    """As the model got them, in the order of its card; null for a missing value."""
    prediction: float | None
    """In the label's unit (minutes); null where the model gave no number."""
    variant: str | None
    """Side of an A/B test that the caller was on."""
    trace: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None
    """W3C id of the trace that it is part of."""


encode = msgspec.json.Encoder().encode
"""The record as it stands on the wire."""


def arrival_of(departure: str) -> str:
    """The id of the arrival that belongs to a departure, by the departure's id."""
    return _ARRIVAL + departure.removeprefix(_DEPARTURE)


def flight_id(day: str, carrier: str, flight: int, origin: str, loop: int = 0) -> str:
    """The id of a flight's arrival.

    Args:
        day: local day of the scheduled departure, `2013-01-31`, of the year that is replayed.
        carrier: of the flight.
        flight: its number.
        origin: where it leaves.
        loop: how often the year was replayed before.
    """
    return f"{_ARRIVAL}{day}-{carrier}-{flight}-{origin}" + (f"+{loop}" if loop else "")

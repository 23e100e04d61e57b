"""Definitions of the streaming features: what each one means, so that every part of the platform computes the same."""

from dataclasses import dataclass

from contracts.events import Event, FlightArrived, FlightDeparted, WeatherRead
from contracts.topics import ARRIVED, DEPARTED

HOUR = 3600
WINDOWS: dict[str, int] = {"1h": HOUR, "3h": 3 * HOUR, "24h": 24 * HOUR}
"""Window name -> length in seconds of event time; a window ends at the newest event time seen, that instant included,
and begins after the instant one length earlier."""

LONGEST = max(WINDOWS.values())


@dataclass(frozen=True)
class Feature:
    """Rolling count and mean of a delay, for one kind of key."""

    name: str
    topic: str
    kind: str
    """`origin`, `carrier` or `route`."""
    meaning: str


KINDS = ("origin", "carrier", "route")
SIDES: dict[str, str] = {"departure": DEPARTED, "arrival": ARRIVED}
"""Side of a flight -> the topic its delays come from."""

FEATURES: tuple[Feature, ...] = tuple(
    Feature(
        f"{side}_delay_by_{kind}", topic, kind, f"mean {side} delay in minutes, per {kind}, over the last event-hours"
    )
    for side, topic in SIDES.items()
    for kind in KINDS
)


def keys(event: Event) -> tuple[tuple[str, str], ...]:
    """The (kind, key) pairs that an event counts for."""
    if isinstance(event, FlightDeparted | FlightArrived):
        return ("origin", event.origin), ("carrier", event.carrier), ("route", f"{event.origin}-{event.dest}")
    assert isinstance(event, WeatherRead)  # noqa: S101 (the union is closed)
    return ()

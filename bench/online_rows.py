"""What Feast is pushed: a finished row for each view that an event feeds. Both sides import it, Feast's and ours.

Values are made up, of the right types: Feast is spared the windows that ingest has to keep.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from contracts.events import Event, FlightDeparted, WeatherRead
from contracts.features import keys
from contracts.views import View
from contracts.views_flights import DEFINITIONS, WEATHER

EVENT_TIME = "event_timestamp"
_decode = msgspec.json.Decoder(Event).decode

Row = dict[str, Any]
"""Column -> value."""


def events(file: Path) -> Iterator[Event]:
    """Yield the events of a replay file."""
    with gzip.open(file) as lines:
        lines.readline()
        yield from map(_decode, lines)


def rows(event: Event) -> Iterator[tuple[View, Row]]:
    """Yield a row of each view that the event feeds."""
    if isinstance(event, WeatherRead):
        values = {name: getattr(event, name.removeprefix("weather_")) or 0 for name, _ in WEATHER.columns}
        yield WEATHER, {"origin": event.station, EVENT_TIME: event.time, **values}
        return
    side = "departure" if isinstance(event, FlightDeparted) else "arrival"
    for kind, key in keys(event):
        view = DEFINITIONS.stored(f"{side}_delay_by_{kind}")
        values = {name: event.flight if type_ == "int64" else float(event.delay) for name, type_ in view.columns}
        yield view, {kind: key, EVENT_TIME: event.time, **values}

"""Topics: one per event type, named as the type, the one for what could not be accepted, and that of predictions."""

from collections.abc import Mapping

from msgspec import Struct

from contracts.events import Event, FlightArrived, FlightDeparted, WeatherRead
from contracts.predictions import PredictionMade

DEPARTED = "flight.departed.v1"
ARRIVED = "flight.arrived.v1"
WEATHER = "weather.read.v1"
ASKED = "prediction.asked.v1"
ANSWERED = "prediction.answered.v1"
"""Asynchronous inference: what is asked of a model, and what came of it (contracts.asynchronous)."""
DEAD_LETTER = "dead-letter.v1"
PREDICTED = "prediction.made.v1"

EVENTS: dict[str, type[Event]] = {DEPARTED: FlightDeparted, ARRIVED: FlightArrived, WEATHER: WeatherRead}
"""Topic -> the one type that it carries."""

RECORDS: Mapping[str, type[Struct]] = {**EVENTS, PREDICTED: PredictionMade}
"""Topic -> its type, for all whose schema is published; those of EVENTS are what happened outside."""

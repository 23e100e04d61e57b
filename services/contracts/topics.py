"""Topics: one per event type, named as the type, and the one for what could not be accepted."""

from contracts.events import Event, FlightArrived, FlightDeparted, WeatherRead

DEPARTED = "flight.departed.v1"
ARRIVED = "flight.arrived.v1"
WEATHER = "weather.read.v1"
ASKED = "prediction.asked.v1"
ANSWERED = "prediction.answered.v1"
"""Asynchronous inference: what is asked of a model, and what came of it (contracts.asynchronous)."""
DEAD_LETTER = "dead-letter.v1"

EVENTS: dict[str, type[Event]] = {DEPARTED: FlightDeparted, ARRIVED: FlightArrived, WEATHER: WeatherRead}
"""Topic -> the one type that it carries."""

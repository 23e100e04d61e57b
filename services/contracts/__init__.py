"""The contracts between services: event schemas, topics and feature definitions.

A published version never changes its meaning: whatever would break a reader becomes `.v2` beside `.v1`.
"""

from contracts.events import Event, FlightArrived, FlightDeparted, WeatherRead
from contracts.validation import Invalid, Reader, encode

__all__ = ["Event", "FlightArrived", "FlightDeparted", "Invalid", "Reader", "WeatherRead", "encode"]

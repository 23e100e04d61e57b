"""Streaming read model: which airline leaves on time from here to there, as of the departure that came last.

It can be broken on purpose, for a while: it then holds every question (`hang`) or refuses it (`error`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from contracts import FlightDeparted, Invalid
from contracts import Reader as EventReader
from contracts.topics import DEPARTED
from patterns.broker import Admin, Reader, Record
from patterns.departures import Departures
from runtime.role import Role
from runtime.settings import ServiceSettings
from runtime.web import Answer

log = logging.getLogger(__name__)

_BACK = 1500  # records of each partition that are read at a start: more than the busiest event-day has
_PAUSE = 0.2  # seconds in which departures gather, so that an idle process wakes up seldom
_POLL = 1.0  # seconds that a poll waits for departures
_LONGEST_FAULT = 300.0  # seconds
_ROUTE = 2  # segments of /alternatives/JFK/LAX

MODES = ("none", "hang", "error")


class Fault:
    """A fault that ends by itself; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._mode = "none"
        self._until = 0.0
        self.met = 0
        """Questions that came while there was a fault."""

    def set(self, mode: str, seconds: float) -> None:
        """Begin a fault of so many seconds, or end it (`none`)."""
        with self._changed:
            self._mode = mode
            self._until = self._clock() + seconds
            self._changed.notify_all()

    def told(self) -> dict[str, Any]:
        """The present fault, the seconds left of it, and how many questions have met one so far."""
        with self._changed:
            mode = self._present()
            left = max(self._until - self._clock(), 0.0) if mode != "none" else 0.0
            return {"mode": mode, "seconds": round(left, 3), "met": self.met}

    def suffer(self) -> bool:
        """Wait while it hangs; True where the question has to be refused."""
        with self._changed:
            if self._present() == "none":
                return False
            self.met += 1
            while self._present() == "hang":
                self._changed.wait(max(self._until - self._clock(), 0.0) + 0.001)
            return self._present() == "error"

    def _present(self) -> str:
        return self._mode if self._clock() < self._until else "none"


class Delays:
    """The role's answers.

    Args:
        departures: the read model.
        fault: what it suffers from at present.
    """

    def __init__(self, departures: Departures, fault: Fault) -> None:
        self._departures = departures
        self._fault = fault

    def alternatives(self, segments: tuple[str, ...]) -> Answer:
        """GET /alternatives/JFK/LAX."""
        if len(segments) != _ROUTE:
            return HTTPStatus.NOT_FOUND, {"error": "ask for a route: /alternatives/JFK/LAX"}
        if self._fault.suffer():
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": "out of order on purpose: POST /fault ends it"}
        return HTTPStatus.OK, self._departures.alternatives(*segments)

    def told_fault(self, _: tuple[str, ...]) -> Answer:
        """GET /fault."""
        return HTTPStatus.OK, self._fault.told()

    def set_fault(self, _: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /fault {"mode": "none|hang|error", "seconds": 30}."""
        given = body if isinstance(body, dict) else {}
        mode, seconds = given.get("mode"), given.get("seconds", 30)
        if mode not in MODES:
            return HTTPStatus.BAD_REQUEST, {"error": f"mode is {mode!r}; give it {', '.join(MODES)}"}
        if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_FAULT:
            return HTTPStatus.BAD_REQUEST, {"error": f"seconds is {seconds!r}; give it 0 to {_LONGEST_FAULT:g}"}
        self._fault.set(mode, seconds)
        log.info("fault", extra={"mode": mode, "seconds": seconds})
        return HTTPStatus.OK, self._fault.told()


class Intake:
    """Takes departures from Kafka into the read model."""

    def __init__(self, departures: Departures, registry: CollectorRegistry) -> None:
        self._departures = departures
        self._counter = Counter(
            "lab_delays_departures", "Departures, by what came of them.", ["outcome"], registry=registry
        )
        self._read = EventReader(DEPARTED).read
        self.newest = 0.0
        """When the newest departure was sent, in seconds since the epoch."""

    def take(self, record: Record) -> None:
        """Take one record; what is no departure is the concern of ingest, which dead-letters it."""
        try:
            event = self._read(record.value)
        except Invalid:
            self._counter.labels("refused").inc()
            return
        self.newest = max(self.newest, record.timestamp / 1000)
        applied = isinstance(event, FlightDeparted) and self._departures.add(event)
        self._counter.labels("applied" if applied else "passed").inc()


def main(env: Mapping[str, str]) -> None:
    """Run the read model until it is asked to end."""
    with Role("lab-01-delays", ServiceSettings, env) as role:
        role.health.wait_for("departures", "the last hours are not read yet")
        role.health.beat("delays")
        departures, fault = Departures(), Fault()
        delays = Delays(departures, fault)
        intake = Intake(departures, role.registry)
        held = Gauge("lab_delays_window", "Departures in the read model.", registry=role.registry)
        held.set_function(lambda: len(departures))
        role.serve(
            questions={
                "alternatives": delays.alternatives,
                "fault": delays.told_fault,
                "freshness": lambda _: (HTTPStatus.OK, {"newest": intake.newest, "held": len(departures)}),
            },
            orders={"fault": delays.set_fault},
        )
        try:
            _follow(role, intake)
        finally:
            fault.set("none", 0)  # whoever is held may go


def _follow(role: Role[ServiceSettings], intake: Intake) -> None:
    reader, ends = _near_the_end(role)
    while not role.stop:
        role.health.beat("delays")
        for record in reader.poll(_POLL):
            intake.take(record)
        if ends:
            ends = {number: end for number, end in ends.items() if reader.position(DEPARTED, number) < end}
        if not ends:
            role.health.met("departures")
            role.stop.wait(_PAUSE)
    reader.close()


def _near_the_end(role: Role[ServiceSettings]) -> tuple[Reader, dict[int, int]]:
    """A reader that begins some hours back, and the offsets at which those hours end."""
    admin = Admin(role.settings.kafka, role.stop)
    ends, begins = admin.ends(DEPARTED), admin.begins(DEPARTED)
    admin.close()
    reader = Reader(role.settings.kafka, [DEPARTED], role.stop)
    for number, end in ends.items():
        reader.seek(DEPARTED, number, max(begins[number], end - _BACK))
    return reader, {number: end for number, end in ends.items() if end > begins[number]}

"""Live traffic: for each flight that leaves its gate, somebody asks how late it will arrive.

It is asked as anybody would ask, at the gateway and without naming a version, and only with what was known of the
flight before it left: its plan. The delay with which it left is in the event and stays there. The rolling features may
count this departure by then; it has happened. What they must never hold is its arrival: a departure that was told too
long ago is left out rather than asked about late, for at the pace of the replay a flight takes seconds.

Each question says which plane it is about, as a unit: so an A/B test deals it as anybody else, and always alike.
"""

import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import httpx
from opentelemetry.trace import SpanKind

from contracts import FlightDeparted, Invalid, Reader
from contracts.predictions import arrival_of
from contracts.topics import DEPARTED
from contracts.units import unit
from runtime.broker import Place, Subscription
from runtime.role import Role
from runtime.tracing import Tracing, headers, traceparent
from serving.inference.callers import UNIT
from serving.worker_settings import FollowSettings
from serving.workers.figures import FollowFigures

log = logging.getLogger(__name__)

ANSWERED, REFUSED, FAILED = "answered", "refused", "failed"
LATE, BEYOND, UNREADABLE = "late", "beyond-rate", "unreadable"
OUTCOMES = (ANSWERED, REFUSED, FAILED, LATE, BEYOND, UNREADABLE)
"""What comes of a departure."""
_POLL_SECONDS = 0.2
_BEGUN = "partitions"


class Source(Protocol):
    """Where departures come from: `runtime.broker.Subscription`."""

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Records by partition."""

    def changed(self) -> bool:
        """Whether partitions came or went since it was last asked."""

    def assigned(self) -> set[Place]:
        """The partitions that are there."""

    def bounds(self, places: set[Place]) -> dict[Place, tuple[int, int]]:
        """First offset held and next offset to be written."""

    def seek(self, place: Place, offset: int) -> None:
        """Read on from there."""


class Allowance:
    """So many things per second; what is not taken is not saved for longer than a second.

    Args:
        rate: per second.
        clock: seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left, self._at = max(rate, 1.0), clock()

    def take(self) -> bool:
        """Take one, if there is one."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._rate, max(self._rate, 1.0))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Desk:
    """Where flights are asked about.

    Args:
        settings: addresses and time limits.
        transport: in place of real connections.
    """

    def __init__(self, settings: FollowSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(timeout=settings.follow_seconds, trust_env=False, transport=transport)
        model = quote(settings.follow_model, safe="@")
        path = f"/v2/models/{model}/flights" if model else "/flights/predict"
        self._address = settings.gateway.rstrip("/") + path

    def ask(self, event: FlightDeparted, context: Mapping[str, str]) -> str:
        """Ask about a flight; what came of it.

        Args:
            event: its departure.
            context: W3C context as headers.
        """
        told = {**context, UNIT.decode(): unit(event.tailnum or f"{event.carrier}{event.flight}")}
        try:
            answer = self._client.post(self._address, json=question(event), headers=told)
        except httpx.HTTPError as failure:
            log.warning("no answer", extra={"address": self._address, "cause": repr(failure)})
            return FAILED
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            return ANSWERED
        log.warning("no prediction", extra={"status": answer.status_code, "reason": answer.text[:300]})
        return FAILED if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSED

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()


def question(event: FlightDeparted) -> dict[str, Any]:
    """What is asked of a flight: its plan, and nothing of how it left."""
    plan = {
        "carrier": event.carrier,
        "flight": event.flight,
        "origin": event.origin,
        "dest": event.dest,
        "scheduled_departure": event.scheduled.isoformat(),
        "id": arrival_of(event.id),
        "alternatives": 0,
    }
    return {**plan, "tailnum": event.tailnum} if event.tailnum else plan


class Follower:
    """Asks about flights as they leave.

    Args:
        settings: pace.
        source: of departures.
        desk: where they are asked about.
        figures: count.
        tracing: makes the spans of departures that are traced.
    """

    def __init__(
        self, settings: FollowSettings, source: Source, desk: Desk, figures: FollowFigures, tracing: Tracing
    ) -> None:
        self._settings = settings
        self._source = source
        self._desk = desk
        self._figures = figures
        self._tracing = tracing
        self._allowance = Allowance(settings.follow_rate)
        self._read = Reader(DEPARTED).read
        self._stale = True

    @property
    def begun(self) -> bool:
        """Whether it stands at the end of the topic, or beyond where that was."""
        return not self._stale

    def turn(self, stop: Callable[[], bool], now: Callable[[], float] = time.time) -> None:
        """One poll, and a question for each departure of it that is new enough; `now` is the wall clock."""
        batches = self._source.poll(_POLL_SECONDS)
        self._stale = self._source.changed() or self._stale
        if self._stale:
            self._stale = not self._begin()
            return
        for record in sorted((each for records in batches.values() for each in records), key=lambda it: it.timestamp):
            if stop():
                return
            self._figures.flights.labels(self._followed(record, now() - record.timestamp / 1000)).inc()

    def _begin(self) -> bool:
        """Stand at the end of each partition: what left before is not asked about."""
        places = self._source.assigned()
        for place, (_, end) in (self._source.bounds(places) if places else {}).items():
            self._source.seek(place, end)
        return bool(places)

    def _followed(self, record: Any, age: float) -> str:  # noqa: ANN401  the client's record
        if age > self._settings.follow_age_seconds:
            return LATE
        try:
            event = self._read(record.value)
        except Invalid:
            return UNREADABLE
        if not isinstance(event, FlightDeparted):
            return UNREADABLE
        if not self._allowance.take():
            return BEYOND
        parent = traceparent(record.headers)
        with self._tracing.continued("ask about a flight", parent, SpanKind.CONSUMER, **{"event.id": event.id}) as span:
            begun = time.perf_counter()
            outcome = self._desk.ask(event, {name: value.decode() for name, value in headers(span)})
            self._figures.duration.observe(time.perf_counter() - begun)
        return outcome


def run(env: Mapping[str, str]) -> None:
    """Follow until asked to end."""
    with Role("serving-follow", FollowSettings, env) as role:
        settings = role.settings
        role.health.wait_for(_BEGUN, f"the end of {DEPARTED} at {settings.kafka} is being looked for")
        role.health.beat("follow")
        figures = FollowFigures(role.registry, OUTCOMES)
        role.serve()
        source = Subscription(settings.kafka, settings.follow_group, [DEPARTED], role.stop)
        desk = Desk(settings)
        follower = Follower(settings, source, desk, figures, role.tracing)
        while not role.stop:
            role.health.beat("follow")
            follower.turn(lambda: bool(role.stop))
            if follower.begun:
                role.health.met(_BEGUN)
        desk.close()
        source.close(settings.drain_seconds)

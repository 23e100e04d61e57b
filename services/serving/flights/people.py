"""JSON for people: a flight in, its delay and the best other flights of its route out.

Features of the flight and of what might take its place are looked up with one question, and computed in one run.
"""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from contracts.events import Airport, Carrier, FlightNumber, Identity, Instant, TailNumber
from contracts.models import INPUT, Card
from runtime.asgi import JSON
from runtime.asgi import Headers as More
from serving.errors import FeaturesUnknown, FlightWrong, NotOffered
from serving.flights.lookup import Looked, Lookup
from serving.flights.timetable import Flight, Timetable, instant
from serving.inference.asking import unreadable, work
from serving.inference.journal import Headers, Journal, Named
from serving.inference.running import run
from serving.model.version import Served

_LATEST = 10 * 365 * 24 * 60
"""Minutes: no prediction that is beyond is taken for a time of arrival."""
CANDIDATES = 24
"""Other flights that are looked at, the next ones first."""
_ENTITIES = ("origin", "route", "carrier", "tailnum", "scheduled_departure")
_MINUTE = 60
_YEARS = range(1980, 2200)
"""Of flights: far enough from where instants end."""
_ENCODE = msgspec.json.Encoder().encode


class FlightAsked(Struct, forbid_unknown_fields=True, kw_only=True):
    """A flight, as it is known before it leaves."""

    carrier: Carrier
    flight: FlightNumber
    origin: Airport
    dest: Airport
    scheduled_departure: Instant
    scheduled_arrival: Instant | None = None
    """Taken from the timetable where it is left out and the flight is in there."""
    tailnum: TailNumber | None = None
    """The plane; taken from the timetable as well. Without one, what is known of the plane is missing."""
    id: Identity | None = None
    """Of its arrival, as in `flight.arrived.v1`, by which the prediction is measured later; from the timetable too."""
    alternatives: Annotated[int, Meta(ge=0, le=10)] = 3
    """How many other flights are wanted at most."""
    hours: Annotated[float, Meta(gt=0, le=24)] = 6.0
    """Within which they are to leave."""


class Alternative(Struct):
    """Another flight of the same route."""

    carrier: str
    flight: int
    tailnum: str | None
    scheduled_departure: dt.datetime
    scheduled_arrival: dt.datetime
    delay: float
    """Minutes that it is expected to arrive late; negative: early."""
    expected_arrival: dt.datetime


class FeaturesTold(Struct):
    """What the prediction stands on."""

    times: dict[str, dt.datetime]
    """View -> event time of the row that was read; none where there is no row."""
    missing: list[str]
    """Features that had no value, or one out of date; the model was told that they are missing."""
    stale: list[str]
    """Those of them that had one out of date, or were computed of such."""


class FlightPredicted(Struct):
    """What is expected of a flight, and what else there is."""

    delay: float | None
    """Minutes that it is expected to arrive late; negative: early."""
    model: str
    version: str
    expected_arrival: dt.datetime | None
    """Null where its scheduled arrival is not known."""
    features: FeaturesTold
    alternatives: list[Alternative]
    """Expected to arrive first, first."""


KINDS = (FlightAsked, FlightPredicted)
_ASKED = msgspec.json.Decoder(FlightAsked).decode


class People:
    """Answers `POST /flights/predict`.

    Args:
        lookup: of features; None: this server does not offer it.
        timetable: of the flights that there are; None: no alternatives.
        journal: of predictions; None: none is kept.
    """

    def __init__(
        self, lookup: Lookup | None = None, timetable: Timetable | None = None, journal: Journal | None = None
    ) -> None:
        self._lookup = lookup
        self._timetable = timetable
        self._journal = journal

    def offered(self) -> Lookup:
        """What looks features up.

        Raises:
            NotOffered: nothing does.
        """
        if self._lookup is None:
            told = "flights: this server was not told where features are looked up"
            raise NotOffered(told, "set TARMAC_FEATURE to the address of the feature service")
        return self._lookup

    async def close(self) -> None:
        """Leave the connections."""
        if self._lookup:
            await self._lookup.close()

    async def answer(self, served: Served, body: bytes, headers: Headers, deadline: float) -> tuple[bytes, bytes, More]:
        """What is expected of a flight.

        Args:
            served: the version that is asked.
            body: of the request.
            headers: of the request, by their names in small letters.
            deadline: time of the loop until which it may take.

        Raises:
            NotOffered: this server looks no features up.
            Unreadable, FlightWrong: the body is no flight, or none that there is.
            FeaturesUnknown, FeaturesAway: its features cannot be had.
            Busy, NotComputed: as for every inference.
        """
        lookup = self.offered()
        asked = _decoded(body)
        flight, candidates = self._known(asked)
        flights = [flight, *candidates]
        looked = await lookup.features(lookup.columns(_card(served)), given(flights))
        wanted = work({INPUT: looked.table}, served.session.names, served)
        found = await run(served, wanted, deadline)
        delays = [float(each) for each in found[0].ravel()]
        best = _best(flights, delays)[: asked.alternatives]
        if self._journal:
            told = [0, *best]
            kept = wanted._replace(feed={INPUT: looked.table[told]}, rows=len(told))
            named = Named(flights=[flights[each].id for each in told])
            self._journal.offer(served, kept, [each[told] for each in found], headers, named)
        others = [_alternative(flights[each], delays[each]) for each in best]
        return JSON, _ENCODE(_predicted(served, flight, delays[0], looked, others)), ()

    def _known(self, asked: FlightAsked) -> tuple[Flight, list[Flight]]:
        """The flight, with what the timetable knows of it, and the next others of its route."""
        departure = int(asked.scheduled_departure.timestamp())
        arrival = int(asked.scheduled_arrival.timestamp()) if asked.scheduled_arrival else 0
        flight = Flight(
            asked.id or "", asked.carrier, asked.flight, asked.origin, asked.dest, asked.tailnum, departure, arrival
        )
        if self._timetable is None:
            return flight, []
        listed = self._timetable.find(*flight[1:5], departure)
        if listed:
            flight = flight._replace(
                id=flight.id or listed.id, tailnum=flight.tailnum or listed.tailnum, arrival=arrival or listed.arrival
            )
        if not asked.alternatives:
            return flight, []
        self._timetable.check(asked.origin, asked.dest)
        others = self._timetable.after(asked.origin, asked.dest, departure, asked.hours)
        return flight, [each for each in others if (each.carrier, each.flight) != flight[1:3]][:CANDIDATES]


def given(flights: Sequence[Flight]) -> dict[str, list[Any]]:
    """Entities and inputs of flights, as the feature definitions name them."""
    rows = [
        (each.origin, f"{each.origin}-{each.dest}", each.carrier, each.tailnum or "", each.departure)
        for each in flights
    ]
    return dict(zip(_ENTITIES, map(list, zip(*rows, strict=True)), strict=True))


def _decoded(body: bytes) -> FlightAsked:
    try:
        asked = _ASKED(body)
    except msgspec.ValidationError as failure:
        raise FlightWrong(f"flight: {failure!s:.300}", "see FlightAsked in GET /openapi.json for its fields") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise unreadable(failure) from None
    for field in ("scheduled_departure", "scheduled_arrival"):
        given: dt.datetime | None = getattr(asked, field)
        if given and given.year not in _YEARS:
            told = f"{field}: the year {given.year} is out of range"
            raise FlightWrong(told, f"give an instant of {_YEARS.start} to {_YEARS.stop - 1}")
    return asked


def _card(served: Served) -> Card:
    if served.card is None:
        told = f"model {served.name} version {served.version} has no card: nothing says which features it takes"
        raise FeaturesUnknown(told, "register it with one, as the training does")
    return served.card


def _best(flights: Sequence[Flight], delays: Sequence[float]) -> list[int]:
    """Places of the other flights, those first that are expected to arrive first."""
    known = [place for place in range(1, len(flights)) if _expected(flights[place], delays[place])]
    return sorted(known, key=lambda place: (flights[place].arrival + delays[place] * _MINUTE, flights[place][1:]))


def _expected(flight: Flight, delay: float) -> dt.datetime | None:
    """When a flight is expected to arrive; None where nobody can say, or where no clock goes."""
    if not flight.arrival or not abs(delay) < _LATEST:
        return None
    return instant(flight.arrival + delay * _MINUTE)


def _predicted(
    served: Served, flight: Flight, delay: float, looked: Looked, others: list[Alternative]
) -> FlightPredicted:
    return FlightPredicted(
        delay=delay if math.isfinite(delay) else None,
        model=served.name,
        version=served.version,
        expected_arrival=_expected(flight, delay),
        features=FeaturesTold(looked.times[0], looked.missing[0], looked.stale[0]),
        alternatives=others,
    )


def _alternative(flight: Flight, delay: float) -> Alternative:
    return Alternative(
        carrier=flight.carrier,
        flight=flight.flight,
        tailnum=flight.tailnum,
        scheduled_departure=instant(flight.departure),
        scheduled_arrival=instant(flight.arrival),
        delay=delay,
        expected_arrival=instant(flight.arrival + delay * _MINUTE),
    )

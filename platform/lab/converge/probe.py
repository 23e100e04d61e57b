"""The end-to-end probe: one real event goes in at Kafka and must come out everywhere the stack says it does."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx

from lab import process
from lab.broker import Broker
from lab.errors import LabError, NotConverged
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

_TOPIC = "weather.read.v1"
_STATION = "ZZZ"
"""A station that the data set does not have: its readings are only ever the probe's."""
_BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
"""When the replay begins."""
_LATER = timedelta(seconds=1)
"""From a reading of the probe's station to the next."""
_SECONDS = 60
_SPAN_SECONDS = 15
"""More than the ten seconds after which an exporter gives up a batch of spans."""
_FEATURE = Text(en="a feature", fr="un feature")
_METRIC = Text(en="a metric", fr="une métrique")
_ONLINE = Text(en="an online feature", fr="un feature en ligne")
_PREDICTION = Text(en="a prediction", fr="une prédiction")
_LAKE = Text(en="a lake row", fr="une ligne du lac")
_UNSENT = Text(
    en="no event time was found for the probe, newer than the online store's row and no newer than the replay,",
    fr="aucun instant n'a été trouvé pour la sonde, après la ligne du magasin en ligne et sans devancer la relecture,",
)
_TRACE = Text(en="a trace", fr="une trace")


class _Place(NamedTuple):
    """Where a step is asked whether the event came out: the port's name, and whose log tells why it did not."""

    port: str
    component: str
    """That is asked; a lab without it leaves the step out."""
    writer: str = "ingest-consumer"
    maker: str = ""
    """Component without whose work nothing can come out there; waited for like the one that is asked."""


_PLACES = {
    "feature": _Place("ingest", "ingest"),
    "online": _Place("feature", "feature"),
    "prediction": _Place("gateway", "serving", writer="serving-stable", maker="training"),
    "lake": _Place("lake", "lake", writer="lake-bronze"),
    "trace": _Place("jaeger", "jaeger"),
    "metric": _Place("prometheus", "prometheus"),
}


def probe(
    settings: Settings,
    say: Say,
    components: Collection[str],
    stands: Callable[[str], None] = lambda _: None,
    turn: Turn | None = None,
) -> dict[str, object]:
    """Send one event and follow it: offset in Kafka, feature at ingest, trace in Jaeger, metric in Prometheus.

    Args:
        settings: where all that answers.
        say: told each step.
        components: what the lab runs; with a feature service, the event has to come out of that as well; where models
            are served, the next prediction through the gateway has to stand on it, in the event's own trace; with a
            lake it has to become a row of its bronze table.
        stands: returns when a component stands; each is waited for only when it is asked.
        turn: whose events these are, where another probe was begun before.

    Returns:
        What was seen: `topic`, `partition` and `offset`; seconds since the start for each step, without those that
        components took to stand, `feature_seconds`, `online_seconds`, `prediction_seconds`, `lake_seconds`,
        `trace_seconds`, `metric_seconds`; `trace`, and how many `events` it took.

    Raises:
        NotConverged: it did not come out somewhere; says where and what to look at.

    """
    started = time.monotonic()
    turn = turn or Turn()
    say(Text(en="sending an event", fr="envoi d'un événement"))
    with Broker(settings) as broker, httpx.Client(timeout=5) as web:
        events = [_sent(turn, broker, web, settings, components)]

        def traced() -> bool:
            # A span is sent once: a collector that was away at that moment never sees it. Another event tells.
            if time.time() - events[-1].at > _SPAN_SECONDS:
                events.append(_sent(turn, broker, web, settings, components))
                if "serving" in components:
                    _predicted(web, settings, events[-1])
            return any(_trace(web, settings, event.trace, _passed(components)) for event in events)

        seen: dict[str, object] = {"topic": _TOPIC}
        steps = [
            ("feature", _FEATURE, lambda: _feature(web, settings, events[0].identity)),
            ("online", _ONLINE, lambda: _online(web, settings, events[0].degrees)),
            ("prediction", _PREDICTION, lambda: _predicted(web, settings, events[0])),
            ("lake", _LAKE, lambda: _lake(web, settings, events[0])),
            ("trace", _TRACE, traced),
            ("metric", _METRIC, lambda: _metric(web, settings, events[-1])),
        ]
        for name, what, came_out in steps:
            place = _PLACES[name]
            if place.component not in components:
                continue
            waited = time.monotonic()
            for needed in {place.component, place.maker} & set(components):
                stands(needed)
            started += time.monotonic() - waited
            say(Text(en=f"waiting for {what.en}", fr=f"attente : {what.fr}"))
            _await(came_out, _unseen(what), place, settings)
            seen[f"{name}_seconds"] = round(time.monotonic() - started, 2)
    last = events[-1]
    return seen | {"events": len(events), "trace": last.trace, "partition": last.partition, "offset": last.offset}


@dataclass(frozen=True)
class _Event:
    """An event of the probe: when it was sent and when it happened, what it is known by and says, and where it lies."""

    at: float
    """Seconds since 1970."""
    time: datetime
    trace: str
    identity: str
    degrees: float
    partition: int
    offset: int

    @classmethod
    def send(cls, broker: Broker, time_: datetime) -> _Event:
        trace, identity, at = secrets.token_hex(16), f"wx-probe-{secrets.token_hex(6)}", time.time()
        headers = [("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01".encode())]
        when = _instant(time_)
        # Drawn anew each time: a value that an earlier probe left behind does not pass for this one's.
        degrees = secrets.randbelow(10_000) / 100
        event = {"type": _TOPIC, "id": identity, "time": when, "station": _STATION, "temp": degrees}
        place = broker.send(_TOPIC, _STATION.encode(), json.dumps(event).encode(), headers)
        return cls(at, time_, trace, identity, degrees, *place)


class Turn:
    """The events of one probe: each later than all before, also than those of a probe that was given up for it.

    Of two events at one time the online store has the first, and ingest tells no other.

    Args:
        last: event time of the newest event that was sent before.

    """

    def __init__(self, last: datetime | None = None) -> None:
        self._last = last
        self._over = False
        self._lock = threading.Lock()

    def send(self, broker: Broker, moment: datetime) -> _Event:
        """Send an event of this time, or the next one that is free.

        Raises:
            NotConverged: the probe was given up.

        """
        with self._lock:
            if self._over:
                raise NotConverged(Text(en="given up", fr="abandonné"), Text(en="wait", fr="attendez"))
            self._last = max(moment, self._last + _LATER) if self._last else moment
            return _Event.send(broker, self._last)

    def next(self) -> Turn:
        """Give the probe up, which sends nothing any more; return the turn of the one after it."""
        with self._lock:
            self._over = True
            return Turn(self._last)


def _sent(turn: Turn, broker: Broker, web: httpx.Client, settings: Settings, components: Collection[str]) -> _Event:
    """Send an event as soon as there is an event time for it."""
    moments: list[datetime] = []

    def known() -> bool:
        moment = _moment(web, settings, components)
        moments.extend([moment] if moment else [])
        return moment is not None

    _await(known, _UNSENT, _PLACES["feature"], settings)
    return turn.send(broker, moments[-1])


def _moment(web: httpx.Client, settings: Settings, components: Collection[str]) -> datetime | None:
    """Return an event time that is the newest of the probe's station, and never ahead of the replay; None: not yet.

    Ages are judged by the newest event time: a probe of today would make every feature of 2013 look years old. Later
    probes follow the first by a second each: to ingest, one that is days ahead of its station's last is a stray.
    """
    place = f"http://127.0.0.1:{settings.port('ingest')}/weather"

    def newest(station: str) -> datetime:
        return datetime.fromisoformat(web.get(f"{place}/{station}").raise_for_status().json()["time"])

    stations = web.get(place).raise_for_status().json()
    own = newest(_STATION) if _STATION in stations else None
    replayed = max((newest(each) for each in stations if each != _STATION), default=_BEGIN)
    held = _held(web, settings) if "feature" in components else None
    if held and (own is None or own < held) and replayed <= held:
        # The log lost what the online store has, which takes nothing older: the replay has to come there again.
        return None
    return max(own, held or own) + _LATER if own else replayed


def _held(web: httpx.Client, settings: Settings) -> datetime | None:
    """Return the event time of the probe's row in the online store; None: it has none, or does not answer yet."""
    try:
        _station, read = _looked_up(web, settings)["results"]
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    return None if read["values"] == [None] else datetime.fromisoformat(read["event_timestamps"][0])


def _looked_up(web: httpx.Client, settings: Settings) -> Any:  # noqa: ANN401  JSON
    """Return what the feature service tells of the probe's station."""
    asked = {"features": ["weather_by_origin:weather_temp"], "entities": {"origin": [_STATION]}}
    place = f"http://127.0.0.1:{settings.port('feature')}/get-online-features"
    return web.post(place, json=asked).raise_for_status().json()


class EarlyProof:
    """A probe begun beside other work; what it waits for (a scrape, a batch of spans) then costs no time of its own."""

    def __init__(self, settings: Settings, components: Collection[str]) -> None:
        self._settings = settings
        self._components = components
        self._turn = Turn()
        self._proof: dict[str, object] | None = None
        # A daemon: where the stack is down, nobody waits for it.
        self._thread = threading.Thread(target=self._run, name="early-proof", daemon=True)
        self._thread.start()

    def result(self) -> dict[str, object] | None:
        """Return what was seen, None where it failed: then a probe of its own tells why."""
        self._thread.join()
        return self._proof

    def given_up(self) -> Turn:
        """Let it go; return the turn of the probe that takes its place."""
        return self._turn.next()

    def _run(self) -> None:
        with suppress(LabError):
            self._proof = probe(self._settings, lambda _: None, self._components, turn=self._turn)


def _feature(web: httpx.Client, settings: Settings, identity: str) -> bool:
    answer = web.get(f"http://127.0.0.1:{settings.port('ingest')}/weather/{_STATION}")
    return answer.status_code == httpx.codes.OK and identity in answer.text


def _online(web: httpx.Client, settings: Settings, degrees: float) -> bool:
    return any(result["values"] == [degrees] for result in _looked_up(web, settings)["results"])


def _lake(web: httpx.Client, settings: Settings, event: _Event) -> bool:
    """Say whether the lake has a row from the event's own place in the log; it commits every few seconds."""
    row = f"rows/{_TOPIC}/{event.partition}/{event.offset}"
    answer = web.get(f"http://127.0.0.1:{settings.port('lake')}/{row}")
    return answer.status_code == httpx.codes.OK and answer.json().get("id") == event.identity


def _predicted(web: httpx.Client, settings: Settings, event: _Event) -> bool:
    """Say whether a prediction through the gateway stands on the event's reading; it goes into the event's trace."""
    asked = {
        "carrier": "ZZ", "flight": 1, "origin": _STATION, "dest": "JFK", "alternatives": 0,
        "scheduled_departure": _instant(event.time),
    }  # fmt: skip
    headers = {"traceparent": f"00-{event.trace}-{secrets.token_hex(8)}-01"}
    answer = web.post(f"http://127.0.0.1:{settings.port('gateway')}/flights/predict", json=asked, headers=headers)
    if answer.status_code != httpx.codes.OK:
        return False
    read = answer.json()["features"]["times"].get("weather_by_origin")
    return read is not None and datetime.fromisoformat(read) == event.time


def _instant(time_: datetime) -> str:
    return time_.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _passed(components: Collection[str]) -> set[str]:
    """Return the services that the event's trace has to show."""
    return {"ingest-consumer"} | ({"gateway", "serving", "feature"} if "serving" in components else set())


def _trace(web: httpx.Client, settings: Settings, trace: str, services: set[str]) -> bool:
    """Say whether Jaeger has spans of all these services in one trace."""
    answer = web.get(f"http://127.0.0.1:{settings.port('jaeger')}/api/traces/{trace}")
    if answer.status_code != httpx.codes.OK:
        return False
    processes = [each for found in answer.json().get("data") or [] for each in found["processes"].values()]
    return services <= {each["serviceName"] for each in processes}


def _metric(web: httpx.Client, settings: Settings, event: _Event) -> bool:
    """Say whether Prometheus has read, since the event was sent, a position of the consumer beyond it.

    Without the time, a figure that a consumer of an earlier life left behind would pass for it.
    """
    position = f'ingest_position_offset{{topic="{_TOPIC}"}}'
    query = f"({position} > {event.offset}) and (timestamp({position}) >= {event.at})"
    answer = web.get(f"http://127.0.0.1:{settings.port('prometheus')}/api/v1/query", params={"query": query})
    return answer.status_code == httpx.codes.OK and bool(answer.json()["data"]["result"])


def _unseen(what: Text) -> Text:
    return Text(
        en=f"the probe's event did not become {what.en}", fr=f"l'événement de la sonde n'est pas devenu {what.fr}"
    )


def _await(came_out: Callable[[], bool], failed: Text, place: _Place, settings: Settings) -> None:
    deadline, last = time.monotonic() + _SECONDS, ""
    while time.monotonic() < deadline:
        try:
            if came_out():
                return
        except httpx.HTTPError as error:
            last = f" ({type(error).__name__}: {error})"
        process.go_on(failed)
        time.sleep(0.2)
    asked, logs = f"{place.port} (http://127.0.0.1:{settings.port(place.port)})", f"logs -n chain deploy/{place.writer}"
    raise NotConverged(
        Text(
            en=f"{failed.en} at {asked} within {_SECONDS} s{last}",
            fr=f"{failed.fr} à {asked} en {_SECONDS} s{last}",
        ),
        Text(
            en=f"read `lab kubectl {logs}`, then run `lab up` again",
            fr=f"lisez `lab kubectl {logs}`, puis relancez `lab up`",
        ),
    )

"""The end-to-end probe: one real event goes in at Kafka and must come out everywhere the stack says it does."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import httpx

from lab import process
from lab.broker import Broker
from lab.converge.events import STATION, TOPIC, Event, Turn, event_time, instant, looked_up
from lab.errors import LabError, NotConverged
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

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

        seen: dict[str, object] = {"topic": TOPIC}
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


def _sent(turn: Turn, broker: Broker, web: httpx.Client, settings: Settings, components: Collection[str]) -> Event:
    """Send an event as soon as there is an event time for it."""
    moments: list[datetime] = []

    def known() -> bool:
        moment = event_time(web, settings, components)
        moments.extend([moment] if moment else [])
        return moment is not None

    _await(known, _UNSENT, _PLACES["feature"], settings)
    return turn.send(broker, moments[-1])


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
    answer = web.get(f"http://127.0.0.1:{settings.port('ingest')}/weather/{STATION}")
    return answer.status_code == httpx.codes.OK and identity in answer.text


def _online(web: httpx.Client, settings: Settings, degrees: float) -> bool:
    return any(result["values"] == [degrees] for result in looked_up(web, settings)["results"])


def _lake(web: httpx.Client, settings: Settings, event: Event) -> bool:
    """Say whether the lake has a row from the event's own place in the log; it commits every few seconds."""
    row = f"rows/{TOPIC}/{event.partition}/{event.offset}"
    answer = web.get(f"http://127.0.0.1:{settings.port('lake')}/{row}")
    return answer.status_code == httpx.codes.OK and answer.json().get("id") == event.identity


def _predicted(web: httpx.Client, settings: Settings, event: Event) -> bool:
    """Say whether a prediction through the gateway stands on the event's reading; it goes into the event's trace."""
    asked = {
        "carrier": "ZZ", "flight": 1, "origin": STATION, "dest": "JFK", "alternatives": 0,
        "scheduled_departure": instant(event.time),
    }  # fmt: skip
    headers = {"traceparent": f"00-{event.trace}-{secrets.token_hex(8)}-01"}
    answer = web.post(f"http://127.0.0.1:{settings.port('gateway')}/flights/predict", json=asked, headers=headers)
    if answer.status_code != httpx.codes.OK:
        return False
    read = answer.json()["features"]["times"].get("weather_by_origin")
    return read is not None and datetime.fromisoformat(read) == event.time


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


def _metric(web: httpx.Client, settings: Settings, event: Event) -> bool:
    """Say whether Prometheus has read, since the event was sent, a position of the consumer beyond it.

    Without the time, a figure that a consumer of an earlier life left behind would pass for it.
    """
    position = f'ingest_position_offset{{topic="{TOPIC}"}}'
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

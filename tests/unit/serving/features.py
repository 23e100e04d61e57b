"""A feature service at the wire: what it knows is told by the test, in the form in which the real one answers."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
from prometheus_client import CollectorRegistry

from contracts import models
from contracts.views import View
from contracts.views_flights import DEFINITIONS
from serving.figures import LookupFigures
from serving.flights.lookup import Lookup
from unit.serving.graphs import linear, put, told

NEVER = "1970-01-01T00:00:00Z"
TIME = "2013-01-01T11:00:00Z"
ADDRESS = "http://feature.test:6566"
FEATURES = ("tail_last_arrival_delay", "origin_departure_count_1h", "departure_weekday")
FLIGHT: dict[str, Any] = {
    "carrier": "UA", "flight": 1, "origin": "JFK", "dest": "LAX", "scheduled_departure": "2013-01-01T12:00:00Z",
}  # fmt: skip
"""A flight of the small timetable, as a caller asks about it."""


class FeatureService:
    """What is known of each entity, and the questions that came.

    Attributes:
        rows: (view, entity) -> features by name; those left out are null.
        old: (view, entity) of the rows that are out of date.
        fail: in place of an answer, what a request meets.
        asked: bodies of the requests, in their order.
        headers: of the last one.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.old: set[tuple[str, str]] = set()
        self.fail: Callable[[httpx.Request], httpx.Response] | None = None
        self.asked: list[dict[str, Any]] = []
        self.headers: httpx.Headers = httpx.Headers()
        self.registry = CollectorRegistry()
        self._figures = LookupFigures(self.registry)

    def lookup(self, seconds: float = 0.5) -> Lookup:
        """Return what asks it."""
        return Lookup(ADDRESS, seconds, self._figures, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.headers = request.headers
        if self.fail:
            return self.fail(request)
        body = json.loads(request.content)
        self.asked.append(body)
        entities = body["entities"]
        rows = range(len(next(iter(entities.values()))))
        names, results = [], []
        for reference in DEFINITIONS.features_of(DEFINITIONS.service(body["feature_service"])):
            view, name = DEFINITIONS.view(reference.partition(":")[0]), reference.partition(":")[2]
            column = [self._value(view, name, entities, row) for row in rows]
            names.append(name)
            values, statuses, times = map(list, zip(*column, strict=True))
            results.append({"values": values, "statuses": statuses, "event_timestamps": times})
        return httpx.Response(200, content=msgspec.json.encode(
            {"metadata": {"feature_names": names}, "results": results, "status": True}
        ))  # fmt: skip

    def _value(self, view: Any, name: str, entities: Any, row: int) -> tuple[Any, str, str]:  # noqa: ANN401  any JSON
        if isinstance(view, View):
            key = view.name, entities[view.entities[0]][row]
            if key not in self.rows:
                return None, "NOT_FOUND", NEVER
            value = self.rows[key].get(name)
            status = "OUTSIDE_MAX_AGE" if key in self.old else "NULL_VALUE" if value is None else "PRESENT"
            return value, status, TIME
        function = next(function for field, function in view.features if field.name == name)
        sources = {each.partition(":")[2]: DEFINITIONS.stored(each.partition(":")[0]) for each in view.inputs}
        given = [
            self._value(sources[each], each, entities, row)[0] if each in sources else entities[each][row]
            for each in inspect.signature(function).parameters
        ]
        value = function(*given)
        return value, "NULL_VALUE" if value is None else "PRESENT", NEVER


def put_known(root: Path, name: str, version: str, factor: float = 1.0) -> None:
    """Write a model that adds up features that the feature service has, and its card."""
    folder = put(root, name, version, made := linear(len(FEATURES), factor))
    card = told(name, made.SerializeToString(), FEATURES)
    models.write(msgspec.structs.replace(card, service="delay_v2"), folder)


def refusal(status: int, what: str, remedy: str, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    """Return an error as the feature service tells it: JSON in a JSON text."""
    told = json.dumps(json.dumps({"what": what, "remedy": remedy}))
    return lambda _: httpx.Response(status, content=told.encode(), headers=headers)

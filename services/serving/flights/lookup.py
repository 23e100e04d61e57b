"""Features of flights, from the feature service: one question for as many flights as there are.

What comes back is made to be what the training set had: a value that is older than its view may be counts as missing
there, so it does here, and so does what is computed of it.
"""

import asyncio
import datetime as dt
import time
from collections import Counter as Counted
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx
import msgspec
import numpy as np
from opentelemetry.trace import SpanKind

from contracts.models import Card
from contracts.views import Definitions
from contracts.views_flights import DEFINITIONS
from runtime.errors import ServiceError
from runtime.tracing import child, headers
from serving.errors import FeaturesAway, FeaturesUnknown, FlightWrong
from serving.figures import LookupFigures
from serving.flights.columns import Columns
from serving.model.session import Array

_PATH = "/get-online-features"
_STALE = "OUTSIDE_MAX_AGE"
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""The time of what was never written."""
_CONNECTIONS = 16
_LATE_SECONDS = 0.05
"""In which an answer that lies waiting is read."""
_REMEMBERED = 64
"""Cards whose columns are kept compiled."""


class _Names(msgspec.Struct):
    feature_names: list[str]


class _Column(msgspec.Struct):
    values: list[Any]
    statuses: list[str]
    event_timestamps: list[dt.datetime]


class _Answer(msgspec.Struct):
    metadata: _Names
    results: list[_Column]


class _Refusal(msgspec.Struct):
    what: str = "the feature service gives no reason"
    remedy: str = "see its log"


class Looked(NamedTuple):
    """Features of some flights.

    Attributes:
        table: float32 [flights, features], NaN for what is missing.
        times: for each flight, view -> event time of its row.
        missing: for each flight, features without a value.
        stale: for each flight, those of them that have one, but one that is out of date.
    """

    table: Array
    times: list[dict[str, dt.datetime]]
    missing: list[list[str]]
    stale: list[list[str]]


class Lookup:
    """Asks the feature service, over connections that are kept.

    Args:
        address: of the feature service.
        seconds: that an answer may take, all attempts together.
        figures: counts.
        definitions: by which the training sets were made.
        transport: in place of real connections.
    """

    def __init__(
        self,
        address: str,
        seconds: float,
        figures: LookupFigures,
        definitions: Definitions = DEFINITIONS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address = address
        self._seconds = seconds
        self._figures = figures
        self._definitions = definitions
        self._columns: dict[tuple[str, tuple[str, ...]], Columns] = {}
        self._decode = msgspec.json.Decoder(_Answer).decode
        self._client = httpx.AsyncClient(
            base_url=address,
            timeout=None,  # noqa: S113  `seconds` is for all of it
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Leave the connections."""
        await self._client.aclose()

    def columns(self, card: Card) -> Columns:
        """What the features of a model take.

        Raises:
            FeaturesUnknown: they are none of the definitions'.
        """
        key = card.service, card.features
        found = self._columns.get(key)
        if found is None:
            if len(self._columns) >= _REMEMBERED:
                self._columns.clear()
            found = self._columns[key] = Columns.of(card, self._definitions)
        return found

    async def features(self, columns: Columns, given: Mapping[str, Sequence[Any]]) -> Looked:
        """The features of flights.

        Args:
            columns: of the model.
            given: each entity and input that the columns take, with a value for each flight.

        Raises:
            FeaturesAway: the feature service does not answer in time.
            FlightWrong: it refuses a value.
            FeaturesUnknown: it does not know the model's features.
        """
        asked = {name: given[name] for name in (*columns.entities, *columns.inputs)}
        body = msgspec.json.encode({"feature_service": columns.service, "entities": asked})
        begun = time.perf_counter()
        told: dict[str, str | float] = {"feature.service": columns.service, "flights": max(map(len, asked.values()))}
        with child("look features up", SpanKind.CLIENT, told) as span:
            answer = await self._asked(body, {name: value.decode() for name, value in headers(span)})
        self._figures.duration.observe(time.perf_counter() - begun)
        looked = _joined(columns, answer)
        for name, times in Counted(name for names in looked.missing for name in names).items():
            self._figures.missing.labels(name).inc(times)
        return looked

    async def _asked(self, body: bytes, told: Mapping[str, str]) -> _Answer:
        asking = asyncio.ensure_future(self._sent(body, told))
        try:
            done, _ = await asyncio.wait({asking}, timeout=self._seconds)
            if not done:
                # Where this process itself stood still, it hears that the time is over before it hears of an answer
                # that came in time.
                done, _ = await asyncio.wait({asking}, timeout=_LATE_SECONDS)
            if not done:
                raise self._away("timeout", f"no answer within {self._seconds:g} s")
            answer = asking.result()
        except httpx.HTTPError as failure:
            raise self._away("unreachable", f"{failure!s:.200}" or type(failure).__name__) from None
        finally:
            asking.cancel()
        if answer.status_code != HTTPStatus.OK:
            raise self._refused(answer)
        try:
            return self._decode(answer.content)
        except msgspec.DecodeError as failure:
            raise self._away("unreadable", f"its answer is none: {failure!s:.200}") from None

    async def _sent(self, body: bytes, told: Mapping[str, str]) -> httpx.Response:
        try:
            return await self._client.post(_PATH, content=body, headers=told)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            # A kept connection was closed while the question was on its way; to ask again changes nothing there.
            return await self._client.post(_PATH, content=body, headers=told)

    def _refused(self, answer: httpx.Response) -> ServiceError:
        """What a caller is told when the feature service answers with an error."""
        status = answer.status_code
        try:
            told = msgspec.json.decode(msgspec.json.decode(answer.content, type=str), type=_Refusal)
        except msgspec.DecodeError:
            told = _Refusal()
        if status == HTTPStatus.NOT_FOUND:
            self._figures.failures.labels("unknown").inc()
            return FeaturesUnknown(f"feature service {self._address}: {told.what}", told.remedy)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            self._figures.failures.labels("refused").inc()
            return FlightWrong(told.what, told.remedy)
        return self._away("error", f"{status}: {told.what}")

    def _away(self, reason: str, why: str) -> FeaturesAway:
        self._figures.failures.labels(reason).inc()
        return FeaturesAway(f"feature service {self._address}: {why}", "try again after the seconds of Retry-After")


def _joined(columns: Columns, answer: _Answer) -> Looked:
    """The answer's columns as rows, in the order of the model."""
    found = dict(zip(answer.metadata.feature_names, answer.results, strict=True))
    lacking = [name for name in (*columns.features, *columns.views) if name not in found]
    if lacking:
        told = f"feature service {columns.service} answers without {', '.join(lacking):.200}"
        raise FeaturesUnknown(told, "let the feature service and the model have the same definitions")
    rows = range(len(found[columns.features[0]].values))
    times: list[dict[str, dt.datetime]] = []
    missing: list[list[str]] = []
    stale: list[list[str]] = []
    table = []
    for row in rows:
        old = {view for name, view in columns.views.items() if found[name].statuses[row] == _STALE}
        stale.append([name for name in columns.features if columns.sources(name) & old])
        values = [None if columns.sources(name) & old else found[name].values[row] for name in columns.features]
        missing.append([name for name, value in zip(columns.features, values, strict=True) if value is None])
        stamps = {view: found[name].event_timestamps[row] for name, view in columns.views.items()}
        times.append({view: stamp for view, stamp in stamps.items() if stamp > _NEVER})
        table.append(values)
    with np.errstate(over="ignore"):
        made = np.array(table, np.float32)  # None becomes NaN
    made[np.isinf(made)] = np.nan
    return Looked(made, times, missing, stale)

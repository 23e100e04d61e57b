"""The HTTP side: Feast's paths, probes and metrics, as one plain ASGI application.

No framework stands between the server and the plans: a request is a path, a body of at most 10 MB and an answer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from opentelemetry.trace import SpanKind

from feature.asking import Asked
from feature.errors import NotHere, Refused, StoreUnavailable, TooLarge, Unreadable, detail
from feature.figures import Figures
from feature.reading import Reading
from feature.wire import Wire
from feature.writing import Pushed, Writing, Written
from runtime import asgi, metrics
from runtime.asgi import JSON, TEXT, Answer, Receive, Scope, Send
from runtime.health import Health
from runtime.tracing import Tracing, sampled

log = logging.getLogger(__name__)

LARGEST = 10_000_000
"""Bytes of a body."""

Order = Callable[[bytes], Awaitable[bytes]]
T = TypeVar("T")
_NO_VALUE = b"null"


class Web:
    """The application.

    Args:
        reading: answers reads.
        writing: carries out writes.
        wire: whose connection `/health` tells of.
        health: what `/livez` and `/readyz` tell.
        figures: what `/metrics` tells.
        tracing: makes a span of each request whose caller traces.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts of the service meet here
        self, reading: Reading, writing: Writing, wire: Wire, health: Health, figures: Figures, tracing: Tracing
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._wire = wire
        self._health = health
        self._figures = figures
        self._tracing = tracing
        self._asked = msgspec.json.Decoder(Asked).decode
        self._orders: Mapping[str, Order] = {
            "/get-online-features": self._read,
            "/push": self._push,
            "/write-to-online-store": self._write,
            "/materialize": self._elsewhere,
            "/materialize-incremental": self._elsewhere,
        }
        self._questions: Mapping[str, Callable[[], Answer]] = {
            "/health": self._healthy,
            "/livez": lambda: asgi.probe(self._health.alive()),
            "/readyz": lambda: asgi.probe(self._health.ready()),
            "/metrics": lambda: (200, metrics.CONTENT_TYPE.encode(), metrics.exposition(figures.registry)),
        }
        self._counts = {path: figures.requests.labels(path, "200") for path in self._orders}
        self._clocks = {path: figures.duration.labels(path) for path in self._orders}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        order = self._orders.get(path) if scope["method"] == "POST" else None
        if order is None:
            await asgi.answer(send, *self._asked_for(scope["method"], path))
            return
        begun = time.perf_counter()
        status, body, more = await self._ordered(order, scope, receive)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await asgi.linger(receive, send, body)
        else:
            await asgi.answer(send, status, JSON, body, more)
        self._clocks[path].observe(time.perf_counter() - begun)
        if status == HTTPStatus.OK:
            self._counts[path].inc()
        else:
            self._figures.requests.labels(path, str(status)).inc()

    async def _ordered(
        self, order: Order, scope: Scope, receive: Receive
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        try:
            body = await _body(scope, receive)
            parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
            if not sampled(parent):
                return 200, await order(body), []
            with self._tracing.continued(f"POST {scope['path']}", parent, SpanKind.SERVER):
                return 200, await order(body), []
        except Refused as failure:
            return failure.status, detail(failure.feast, failure.what, failure.remedy), []
        except StoreUnavailable as failure:
            told = detail("FeastError", failure.what, failure.remedy)
            return HTTPStatus.SERVICE_UNAVAILABLE, told, [(b"retry-after", b"1")]
        except Exception:  # one bad request must not end the server
            log.exception("request failed", extra={"path": scope["path"]})
            told = detail("FeastError", "the service failed for a reason nobody named", "see its log")
            return HTTPStatus.INTERNAL_SERVER_ERROR, told, []

    def _asked_for(self, method: str, path: str) -> Answer:
        if path in self._orders:
            told = detail("FeastError", f"{method:.20} {path} is not possible", "send a POST with a JSON body")
            return HTTPStatus.METHOD_NOT_ALLOWED, JSON, told
        if method not in ("GET", "HEAD") or path not in self._questions:
            paths = ", ".join((*self._questions, *self._orders))
            return HTTPStatus.NOT_FOUND, JSON, detail("FeastError", f"no path {path:.100}", f"there are {paths}")
        return self._questions[path]()

    def _healthy(self) -> Answer:
        good = self._wire.connected.is_set()
        return (200, TEXT, b"") if good else (503, TEXT, b"no connection to the online store\n")

    async def _read(self, body: bytes) -> bytes:
        try:
            asked = self._asked(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
            raise _unreadable(failure) from None
        return await self._reading.answer(asked)

    async def _push(self, body: bytes) -> bytes:
        pushed = _decoded(Pushed, body)
        view, outcome = await asyncio.to_thread(self._writing.push, pushed)
        self._count(view, outcome._asdict())
        return _NO_VALUE

    async def _write(self, body: bytes) -> bytes:
        written = _decoded(Written, body)
        view, outcome = await asyncio.to_thread(self._writing.write, written)
        self._count(view, outcome._asdict())
        return _NO_VALUE

    def _count(self, view: str, outcomes: Mapping[str, int]) -> None:
        for outcome, rows in outcomes.items():
            self._figures.written.labels(view, outcome).inc(rows)

    async def _elsewhere(self, _body: bytes) -> bytes:
        raise NotHere("materialisation", "batch features are made and written by the batch job: python -m lake build")


def _decoded(kind: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise _unreadable(failure) from None


def _unreadable(failure: Exception) -> Unreadable:
    if isinstance(failure, msgspec.ValidationError):
        return Unreadable(f"request: {failure}", "send it as Feast's feature server takes it")
    if isinstance(failure, RecursionError):
        return Unreadable("body: JSON nested too deep to be a request", "send it as Feast's feature server takes it")
    return Unreadable(f"body: no JSON: {failure}", "send UTF-8 JSON; NaN and Infinity are none, write null instead")


async def _body(scope: Scope, receive: Receive) -> bytes:
    try:
        return await asgi.read(scope, receive, LARGEST)
    except asgi.BodyTooLarge as failure:
        raise TooLarge(failure.what, "ask for fewer rows at a time") from None
    except asgi.BodyCut as failure:
        raise Unreadable(failure.what, failure.remedy) from None

"""The HTTP side: Feast's paths, probes and metrics, as one plain ASGI application.

No framework stands between the server and the plans: a request is a path, a body of at most 10 MB and an answer.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from opentelemetry.trace import SpanKind

from feature.asking import Asked
from feature.errors import NotHere, Refused, StoreUnavailable, TooLarge, Unreadable, detail
from feature.figures import Figures
from feature.reading import Reading
from feature.wire import Wire
from feature.writing import Pushed, Writing, Written
from runtime import metrics
from runtime.health import Health
from runtime.tracing import Tracing, sampled

log = logging.getLogger(__name__)

LARGEST = 10_000_000
"""Bytes of a body."""

LINGER_BYTES, LINGER_SECONDS = 100_000_000, 10.0
"""How much, and how long, is read of a body that was refused."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Order = Callable[[bytes], Awaitable[bytes]]
Answer = tuple[int, bytes, bytes]
"""Status, content type, body."""
T = TypeVar("T")
_JSON, _TEXT = b"application/json", b"text/plain; charset=utf-8"
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
            "/livez": lambda: _probe(self._health.alive()),
            "/readyz": lambda: _probe(self._health.ready()),
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
            await _send(send, *self._asked_for(scope["method"], path))
            return
        begun = time.perf_counter()
        status, body, more = await self._ordered(order, scope, receive)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await _linger(receive, send, body)
        else:
            await _send(send, status, _JSON, body, more)
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
            told = detail("FeastError", f"{method} {path} is not possible", "send a POST with a JSON body")
            return HTTPStatus.METHOD_NOT_ALLOWED, _JSON, told
        if method not in ("GET", "HEAD") or path not in self._questions:
            paths = ", ".join((*self._questions, *self._orders))
            return HTTPStatus.NOT_FOUND, _JSON, detail("FeastError", f"no path {path}", f"there are {paths}")
        return self._questions[path]()

    def _healthy(self) -> Answer:
        good = self._wire.connected.is_set()
        return (200, _TEXT, b"") if good else (503, _TEXT, b"no connection to the online store\n")

    async def _read(self, body: bytes) -> bytes:
        try:
            asked = self._asked(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as failure:
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
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise _unreadable(failure) from None


def _unreadable(failure: Exception) -> Unreadable:
    if isinstance(failure, msgspec.ValidationError):
        return Unreadable(f"request: {failure}", "send it as Feast's feature server takes it")
    return Unreadable(f"body: no JSON: {failure}", "send UTF-8 JSON; NaN and Infinity are none, write null instead")


def _probe(told: tuple[bool, str]) -> Answer:
    good, words = told
    return (200 if good else 503), _TEXT, f"{words}\n".encode()


async def _body(scope: Scope, receive: Receive) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > LARGEST:
            raise _too_large(int(value))
    message = await receive()
    if not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unreadable("body: the caller left", "send all of it")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise _too_large(size)
    return b"".join(parts)


def _too_large(size: int) -> TooLarge:
    return TooLarge(f"body: {size} bytes; {LARGEST} are the limit", "ask for fewer rows at a time")


async def _send(send: Send, status: int, kind: bytes, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _linger(receive: Receive, send: Send, body: bytes) -> None:
    """Tell that the body is too large, and throw away what is still on its way.

    A caller that is cut off while it sends would never read why.
    """
    headers = [(b"content-type", _JSON), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    left = LINGER_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    break
    await send({"type": "http.response.body", "body": b""})

"""The HTTP side of a service: probes, metrics and questions.

The standard library's server with a thread per connection: a few hundred requests per second at a few MiB, which is
what probes, scrapes and a trainee's questions need. Serving predictions is another service's work.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import msgspec
from prometheus_client import CollectorRegistry

from runtime import metrics
from runtime.health import Health
from runtime.tracing import Tracing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """An answer for a browser, in place of a JSON value."""

    html: str


Answer = tuple[HTTPStatus, Any]
"""Status, and a JSON value or a `Page`."""
Question = Callable[[tuple[str, ...]], Answer]
"""GET: the path's further segments -> answer; it changes nothing."""
Order = Callable[[tuple[str, ...], Any], Answer]
"""POST: the path's further segments and the JSON body (None without one) -> answer."""

_BODY_BYTES = 1024 * 1024  # a larger body is refused unread
_DIGITS = 12  # of a length: more is no length
_JSON = "application/json"


class Web:
    """Answers on `port` until closed.

    Args:
        port: TCP port, 0 for a free one; `self.port` says which.
        health: what `/livez` and `/readyz` tell.
        registry: what `/metrics` tells.
        questions: first path segment -> what answers a GET.
        orders: first path segment -> what carries out a POST.
        tracing: makes a span of each request whose caller traces.
        host: address to listen on.
    """

    def __init__(  # noqa: PLR0913  the parts of a service meet here
        self,
        port: int,
        health: Health,
        registry: CollectorRegistry,
        *,
        questions: Mapping[str, Question] | None = None,
        orders: Mapping[str, Order] | None = None,
        tracing: Tracing | None = None,
        host: str = "0.0.0.0",  # noqa: S104  probes come from the node
    ) -> None:
        self.health = health
        self.registry = registry
        self.questions = dict(questions or {})
        self.orders = dict(orders or {})
        self.tracing = tracing or Tracing.off()
        web = self

        class Handler(_Handler):
            site = web

        self._server = _Server((host, port), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="web", daemon=True)

    def start(self) -> "Web":
        """Begin to answer, in a thread."""
        self._thread.start()
        log.info("answering", extra={"port": self.port})
        return self

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body for `path`."""
        first, *rest = _segments(path)
        if first == "metrics":
            return HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.exposition(self.registry)
        if first in ("livez", "readyz"):
            good, words = self.health.alive() if first == "livez" else self.health.ready()
            return (HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE), "text/plain", f"{words}\n".encode()
        return _written(*self._asked(first, tuple(rest)))

    def ordered(self, path: str, body: bytes) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body of the answer to a POST."""
        first, *rest = _segments(path)
        if first not in self.orders:
            status, answer = HTTPStatus.NOT_FOUND, {"error": f"nothing to do at /{first}", "paths": sorted(self.orders)}
        else:
            try:
                given = msgspec.json.decode(body) if body else None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
                status, answer = HTTPStatus.BAD_REQUEST, {"error": f"the body is no JSON: {failure}"}
            else:
                status, answer = self.orders[first](tuple(rest), given)
        return _written(status, answer)

    def _asked(self, first: str, rest: tuple[str, ...]) -> Answer:
        if first not in self.questions:
            paths = ["/livez", "/readyz", "/metrics", *(f"/{name}" for name in self.questions)]
            return HTTPStatus.NOT_FOUND, {"error": f"no such path: /{first}", "paths": paths}
        return self.questions[first](rest)


def _written(status: HTTPStatus, answer: Any) -> tuple[HTTPStatus, str, bytes]:  # noqa: ANN401  a page or any JSON
    if isinstance(answer, Page):
        return status, "text/html; charset=utf-8", answer.html.encode()
    return status, _JSON, json.dumps(answer).encode() + b"\n"


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.split("?", 1)[0].split("/") if part] or [""]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the base class' signature
        """A caller that gave up breaks its connection: worth a line at most, never a stack on standard error."""
        log.debug("connection broken")


class _Handler(BaseHTTPRequestHandler):
    site: Web
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds a silent connection is kept

    def do_GET(self) -> None:
        if self._body() is not None:  # nobody reads it, but the next request begins behind it
            self._answer(lambda: self.site.answer(self.path))

    do_HEAD = do_GET  # noqa: N815  the base class' names

    def do_POST(self) -> None:
        body = self._body()
        if body is not None:
            self._answer(lambda: self.site.ordered(self.path, body))

    def _body(self) -> bytes | None:
        """The request's body; None where it was refused, or where the caller left: half an order is none."""
        told = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a body in pieces is not taken; send its Content-Length")
        elif not (told.isascii() and told.isdecimal() and len(told) <= _DIGITS):
            self._refuse(HTTPStatus.BAD_REQUEST, f"Content-Length {told:.20} is none; send the number of bytes")
        elif int(told) > _BODY_BYTES:
            error = f"the body has {int(told)} bytes; {_BODY_BYTES} are the limit"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
        else:
            body = self.rfile.read(int(told))
            if len(body) == int(told):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: HTTPStatus, error: str) -> None:
        """Say what is wrong and close: where the next request would begin, nobody knows."""
        self.close_connection = True
        self._send(status, _JSON, json.dumps({"error": error}).encode() + b"\n")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the base class refuses: what is no HTTP, or a method that it has no function for."""
        self.request_version = self.protocol_version  # the base class' own guess is one whose answers have no head
        known = code != HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus(code) if known else HTTPStatus.METHOD_NOT_ALLOWED
        self._refuse(status, (message or status.phrase) if known else f"{self.command:.20} is not possible; send a GET")

    def _answer(self, make: Callable[[], tuple[HTTPStatus, str, bytes]]) -> None:
        parent = self.headers.get("traceparent")
        with self.site.tracing.continued(f"{self.command} {self.path}", parent.encode() if parent else None):
            try:
                status, kind, body = make()
            except Exception as failure:  # one bad request must not end the connection's thread unseen
                log.exception("request failed", extra={"path": self.path})
                status, kind = HTTPStatus.INTERNAL_SERVER_ERROR, _JSON
                body = json.dumps({"error": str(failure)}).encode()
        self._send(status, kind, body)

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD, POST")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class' name
        log.debug("request", extra={"line": format % args})

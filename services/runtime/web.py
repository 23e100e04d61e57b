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
                given = json.loads(body) if body else None
            except ValueError as failure:
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
    return status, "application/json", json.dumps(answer).encode() + b"\n"


def _segments(path: str) -> list[str]:
    return [part for part in path.split("?", 1)[0].split("/") if part] or [""]


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
        self._answer(lambda: self.site.answer(self.path))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_BYTES:
            self.close_connection = True
            error = json.dumps({"error": f"the body has {length} bytes; {_BODY_BYTES} are the limit"}).encode()
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "application/json", error)
            return
        body = self.rfile.read(length)
        self._answer(lambda: self.site.ordered(self.path, body))

    def _answer(self, make: Callable[[], tuple[HTTPStatus, str, bytes]]) -> None:
        parent = self.headers.get("traceparent")
        with self.site.tracing.continued(f"{self.command} {self.path}", parent.encode() if parent else None):
            try:
                status, kind, body = make()
            except Exception as failure:  # one bad request must not end the connection's thread unseen
                log.exception("request failed", extra={"path": self.path})
                status, kind = HTTPStatus.INTERNAL_SERVER_ERROR, "application/json"
                body = json.dumps({"error": str(failure)}).encode()
        self._send(status, kind, body)

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class' name
        log.debug("request", extra={"line": format % args})

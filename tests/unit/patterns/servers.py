"""Other roles as fakes at the wire: HTTP servers on this machine that answer as told and remember who asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Any]
"""Status and body: JSON, or text as it is."""


class _Listener(ThreadingHTTPServer):
    """Takes many callers at once: one that finds no room tries again after a second."""

    daemon_threads = True
    request_queue_size = 64


class Server:
    """One fake role.

    Args:
        answer: method, path and JSON body -> reply.
    """

    def __init__(self, answer: Callable[[str, str, Any], Reply]) -> None:
        self.answer = answer
        self.calls: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.handle(self)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  the base class' names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class' name
                pass

        self._server = _Listener(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Remember one request and answer it."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        call = (request.command, request.path, json.loads(body) if body else None)
        self.calls.append(call)
        self.headers.append(dict(request.headers))
        status, told = self.answer(*call)
        content = told.encode() if isinstance(told, str) else json.dumps(told).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            pass  # who asked has lost patience

    def close(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(answer: Callable[[str, str, Any], Reply]) -> Iterator[Server]:
    """A fake role for the time of a test."""
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    server = Server(lambda *_: (200, {}))
    server.close()
    yield server.address

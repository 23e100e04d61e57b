"""Runs a plain ASGI application under uvicorn, as every service that answers many requests does."""

import gc
import json
import logging
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

HOST = "0.0.0.0"  # noqa: S104  callers come from other pods
"""Where services listen."""
HEAD_BYTES = 65_536
"""Of a request's line and headers, or of whatever else a caller sends that is neither a new request nor a body."""


async def listen(application: Any, port: int, drain_seconds: float) -> None:  # noqa: ANN401  uvicorn's own type is looser
    """Answer until the process is asked to stop; what was begun is finished first.

    Args:
        application: as ASGI has it.
        port: TCP port.
        drain_seconds: that finishing may take.
    """
    config = uvicorn.Config(
        application,
        host=HOST,
        port=port,
        http=Protocol,
        ws="none",  # an upgrade is an offer: who asks for one is answered over HTTP
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=max(1, int(drain_seconds)),
        backlog=1024,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what it has to say at a start, we say ourselves
    # What was made until now stays: the collector need not look at it with every request's garbage.
    gc.collect()
    gc.freeze()
    log.info("answering", extra={"port": port})
    await uvicorn.Server(config).serve()


class Protocol(HttpToolsProtocol):
    """uvicorn's, which would keep a head of any size: headers, trailers and chunk extensions without end are refused.

    What is no HTTP is refused as JSON, in the form in which V2 has its errors.
    """

    _steps = 0
    """Heads, pieces of bodies and ends of requests so far."""
    _seen = 0
    """As many as there were when bytes last came."""
    _held = 0
    """Bytes that came since, and brought none of it."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless too many came that lead nowhere."""
        super().data_received(data)
        if self._steps != self._seen:
            self._seen, self._held = self._steps, 0
            return
        self._held += len(data)
        if self._held > HEAD_BYTES:
            what = f"request: its line and headers have more than {HEAD_BYTES} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"{what} - send fewer, or shorter ones")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._steps += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._steps += 1
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body is here."""
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It ends."""
        self._steps += 1
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the base class' signature
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "request: it is no HTTP/1.1 - send line, headers and body as that has it")

    def _refuse(self, status: HTTPStatus, error: str) -> None:
        body = json.dumps({"error": error}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

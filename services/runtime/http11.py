"""HTTP/1.1 between a socket and a plain ASGI application: what uvicorn's server runs for each connection.

uvicorn listens, counts connections and drains them at the end, llhttp (by way of httptools) parses; what stands between
them here does as little for a request as HTTP allows. Against uvicorn's own protocol that is 34 of the 75 microseconds
that a small inference takes (bench/serving.py), so it is ours.

What an application may count on is ASGI's, with these limits: an answer without a content length ends its connection,
and a protocol that a caller would upgrade to is none of ours.
"""

import asyncio
import functools
import json
import threading
from collections import deque
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import httptools

from runtime.exchange import HEADS, Application, Exchange

IDLE_SECONDS, SLOW_SECONDS = 75.0, 30.0
"""How long a connection may be silent between two requests, and in the middle of one."""
HEAD_BYTES = 65_536
"""Of a request's line and headers, or of whatever else a caller sends that is neither a new request nor a body."""
_COMING_BYTES = 262_144
"""That come in at a time: a request with a tensor of 128 KiB is there at once."""
_LOOK_SECONDS = 5.0
_LINGER_SECONDS, _LINGER_BYTES = 2.0, 4_000_000
"""How long, and how much, is still taken from a caller who was told that the connection ends."""


class Connection(asyncio.BufferedProtocol):
    """One connection; uvicorn makes one for each that it accepts.

    Args:
        config: uvicorn's; its application is the one that answers.
        server_state: uvicorn's; holds the open connections.
        app_state: of a lifespan, which plain applications have not.
        _loop: that runs the connection.

    Attributes:
        full: whether the caller takes less than it is sent, for the moment.
    """

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:  # noqa: ANN401
        del app_state
        self._application: Application = config.loaded_app
        self._state = server_state
        self._loop: asyncio.AbstractEventLoop = _loop or asyncio.get_event_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._waiting: deque[Exchange] = deque()
        """Requests that came while another is answered."""
        self._current: Exchange | None = None
        self._reading: Exchange | None = None
        """The request whose body comes in."""
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._active = 0.0
        """Time of the loop when something last came in."""
        self._steps = self._seen = self._held = 0
        """Heads, pieces of bodies and ends of requests: so far, when bytes last came; bytes since that led to none."""
        self._heading = False
        """Whether a head is under way."""
        self._paused = self._last = self.full = False
        self._drain: asyncio.Future[None] | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expected = False
        self._coming = memoryview(b"")

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._coming = _coming(threading.get_ident())
        self._state.connections.add(self)
        self._active = self._loop.time()
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End: whoever waits for the rest of a body, or to send more, is told."""
        del exc
        self._state.connections.discard(self)
        if self._timer:
            self._timer.cancel()
        for each in (self._current, *self._waiting):
            if each:
                each.gone = True
                each.wake()
        self._waiting.clear()
        self.resume_writing()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: all connections' of a loop to one place, as what came is parsed before more does."""
        del sizehint
        return self._coming

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came, and begin to answer."""
        data = self._coming[:nbytes]
        if self._last:
            # What comes after a connection's last request is nobody's; who sends without end is cut off.
            self._held += len(data)
            if self._held > _LINGER_BYTES:
                self._transport.abort()
            return
        self._active = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Whoever would speak something else is answered in HTTP/1.1, which the protocol allows.
            self._end()
        except httptools.HttpParserError as failure:
            told = f"request: no HTTP/1.1: {failure}"
            self._refuse(HTTPStatus.BAD_REQUEST, told, "send a request as RFC 9112 has it")
            return
        if self._steps != self._seen:
            self._seen, self._held = self._steps, 0
        else:
            self._held += len(data)
        if self._held > HEAD_BYTES:
            told = f"request: its line and headers have more than {HEAD_BYTES} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, told, "send fewer, or shorter ones")
            return
        self._advance()

    def pause_writing(self) -> None:
        """Hold answers back: the caller does not read."""
        self.full = True

    def resume_writing(self) -> None:
        """Go on."""
        self.full = False
        if self._drain and not self._drain.done():
            self._drain.set_result(None)

    def shutdown(self) -> None:
        """Take no further request; close once what was begun is answered."""
        self._last = True
        self._waiting.clear()
        if self._current:
            self._current.keep = False
        else:
            self._transport.close()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._steps += 1
        self._heading = True
        self._url, self._headers, self._expected = b"", [], False

    def on_url(self, url: bytes) -> None:
        """Take a part of its address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those that come behind a body are nobody's."""
        if self._reading:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expected = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Line the request up."""
        self._steps += 1
        self._heading = False
        parser = self._parser
        path, raw, query = _parted(self._url)
        version = parser.get_http_version()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": path,
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": None,
            "server": None,
        }
        keep = version != "1.0" and parser.should_keep_alive()
        self._reading = Exchange(self, scope, keep=keep, expected=self._expected)
        self._waiting.append(self._reading)

    def on_body(self, body: bytes) -> None:
        """Take a part of its body."""
        self._steps += 1
        reading = self._reading
        if reading and not reading.finished:
            reading.arrived(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._steps += 1
        reading = self._reading
        if reading:
            reading.complete = True
            reading.wake()
            self._reading = None

    # What an exchange calls.

    def write(self, data: bytes) -> None:
        """Send; a caller who left gets nothing."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the caller has taken what it was sent."""
        while self.full:
            self._drain = self._loop.create_future()
            await self._drain

    def pause(self) -> None:
        """Leave what comes with the caller."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Take what comes."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """Go on to the next request, or close."""
        self._state.total_requests += 1
        self._current = None
        if exchange.keep and (self._waiting or not self._last):
            # Of a body that nobody wanted the rest is thrown away as it comes; then the next request is taken.
            self._advance()
            if not self._waiting:
                self.resume()
        else:
            self._close(whole=exchange.complete)

    def given_up(self, exchange: Exchange, *, begun: bool) -> None:
        """Close after a request that was not answered to its end; say so where nothing was said yet."""
        self._current = None
        if begun:
            self._transport.close()
        elif exchange.gone:
            self._refuse(HTTPStatus.BAD_REQUEST, "body: it was cut", "send all of it")
        else:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "the service failed", "see its log")

    # Its own.

    def _advance(self) -> None:
        """Begin the next request, if none is under way."""
        if self._current:
            if self._waiting:
                self.pause()
        elif self._waiting:
            self._current = self._waiting.popleft()
            self._task = self._loop.create_task(self._current.run(self._application))

    def _end(self) -> None:
        """Let the newest request be the last."""
        self._last = True
        newest = self._waiting[-1] if self._waiting else self._current
        if newest:
            newest.keep = False
        else:
            self._close(whole=True)

    def _refuse(self, status: HTTPStatus, what: str, remedy: str) -> None:
        """Answer what is no request, and close."""
        self._last = True
        body = json.dumps({"error": f"{what} - {remedy}"}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        if self._current is None and not self._waiting and not self._transport.is_closing():
            self._transport.write(HEADS[status] + head.encode() + body)
        if self._current:
            self._current.keep = False
            self._current.gone = True
            self._current.wake()
        else:
            self._close(whole=False)

    def _close(self, *, whole: bool) -> None:
        """Close; where the caller may be sending still, only our side at first, or it would never read its answer."""
        self._last = True
        if whole or self._transport.is_closing():
            self._transport.close()
            return
        self.resume()
        self._transport.write_eof()
        self._loop.call_later(_LINGER_SECONDS, self._transport.close)

    def _look(self) -> None:
        """Close a connection that has been silent for too long."""
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
        silent = self._loop.time() - self._active
        if self._reading and self._reading is self._current and not self._paused:
            if silent > SLOW_SECONDS:
                self._last = True
                self._reading.keep = False
                self._reading.gone = True
                self._reading.wake()
        elif self._current is None and silent > (SLOW_SECONDS if self._heading else IDLE_SECONDS):
            self._transport.close()


@functools.cache
def _coming(thread: int) -> memoryview:
    """What takes the bytes that come to the loop of a thread."""
    del thread
    return memoryview(bytearray(_COMING_BYTES))


@functools.lru_cache(maxsize=4096)
def _parted(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, path as it came and query of an address; what is no UTF-8 leads nowhere, but is no error."""
    parsed = httptools.parse_url(url)
    raw: bytes = parsed.path or b"/"
    path = (unquote_to_bytes(raw) if b"%" in raw else raw).decode("utf-8", "replace")
    return path, raw, parsed.query or b""

"""One request and its answer over HTTP/1.1, between an ASGI application and the connection that carries both.

It knows what a request and an answer may look like (bodies that are awaited, answers without a body, headers that may
not be sent), and nothing of sockets, parsers or other requests.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol, cast

from runtime.asgi import Headers, Receive, Scope, Send

log = logging.getLogger(__name__)

HEADS = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
"""First line of an answer, by its status."""
_HIGH_WATER = 262_144
"""Bytes of a body that wait for the application; more stay with the caller until it has taken them."""
_BODILESS = (204, 304)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Carrier(Protocol):
    """What an exchange asks of its connection."""

    @property
    def full(self) -> bool:
        """Whether the caller takes less than it is sent, for the moment."""

    def write(self, data: bytes) -> None:
        """Send; a caller who left gets nothing."""

    async def drained(self) -> None:
        """Wait until the caller has taken what it was sent."""

    def pause(self) -> None:
        """Leave what comes with the caller."""

    def resume(self) -> None:
        """Take what comes."""

    def answered(self, exchange: "Exchange") -> None:
        """Go on to the next request, or close."""

    def given_up(self, exchange: "Exchange", *, begun: bool) -> None:
        """Close after a request that was not answered to its end; say so where nothing was said yet."""


class Exchange:
    """A request and its answer, as the application sees them: `receive` and `send` of ASGI.

    Args:
        connection: on which it came.
        scope: of the request.
        keep: whether the connection may carry another one afterwards.
        expected: whether the caller waits to be told to send the body.
    """

    __slots__ = (
        "_begun", "_bodiless", "_connection", "_ended", "_expected", "_head", "_parts", "_size", "_waiter", "complete",
        "finished", "gone", "keep", "scope",
    )  # fmt: skip

    def __init__(self, connection: Carrier, scope: Scope, *, keep: bool, expected: bool) -> None:
        self.scope = scope
        self.keep = keep
        self.complete = self.finished = self.gone = False
        self._connection = connection
        self._expected = expected
        self._parts: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._begun = self._bodiless = self._ended = False

    def arrived(self, part: bytes) -> None:
        """Take a part of the body from the parser."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > _HIGH_WATER:
            self._connection.pause()
        self.wake()

    def wake(self) -> None:
        """Let the application look again at what is there."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> dict[str, Any]:
        """The next part of the body; `http.disconnect` once there is none to come."""
        if self._expected and not (self._parts or self.complete):
            self._connection.write(_CONTINUE)
        self._expected = False
        while not (self._parts or self._ends() or self.gone or self.finished):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.finished or not (self._parts or self._ends()):
            return {"type": "http.disconnect"}
        parts, self._parts = self._parts, []
        if self._size > _HIGH_WATER:
            self._connection.resume()
        self._size = 0
        self._ended = self.complete
        return {
            "type": "http.request",
            "body": parts[0] if len(parts) == 1 else b"".join(parts),
            "more_body": not self.complete,
        }

    def _ends(self) -> bool:
        """Whether the application is still to be told that the body is complete."""
        return self.complete and not self._ended

    async def send(self, message: Any) -> None:  # noqa: ANN401  as ASGI has it
        """Take a message of the answer; it goes out with the first part of its body."""
        if message["type"] == "http.response.start":
            self._begin(message["status"], message["headers"])
            return
        if self._connection.full:
            await self._connection.drained()
        more = message.get("more_body", False)
        body = b"" if self._bodiless else message.get("body", b"")
        if self._head:
            body, self._head = self._head + body, b""
        if body:
            self._connection.write(body)
        if not more:
            self.finished = True
            self.wake()
            self._connection.answered(self)

    def _begin(self, status: int, headers: Headers) -> None:
        if self._begun:
            raise RuntimeError("the answer was begun twice")
        told = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
        if told.count(b"\n") != len(headers) or told.count(b"\r") != len(headers):
            raise RuntimeError(f"a header of the answer holds a line's end: {told[:200]!r}")
        names = [name for name, _ in headers]
        self._bodiless = status in _BODILESS or self.scope["method"] == "HEAD"
        if b"content-length" not in names and not self._bodiless:
            self.keep = False
        if self._expected and not self.complete:
            self.keep = False  # whether the body is still to come, only the caller knows
        if self.keep and b"connection" in names:
            self.keep = (b"connection", b"close") not in headers
        elif not self.keep and b"connection" not in names:
            told += b"connection: close\r\n"
        self._head = HEADS[status] + told + b"\r\n"
        self._begun = True

    async def run(self, application: Application) -> None:
        """Have the request answered, come what may."""
        try:
            await application(self.scope, cast("Receive", self.receive), self.send)
        except Exception:  # an application's fault must not leave its caller without an answer
            log.exception("application failed", extra={"path": self.scope["path"]})
        if not self.finished:
            self._connection.given_up(self, begun=self._begun and not self._head)

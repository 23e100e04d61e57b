"""What plain ASGI applications share: bodies within a limit, answers, and a way out of a body that is too large.

No framework stands between the server and those who answer: it would cost more than most answers do.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from runtime.errors import Permanent, Temporary

LINGER_BYTES, LINGER_SECONDS = 100_000_000, 10.0
"""How much, and how long, is read of a body that was refused."""
BODY_SECONDS = 60.0
"""That a body may take to come; until then it keeps its room."""
SMALL = 65_536
"""Bytes of a body that no `Room` counts."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
Answer = tuple[int, bytes, bytes]
"""Status, content type, body."""

JSON, TEXT, BINARY = b"application/json", b"text/plain; charset=utf-8", b"application/octet-stream"


class BodyTooLarge(Permanent):
    """The body has more bytes than the service takes."""


class BodyCut(Permanent):
    """The caller left before the end of the body, or sends no more of it."""


class Crowded(Temporary):
    """All bodies together have more bytes than the service has room for."""


class Room:
    """What the bodies of all requests have together, those that are still being read among them.

    Args:
        most: bytes.
    """

    __slots__ = ("_most", "held")

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, size: int) -> None:
        """Make room for so many bytes more.

        Raises:
            Crowded: there is none.
        """
        if self.held + size > self._most:
            told = f"body: requests with {self.held} bytes are being answered; {self._most} are the limit"
            raise Crowded(told, "try again after the seconds that Retry-After says")
        self.held += size

    def hold(self, body: bytes) -> None:
        """Make room for a body that is there as a whole.

        Raises:
            Crowded: there is none.
        """
        if len(body) > SMALL:
            self.take(len(body))

    def give(self, body: bytes) -> None:
        """A body that was read is done with."""
        if len(body) > SMALL:
            self.held -= len(body)


async def read(scope: Scope, receive: Receive, largest: int, room: Room | None = None) -> bytes:
    """The whole body of a request.

    Args:
        scope: of the request.
        receive: gives its messages.
        largest: bytes that it may have.
        room: for all of them; whoever has done with the body gives it back.

    Raises:
        BodyTooLarge: it has more, or says so; what is still on its way is for `linger`.
        Crowded: there is no room for it; likewise.
        BodyCut: the caller left, or takes too long.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > largest:
            raise _too_large(int(value), largest)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _cut()
    body = bytes(message.get("body", b""))
    if not message.get("more_body"):
        if len(body) > largest:
            raise _too_large(len(body), largest)
        if room:
            room.hold(body)
        return body
    return await _rest(receive, body, largest, room)


async def _rest(receive: Receive, first: bytes, largest: int, room: Room | None) -> bytes:
    """A body of which the first part is there."""
    part = _Part(room)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _joined(receive, first, largest, part)
    except TimeoutError:
        part.leave()
        raise BodyCut(f"body: it did not come within {BODY_SECONDS:g} s", "send it at once") from None
    except BaseException:
        part.leave()
        raise


class _Part:
    """What one body that is still being read has of a room."""

    __slots__ = ("_room", "_taken")

    def __init__(self, room: Room | None) -> None:
        self._room = room
        self._taken = 0

    def grow(self, size: int) -> None:
        """The body has so many bytes by now.

        Raises:
            Crowded: there is no room for them.
        """
        if self._room and size > SMALL:
            self._room.take(size - self._taken)
            self._taken = size

    def leave(self) -> None:
        """The body will not be read to its end."""
        if self._room:
            self._room.held -= self._taken


async def _joined(receive: Receive, first: bytes, largest: int, part: _Part) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _cut()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise _too_large(size, largest)
        part.grow(size)
        more = message.get("more_body", False)
    return b"".join(parts)


async def answer(send: Send, status: int, kind: bytes, body: bytes, more: Headers = ()) -> None:
    """Send an answer.

    Args:
        send: takes its messages.
        status: of HTTP.
        kind: content type.
        body: all of it.
        more: further headers.
    """
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def linger(receive: Receive, send: Send, body: bytes, status: int = 413, more: Headers = ()) -> None:
    """Tell with `body`, JSON, that the body is not taken, and throw away what is still on its way.

    A caller that is cut off while it sends would never read why.

    Args:
        receive: gives the messages of the request.
        send: takes those of the answer.
        body: of the answer.
        status: of HTTP.
        more: further headers.
    """
    headers = [(b"content-type", JSON), (b"content-length", str(len(body)).encode()), (b"connection", b"close"), *more]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
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


def probe(told: tuple[bool, str]) -> Answer:
    """The answer to a probe: 200 or 503, and why."""
    good, words = told
    return (200 if good else 503), TEXT, f"{words}\n".encode()


def _cut() -> BodyCut:
    return BodyCut("body: the caller left", "send all of it")


def _too_large(size: int, largest: int) -> BodyTooLarge:
    return BodyTooLarge(f"body: {size} bytes; {largest} are the limit", "send it in several requests")

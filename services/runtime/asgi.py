"""What plain ASGI applications share: bodies within a limit, answers, and a way out of a body that is too large.

No framework stands between the server and those who answer: it would cost more than most answers do.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from runtime.errors import Permanent

LINGER_BYTES, LINGER_SECONDS = 100_000_000, 10.0
"""How much, and how long, is read of a body that was refused."""

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
    """The caller left before the end of the body."""


async def read(scope: Scope, receive: Receive, largest: int) -> bytes:
    """The whole body of a request.

    Args:
        scope: of the request.
        receive: gives its messages.
        largest: bytes that it may have.

    Raises:
        BodyTooLarge: it has more, or says so; what is still on its way is for `linger`.
        BodyCut: the caller left.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > largest:
            raise _too_large(int(value), largest)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _cut()
    if not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _cut()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise _too_large(size, largest)
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


async def linger(receive: Receive, send: Send, body: bytes) -> None:
    """Tell with `body`, JSON, that the body is too large (413), and throw away what is still on its way.

    A caller that is cut off while it sends would never read why.
    """
    headers = [(b"content-type", JSON), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
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


def probe(told: tuple[bool, str]) -> Answer:
    """The answer to a probe: 200 or 503, and why."""
    good, words = told
    return (200 if good else 503), TEXT, f"{words}\n".encode()


def _cut() -> BodyCut:
    return BodyCut("body: the caller left", "send all of it")


def _too_large(size: int, largest: int) -> BodyTooLarge:
    return BodyTooLarge(f"body: {size} bytes; {largest} are the limit", "send it in several requests")

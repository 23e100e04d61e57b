"""A server of our HTTP protocol on a socket, and a caller that speaks to it byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import uvicorn

from runtime import asgi
from runtime.http11 import Connection

MOST = 1_000_000
GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: here\r\n\r\n"


async def echo(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    """Tell what came: the path picks what is special about the answer."""
    path = scope["path"]
    if path == "/unread":
        await asgi.answer(send, 200, asgi.TEXT, b"no matter")
        return
    if path == "/fails":
        raise ValueError("no answer")
    body = await asgi.read(scope, receive, MOST)
    if path == "/slow":
        await asyncio.sleep(0.2)
    if path == "/large":
        await asgi.answer(send, 200, asgi.BINARY, bytes(8_000_000))
        return
    if path == "/unsized":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})
        return
    if path == "/split":
        await asgi.answer(send, 200, asgi.TEXT, b"", [(b"x", b"1\r\ny: 2")])
        return
    if path == "/names":
        names = {"names": [name.decode() for name, _ in scope["headers"]]}
        await asgi.answer(send, 200, asgi.JSON, json.dumps(names).encode())
        return
    told = {key: scope[key] for key in ("method", "path", "http_version")}
    told |= {"query": scope["query_string"].decode(), "bytes": len(body), "sum": sum(body)}
    await asgi.answer(send, 200, asgi.JSON, json.dumps(told).encode())


@asynccontextmanager
async def server() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """Return a server of `echo`, and its port."""
    config = uvicorn.Config(
        echo, host="127.0.0.1", port=0, http=cast("Any", Connection), ws="none", proxy_headers=False, lifespan="off",
        log_config=None, timeout_graceful_shutdown=5,
    )  # fmt: skip
    serving = uvicorn.Server(config)
    task = asyncio.create_task(serving._serve())
    while not serving.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield serving, serving.servers[0].sockets[0].getsockname()[1]
    finally:
        serving.should_exit = True
        await task


class Caller:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        length = headers.get("content-length")
        if bodiless:
            body = b""
        elif length is None:
            body = await self.reader.read()
        else:
            body = await self.reader.readexactly(int(length))
        return int(head[0].split()[1]), headers, body

    async def told(self) -> dict[str, Any]:
        """What the application saw of the next request."""
        status, _, body = await self.answer()
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found


def with_a_caller(work: Callable[[Caller], Awaitable[None]]) -> None:
    """Run `work` on a connection to a server."""

    async def run() -> None:
        async with asyncio.timeout(20), server() as (_, port):
            caller = Caller(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))
            try:
                await work(caller)
            finally:
                caller.writer.close()

    asyncio.run(run())


def post(path: str, body: bytes, *headers: str, version: str = "1.1") -> bytes:
    """Return a request, as its bytes."""
    told = "".join(f"{each}\r\n" for each in headers)
    return f"POST {path} HTTP/{version}\r\nHost: here\r\n{told}Content-Length: {len(body)}\r\n\r\n".encode() + body

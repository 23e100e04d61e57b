"""HTTP/1.1 over real sockets: what the protocol makes of requests, whole and in pieces, good and bad."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import asgi, http11

_MOST = 1_000_000
_GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: here\r\n\r\n"


async def _echo(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    """Tell what came: the path picks what is special about the answer."""
    path = scope["path"]
    if path == "/unread":
        await asgi.answer(send, 200, asgi.TEXT, b"no matter")
        return
    if path == "/fails":
        raise ValueError("no answer")
    body = await asgi.read(scope, receive, _MOST)
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
async def _server() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    config = uvicorn.Config(
        _echo, host="127.0.0.1", port=0, http=http11.Connection, ws="none", proxy_headers=False, lifespan="off",
        log_config=None, timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


class _Caller:
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


def _with(work: Callable[[_Caller], Awaitable[None]]) -> None:
    """Run `work` on a connection to a server."""

    async def run() -> None:
        async with asyncio.timeout(20), _server() as (_, port):
            caller = _Caller(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))
            try:
                await work(caller)
            finally:
                caller.writer.close()

    asyncio.run(run())


def _post(path: str, body: bytes, *headers: str, version: str = "1.1") -> bytes:
    told = "".join(f"{each}\r\n" for each in headers)
    return f"POST {path} HTTP/{version}\r\nHost: here\r\n{told}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_connection_carries_one_request_after_the_other() -> None:
    """Path and query come decoded and apart; the connection stays."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(_GET)
        told = await caller.told()
        assert (told["method"], told["path"], told["query"], told["bytes"]) == ("GET", "/a b", "c=d", 0)
        caller.writer.write(_post("/x", b"\1\2\3"))
        told = await caller.told()
        assert (told["method"], told["bytes"], told["sum"]) == ("POST", 3, 6)

    _with(work)


def test_requests_that_come_together_are_answered_in_their_order() -> None:
    """A slow one holds the others back, not their answers up."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"".join(_post(path, bytes([number])) for number, path in enumerate(["/slow", "/b", "/c"])))
        found = [await caller.told() for _ in range(3)]
        assert [each["path"] for each in found] == ["/slow", "/b", "/c"]
        assert [each["sum"] for each in found] == [0, 1, 2]

    _with(work)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=6), st.binary(max_size=200))
def test_it_does_not_matter_where_a_request_is_cut(cuts: list[int], body: bytes) -> None:
    """Whole or in pieces: the application sees the same."""

    async def work(caller: _Caller) -> None:
        data = _GET + _post("/x", body) + _post("/y", body)
        places = sorted({0, len(data), *(each for each in cuts if each < len(data))})
        for begin, end in pairwise(places):
            caller.writer.write(data[begin:end])
            await caller.writer.drain()
            await asyncio.sleep(0.001)
        assert (await caller.told())["path"] == "/a b"
        for path in ("/x", "/y"):
            told = await caller.told()
            assert (told["path"], told["bytes"], told["sum"]) == (path, len(body), sum(body))

    _with(work)


def test_a_chunked_body_is_put_together() -> None:
    """Its end comes in a packet of its own."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\1\2\3\r\n")
        await asyncio.sleep(0.05)
        caller.writer.write(b"2\r\n\4\5\r\n0\r\n\r\n")
        told = await caller.told()
        assert (told["bytes"], told["sum"]) == (5, 15)

    _with(work)


def test_a_large_body_and_a_large_answer_pass() -> None:
    """Both are larger than what is held back for a slow side."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(_post("/x", bytes([1]) * _MOST))
        assert (await caller.told())["sum"] == _MOST
        caller.writer.write(_post("/large", b""))
        await asyncio.sleep(0.2)  # the answer fills what the sockets hold
        status, _, body = await caller.answer()
        assert (status, len(body)) == (200, 8_000_000)
        caller.writer.write(_GET)
        assert (await caller.told())["path"] == "/a b"

    _with(work)


def test_who_asks_before_sending_is_told_to_go_on() -> None:
    """100 first, then the answer."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        status, _, _ = await caller.answer(bodiless=True)
        assert status == 100
        caller.writer.write(b"\1\1")
        assert (await caller.told())["sum"] == 2

    _with(work)


def test_a_body_that_nobody_wants_does_not_cost_the_connection() -> None:
    """It is thrown away as it comes, whether the answer came before it or not."""

    async def work(caller: _Caller) -> None:
        head, body = _post("/unread", b"").replace(b"Length: 0", b"Length: 100000"), bytes(100_000)
        caller.writer.write(head)
        assert (await caller.answer())[0] == 200
        caller.writer.write(body + _GET)
        assert (await caller.told())["path"] == "/a b"

    _with(work)


def test_who_asked_before_sending_and_was_answered_has_to_begin_anew() -> None:
    """Whether the body is still to come, only the caller knows."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"POST /unread HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        status, headers, _ = await caller.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await caller.reader.read() == b""

    _with(work)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /x HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_a_connection_that_is_not_to_stay_is_closed_after_its_answer(request_: bytes) -> None:
    """The answer says so, and is whole."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(request_)
        status, headers, body = await caller.answer()
        assert (status, json.loads(body)["path"], headers.get("connection")) == (200, "/x", "close")
        assert await caller.reader.read() == b""

    _with(work)


def test_an_offer_behind_other_requests_is_answered_in_its_turn() -> None:
    """Then the connection ends: what would come behind it is in no protocol that is spoken here."""

    async def work(caller: _Caller) -> None:
        offer = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        caller.writer.write(_post("/slow", b"\1") + offer)
        assert [(await caller.told())["path"] for _ in range(2)] == ["/slow", "/x"]
        assert await caller.reader.read() == b""

    _with(work)


def test_headers_behind_a_body_are_none_of_the_request() -> None:
    """What an application looked at does not change any more."""

    async def work(caller: _Caller) -> None:
        head = b"POST /names HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
        caller.writer.write(head + b"1\r\n\1\r\n0\r\nX-Later: a\r\n\r\n")
        assert await caller.told() == {"names": ["host", "transfer-encoding"]}
        caller.writer.write(_GET)
        assert (await caller.told())["path"] == "/a b"

    _with(work)


def test_an_answer_to_head_has_no_body() -> None:
    """Its length is told all the same, and the next request is answered."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"HEAD /x HTTP/1.1\r\nHost: here\r\n\r\n")
        status, headers, _ = await caller.answer(bodiless=True)
        assert status == 200
        assert int(headers["content-length"]) > 0
        caller.writer.write(_GET)
        assert (await caller.told())["path"] == "/a b"

    _with(work)


def test_an_answer_of_unknown_length_ends_with_its_connection() -> None:
    """HTTP/1.1 has it so."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(_post("/unsized", b""))
        status, headers, body = await caller.answer()
        assert (status, headers["connection"], body) == (200, "close", b"one two")

    _with(work)


@pytest.mark.parametrize("path", ["/fails", "/split"])
def test_an_application_that_fails_is_a_500_and_no_more(path: str) -> None:
    """A header that holds a line's end is such a failure: nothing of it reaches the caller."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(_post(path, b""))
        status, headers, body = await caller.answer()
        assert status == 500
        assert "y" not in headers
        assert "see its log" in json.loads(body)["error"]

    _with(work)


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (b"\0\1\2 nonsense\r\n\r\n", 400, "HTTP/1.1"),
        (b"GET http://[ HTTP/1.1\r\nHost: here\r\n\r\n", 400, "HTTP/1.1"),
        (b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.1"),
        (b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n", 400, "HTTP/1.1"),
        (b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "HTTP/1.1"),
        (b"GET /x HTTP/1.1\r\nHost: h\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(20_000)), 431, "headers"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(data: bytes, status: int, word: str) -> None:
    """In JSON, with what is wrong and what to do."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(data)
        found, headers, body = await caller.answer()
        assert (found, headers["connection"]) == (status, "close")
        assert word in json.loads(body)["error"]
        assert await caller.reader.read() == b""

    _with(work)


def test_a_body_that_turns_out_broken_ends_its_request() -> None:
    """The application hears that the caller is gone; the next caller is answered."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.05)
        caller.writer.write(b"no number\r\n")
        status, _, _ = await caller.answer()
        assert status == 400
        assert await caller.reader.read() == b""

    _with(work)


def test_a_caller_that_stops_in_the_middle_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a head, of a body, or between two requests: nobody holds a connection for ever."""
    for name, value in {"IDLE_SECONDS": 0.3, "SLOW_SECONDS": 0.2, "_LOOK_SECONDS": 0.05}.items():
        monkeypatch.setattr(http11, name, value)

    async def head(caller: _Caller) -> None:
        caller.writer.write(b"GET /x HTT")
        assert await caller.reader.read() == b""

    async def body(caller: _Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nab")
        status, _, _ = await caller.answer()
        assert status == 400
        assert await caller.reader.read() == b""

    async def idle(caller: _Caller) -> None:
        caller.writer.write(_GET)
        await caller.told()
        assert await caller.reader.read() == b""

    for work in (head, body, idle):
        _with(work)


def test_who_leaves_before_the_answer_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The application's answer goes nowhere, and is no failure."""

    async def work(caller: _Caller) -> None:
        caller.writer.write(_post("/slow", b"1"))
        await asyncio.sleep(0.05)
        caller.writer.transport.abort()
        await asyncio.sleep(0.4)

    _with(work)
    assert "application failed" not in caplog.text


def test_at_its_end_a_server_finishes_what_was_begun() -> None:
    """The answer comes and says that the connection closes; an idle connection is closed at once."""

    async def run() -> None:
        async with asyncio.timeout(20), _server() as (server, port):
            busy, idle = [_Caller(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
            busy.writer.write(_post("/slow", b""))
            await asyncio.sleep(0.05)
            server.should_exit = True
            assert await idle.reader.read() == b""
            status, headers, _ = await busy.answer()
            assert (status, headers["connection"]) == (200, "close")
            for each in (busy, idle):
                each.writer.close()

    asyncio.run(run())

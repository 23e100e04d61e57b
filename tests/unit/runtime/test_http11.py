"""Connections over real sockets: requests in turn and in pieces, what is no request, and who leaves or stops."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import http11
from unit.runtime.talking import GET, Caller, post, server, with_a_caller


def test_a_connection_carries_one_request_after_the_other() -> None:
    """Path and query come decoded and apart; the connection stays."""

    async def work(caller: Caller) -> None:
        caller.writer.write(GET)
        told = await caller.told()
        assert (told["method"], told["path"], told["query"], told["bytes"]) == ("GET", "/a b", "c=d", 0)
        caller.writer.write(post("/x", b"\1\2\3"))
        told = await caller.told()
        assert (told["method"], told["bytes"], told["sum"]) == ("POST", 3, 6)

    with_a_caller(work)


def test_requests_that_come_together_are_answered_in_their_order() -> None:
    """A slow one holds the others back, not their answers up."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"".join(post(path, bytes([number])) for number, path in enumerate(["/slow", "/b", "/c"])))
        found = [await caller.told() for _ in range(3)]
        assert [each["path"] for each in found] == ["/slow", "/b", "/c"]
        assert [each["sum"] for each in found] == [0, 1, 2]

    with_a_caller(work)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=6), st.binary(max_size=200))
def test_it_does_not_matter_where_a_request_is_cut(cuts: list[int], body: bytes) -> None:
    """Whole or in pieces: the application sees the same."""

    async def work(caller: Caller) -> None:
        data = GET + post("/x", body) + post("/y", body)
        places = sorted({0, len(data), *(each for each in cuts if each < len(data))})
        for begin, end in pairwise(places):
            caller.writer.write(data[begin:end])
            await caller.writer.drain()
            await asyncio.sleep(0.001)
        assert (await caller.told())["path"] == "/a b"
        for path in ("/x", "/y"):
            told = await caller.told()
            assert (told["path"], told["bytes"], told["sum"]) == (path, len(body), sum(body))

    with_a_caller(work)


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

    async def work(caller: Caller) -> None:
        caller.writer.write(request_)
        status, headers, body = await caller.answer()
        assert (status, json.loads(body)["path"], headers.get("connection")) == (200, "/x", "close")
        assert await caller.reader.read() == b""

    with_a_caller(work)


def test_an_offer_behind_other_requests_is_answered_in_its_turn() -> None:
    """Then the connection ends: what would come behind it is in no protocol that is spoken here."""

    async def work(caller: Caller) -> None:
        offer = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        caller.writer.write(post("/slow", b"\1") + offer)
        assert [(await caller.told())["path"] for _ in range(2)] == ["/slow", "/x"]
        assert await caller.reader.read() == b""

    with_a_caller(work)


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

    async def work(caller: Caller) -> None:
        caller.writer.write(data)
        found, headers, body = await caller.answer()
        assert (found, headers["connection"]) == (status, "close")
        assert word in json.loads(body)["error"]
        assert await caller.reader.read() == b""

    with_a_caller(work)


def test_a_body_that_turns_out_broken_ends_its_request() -> None:
    """The application hears that the caller is gone; the next caller is answered."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.05)
        caller.writer.write(b"no number\r\n")
        status, _, _ = await caller.answer()
        assert status == 400
        assert await caller.reader.read() == b""

    with_a_caller(work)


def test_a_caller_that_stops_in_the_middle_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a head, of a body, or between two requests: nobody holds a connection for ever."""
    for name, value in {"IDLE_SECONDS": 0.3, "SLOW_SECONDS": 0.2, "_LOOK_SECONDS": 0.05}.items():
        monkeypatch.setattr(http11, name, value)

    async def head(caller: Caller) -> None:
        caller.writer.write(b"GET /x HTT")
        assert await caller.reader.read() == b""

    async def body(caller: Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nab")
        status, _, _ = await caller.answer()
        assert status == 400
        assert await caller.reader.read() == b""

    async def idle(caller: Caller) -> None:
        caller.writer.write(GET)
        await caller.told()
        assert await caller.reader.read() == b""

    for work in (head, body, idle):
        with_a_caller(work)


def test_who_leaves_before_the_answer_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The application's answer goes nowhere, and is no failure."""

    async def work(caller: Caller) -> None:
        caller.writer.write(post("/slow", b"1"))
        await asyncio.sleep(0.05)
        caller.writer.transport.abort()
        await asyncio.sleep(0.4)

    with_a_caller(work)
    assert "application failed" not in caplog.text


def test_at_its_end_a_server_finishes_what_was_begun() -> None:
    """The answer comes and says that the connection closes; an idle connection is closed at once."""

    async def run() -> None:
        async with asyncio.timeout(20), server() as (serving, port):
            busy, idle = [Caller(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
            busy.writer.write(post("/slow", b""))
            await asyncio.sleep(0.05)
            serving.should_exit = True
            assert await idle.reader.read() == b""
            status, headers, _ = await busy.answer()
            assert (status, headers["connection"]) == (200, "close")
            for each in (busy, idle):
                each.writer.close()

    asyncio.run(run())

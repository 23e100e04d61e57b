"""Bodies and answers over real sockets: chunked, large, unwanted, awaited, of unknown length, and of what fails."""

from __future__ import annotations

import asyncio
import json

import pytest

from unit.runtime.talking import GET, MOST, Caller, post, with_a_caller


def test_a_chunked_body_is_put_together() -> None:
    """Its end comes in a packet of its own."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\1\2\3\r\n")
        await asyncio.sleep(0.05)
        caller.writer.write(b"2\r\n\4\5\r\n0\r\n\r\n")
        told = await caller.told()
        assert (told["bytes"], told["sum"]) == (5, 15)

    with_a_caller(work)


def test_a_large_body_and_a_large_answer_pass() -> None:
    """Both are larger than what is held back for a slow side."""

    async def work(caller: Caller) -> None:
        caller.writer.write(post("/x", bytes([1]) * MOST))
        assert (await caller.told())["sum"] == MOST
        caller.writer.write(post("/large", b""))
        await asyncio.sleep(0.2)  # the answer fills what the sockets hold
        status, _, body = await caller.answer()
        assert (status, len(body)) == (200, 8_000_000)
        caller.writer.write(GET)
        assert (await caller.told())["path"] == "/a b"

    with_a_caller(work)


def test_who_asks_before_sending_is_told_to_go_on() -> None:
    """100 first, then the answer."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"POST /x HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        status, _, _ = await caller.answer(bodiless=True)
        assert status == 100
        caller.writer.write(b"\1\1")
        assert (await caller.told())["sum"] == 2

    with_a_caller(work)


def test_a_body_that_nobody_wants_does_not_cost_the_connection() -> None:
    """It is thrown away as it comes, whether the answer came before it or not."""

    async def work(caller: Caller) -> None:
        head, body = post("/unread", b"").replace(b"Length: 0", b"Length: 100000"), bytes(100_000)
        caller.writer.write(head)
        assert (await caller.answer())[0] == 200
        caller.writer.write(body + GET)
        assert (await caller.told())["path"] == "/a b"

    with_a_caller(work)


def test_who_asked_before_sending_and_was_answered_has_to_begin_anew() -> None:
    """Whether the body is still to come, only the caller knows."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"POST /unread HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        status, headers, _ = await caller.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await caller.reader.read() == b""

    with_a_caller(work)


def test_headers_behind_a_body_are_none_of_the_request() -> None:
    """What an application looked at does not change any more."""

    async def work(caller: Caller) -> None:
        head = b"POST /names HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
        caller.writer.write(head + b"1\r\n\1\r\n0\r\nX-Later: a\r\n\r\n")
        assert await caller.told() == {"names": ["host", "transfer-encoding"]}
        caller.writer.write(GET)
        assert (await caller.told())["path"] == "/a b"

    with_a_caller(work)


def test_an_answer_to_head_has_no_body() -> None:
    """Its length is told all the same, and the next request is answered."""

    async def work(caller: Caller) -> None:
        caller.writer.write(b"HEAD /x HTTP/1.1\r\nHost: here\r\n\r\n")
        status, headers, _ = await caller.answer(bodiless=True)
        assert status == 200
        assert int(headers["content-length"]) > 0
        caller.writer.write(GET)
        assert (await caller.told())["path"] == "/a b"

    with_a_caller(work)


def test_an_answer_of_unknown_length_ends_with_its_connection() -> None:
    """HTTP/1.1 has it so."""

    async def work(caller: Caller) -> None:
        caller.writer.write(post("/unsized", b""))
        status, headers, body = await caller.answer()
        assert (status, headers["connection"], body) == (200, "close", b"one two")

    with_a_caller(work)


@pytest.mark.parametrize("path", ["/fails", "/split"])
def test_an_application_that_fails_is_a_500_and_no_more(path: str) -> None:
    """A header that holds a line's end is such a failure: nothing of it reaches the caller."""

    async def work(caller: Caller) -> None:
        caller.writer.write(post(path, b""))
        status, headers, body = await caller.answer()
        assert status == 500
        assert "y" not in headers
        assert "see its log" in json.loads(body)["error"]

    with_a_caller(work)

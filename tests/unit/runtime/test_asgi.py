"""What plain ASGI applications share: bodies within a limit, answers, and a way out of bodies that are too large."""

import asyncio
from collections.abc import Coroutine, MutableMapping
from typing import Any, TypeVar

import pytest

from runtime import asgi

T = TypeVar("T")


class Caller:
    """Sends a body in parts, and takes an answer."""

    def __init__(self, *parts: bytes, length: int | None = None, leaves: bool = False) -> None:
        self.messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        elif self.messages:
            self.messages[-1]["more_body"] = False
        headers = [] if length is None else [(b"content-length", str(length).encode())]
        self.scope: asgi.Scope = {"type": "http", "headers": headers}
        self.sent: list[MutableMapping[str, Any]] = []

    async def receive(self) -> MutableMapping[str, Any]:
        """Give the next message."""
        return self.messages.pop(0)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a message."""
        self.sent.append(message)


def run(call: Coroutine[None, None, T]) -> T:
    """Run a call."""
    return asyncio.run(asyncio.wait_for(call, 10))


@pytest.mark.parametrize("parts", [(b"",), (b"abc",), (b"a", b"b", b"c"), (b"a", b"", b"bc")])
def test_a_body_is_read_whole(parts: tuple[bytes, ...]) -> None:
    """However it comes."""
    caller = Caller(*parts)
    assert run(asgi.read(caller.scope, caller.receive, 3)) == b"".join(parts)


def test_a_body_that_says_that_it_is_too_large_is_refused_unread() -> None:
    """Nothing of it is taken."""
    caller = Caller(b"abcd", length=4)
    with pytest.raises(asgi.BodyTooLarge, match="4 bytes; 3 are the limit"):
        run(asgi.read(caller.scope, caller.receive, 3))
    assert len(caller.messages) == 1


def test_a_body_that_does_not_say_so_is_refused_where_it_becomes_too_large() -> None:
    """What comes after that is not read."""
    caller = Caller(b"ab", b"cd", b"ef")
    with pytest.raises(asgi.BodyTooLarge):
        run(asgi.read(caller.scope, caller.receive, 3))
    assert len(caller.messages) == 1


@pytest.mark.parametrize("parts", [(b"ab",), ()])
def test_a_caller_who_leaves_is_noticed(parts: tuple[bytes, ...]) -> None:
    """Half a body is none, and none of one that never came is not an empty one."""
    caller = Caller(*parts, leaves=True)
    with pytest.raises(asgi.BodyCut):
        run(asgi.read(caller.scope, caller.receive, 3))


def test_who_sends_too_much_reads_why() -> None:
    """The answer goes out first; the rest of the body is thrown away, and then the connection closes."""
    caller = Caller(b"ab", b"cd", b"ef")
    run(asgi.linger(caller.receive, caller.send, b"{}"))
    assert not caller.messages
    assert caller.sent[0]["status"] == 413
    assert (b"connection", b"close") in caller.sent[0]["headers"]
    assert [each["body"] for each in caller.sent[1:]] == [b"{}", b""]


def test_an_answer_has_its_length() -> None:
    """And the headers that it was given."""
    caller = Caller()
    run(asgi.answer(caller.send, 200, asgi.TEXT, b"abc", [(b"x", b"y")]))
    assert caller.sent[0]["headers"] == [(b"content-type", asgi.TEXT), (b"content-length", b"3"), (b"x", b"y")]
    assert caller.sent[1]["body"] == b"abc"

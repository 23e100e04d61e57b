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


LARGE = asgi.SMALL + 1


@pytest.mark.parametrize("parts", [(bytes(LARGE),), (bytes(LARGE - 2), b"a", b"b"), (b"a", bytes(LARGE - 2), b"b")])
def test_large_bodies_have_room_together(parts: tuple[bytes, ...]) -> None:
    """However they come: the one that does not fit is refused, and fits once another was given back."""
    room = asgi.Room(2 * LARGE)
    found = []
    for _ in range(2):
        caller = Caller(*parts)
        found.append(run(asgi.read(caller.scope, caller.receive, LARGE, room)))
    assert room.held == 2 * LARGE
    caller = Caller(*parts)
    with pytest.raises(asgi.Crowded, match=f"{2 * LARGE} are the limit"):
        run(asgi.read(caller.scope, caller.receive, LARGE, room))
    assert room.held == 2 * LARGE
    room.give(found.pop())
    caller = Caller(*parts)
    found.append(run(asgi.read(caller.scope, caller.receive, LARGE, room)))
    for each in found:
        room.give(each)
    assert room.held == 0


def test_small_bodies_need_no_room() -> None:
    """They are not worth the counting, in as many pieces as they may come."""
    room = asgi.Room(0)
    for parts in ((bytes(asgi.SMALL),), (b"a",) * 10):
        caller = Caller(*parts)
        room.give(run(asgi.read(caller.scope, caller.receive, LARGE, room)))
    assert room.held == 0


@pytest.mark.parametrize("leaves", [True, False])
def test_a_body_that_was_not_read_leaves_its_room(leaves: bool) -> None:  # noqa: FBT001  one of two ends
    """Whether its caller left or it was too large."""
    room = asgi.Room(10 * LARGE)
    caller = Caller(bytes(LARGE), bytes(LARGE), bytes(LARGE), leaves=leaves)
    with pytest.raises((asgi.BodyCut, asgi.BodyTooLarge)):
        run(asgi.read(caller.scope, caller.receive, 2 * LARGE if not leaves else 9 * LARGE, room))
    assert room.held == 0


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its room is for others."""
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.05)
    room = asgi.Room(10 * LARGE)
    caller = Caller(bytes(LARGE), bytes(LARGE), bytes(LARGE))
    caller.messages.pop()

    async def receive() -> MutableMapping[str, Any]:
        return await caller.receive() if caller.messages else await asyncio.Event().wait()  # type: ignore[return-value]

    with pytest.raises(asgi.BodyCut, match=r"not come within 0\.05 s"):
        run(asgi.read(caller.scope, receive, 9 * LARGE, room))
    assert room.held == 0


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

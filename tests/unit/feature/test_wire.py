"""The connection to Redis, against a server that answers as no good one would."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import pytest

from feature.errors import StoreUnavailable
from feature.wire import Wire, command

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GREETING = 2  # CLIENT SETNAME and SELECT
OK = b"+OK\r\n"


def played(handler: Handler, scene: Callable[[Wire], Coroutine[None, None, None]], password: str = "") -> None:
    """Play a scene with a wire to a server that does what `handler` says."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
            await reader.read()  # until the other side goes
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):  # it went in the middle of a line
            pass
        finally:
            writer.close()

    async def play() -> None:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        wire = Wire("127.0.0.1", server.sockets[0].getsockname()[1], password=password, patience=0.3)
        wire.open()
        try:
            await scene(wire)
        finally:
            await wire.close()
            server.close()
            await asyncio.sleep(0.05)  # what hangs up, hangs up

    asyncio.run(asyncio.wait_for(play(), 10))


async def commands(reader: asyncio.StreamReader, number: int) -> list[list[bytes]]:
    """Read so many commands."""
    found = []
    for _ in range(number):
        count = int((await reader.readline())[1:])
        words = []
        for _ in range(count):
            size = int((await reader.readline())[1:])
            words.append((await reader.readexactly(size + 2))[:-2])
        found.append(words)
    return found


async def greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = GREETING) -> None:
    """Take the greeting."""
    await commands(reader, number)
    writer.write(OK * number)


def test_answers_in_pieces_are_put_together() -> None:
    """Each byte may come alone, and belongs to the question that it answers."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greeted(reader, writer)
        await commands(reader, 3)
        for byte in b"$1\r\na\r\n*2\r\n$-1\r\n:7\r\n$2\r\nbc\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        first = asyncio.ensure_future(wire.ask(command("A") + command("B"), 2))
        second = asyncio.ensure_future(wire.ask(command("C"), 1))
        assert await first == [b"a", [None, 7]]
        assert await second == [b"bc"]

    played(handler, scene)


def test_a_connection_that_breaks_fails_all_that_wait_and_is_made_anew() -> None:
    """Nobody waits for an answer that cannot come; the next question goes over a new connection."""
    visits = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await greeted(reader, writer)
        await commands(reader, 1)
        if visits > 1:
            writer.write(b"+PONG\r\n")
        else:
            writer.write(b"$100\r\nhalf of it")
            await writer.drain()
            writer.close()

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        questions = [wire.ask(command("PING"), 1) for _ in range(3)]
        failures = await asyncio.gather(*questions, return_exceptions=True)
        assert all(isinstance(each, StoreUnavailable) and "Redis" in str(each) for each in failures)
        await wire.connected.wait()
        assert await wire.ask(command("PING"), 1) == [b"PONG"]

    played(handler, scene)


def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    """After a time-out the connection goes: its answers would be taken for those of later questions."""
    visits = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        mine = visits
        await greeted(reader, writer)
        await commands(reader, 1)
        if mine == 1:
            await asyncio.sleep(0.5)
        writer.write(b":%d\r\n" % mine)

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.3 s"):
            await wire.ask(command("PING"), 1)
        await wire.connected.wait()
        assert await wire.ask(command("PING"), 1) == [2]

    played(handler, scene)


@pytest.mark.parametrize("answer", [b"!nonsense\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", OK * 5])
def test_what_is_no_answer_ends_the_connection(answer: bytes) -> None:
    """Another protocol, or answers to nothing: a new connection is made, and its answers count."""
    visits = 0
    again = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        mine = visits
        await greeted(reader, writer)
        if mine > 1:
            again.set()
        await commands(reader, 1)
        writer.write(answer if mine == 1 else b":7\r\n")

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        await asyncio.gather(wire.ask(command("PING"), 1), return_exceptions=True)
        await again.wait()
        await wire.connected.wait()
        assert await wire.ask(command("PING"), 1) == [7]

    played(handler, scene)


def test_a_password_that_is_refused_is_no_connection() -> None:
    """It is tried again, and nothing is asked over it."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ((word, password), *_) = await commands(reader, GREETING + 1)
        assert (word, password) == (b"AUTH", b"x")
        writer.write(b"-WRONGPASS no\r\n" + OK * GREETING)

    async def scene(wire: Wire) -> None:
        await asyncio.sleep(0.2)
        assert not wire.connected.is_set()
        with pytest.raises(StoreUnavailable, match=r"Redis.*no connection"):
            await wire.ask(command("PING"), 1)

    played(handler, scene, password="x")  # noqa: S106  of no Redis at all


def test_an_error_of_redis_is_an_answer() -> None:
    """It belongs to its question and does not break the connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greeted(reader, writer)
        await commands(reader, 2)
        writer.write(b"-LOADING wait\r\n:1\r\n")

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        failed, well = await wire.ask(command("A") + command("B"), 2)
        assert str(failed) == "LOADING wait"
        assert well == 1

    played(handler, scene)


def test_nothing_is_answered_at_once() -> None:
    """Who asks nothing waits for nothing, and costs nobody the connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greeted(reader, writer)
        assert await commands(reader, 1) == [[b"PING"]]
        writer.write(b"+PONG\r\n")

    async def scene(wire: Wire) -> None:
        await wire.connected.wait()
        assert await wire.ask(b"", 0) == []
        assert await wire.ask(command("PING"), 1) == [b"PONG"]

    played(handler, scene)

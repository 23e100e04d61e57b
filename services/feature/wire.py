"""The way to Redis for reads: one connection, many questions in flight, answers in order.

redis-py spends more time on a command than Redis does. This connection writes bytes that the read plans have made
beforehand and lets hiredis, redis-py's own parser, take the answers apart; that is all it does. Writes, which are
complicated and not as frequent, go through redis-py in `contracts.online`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis

from feature.errors import StoreUnavailable

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two attempts to connect."""
CONNECT_SECONDS = 3.0


def command(*words: str | bytes) -> bytes:
    """A command as it goes over the wire."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class _Pending:
    """A question: so many answers are still to come."""

    __slots__ = ("answers", "future", "wanted")

    def __init__(self, future: "asyncio.Future[list[Any]]", wanted: int) -> None:
        self.future = future
        self.wanted = wanted
        self.answers: list[Any] = []


class _Connection(asyncio.Protocol):
    def __init__(self, lost: "Callable[[_Connection], None]") -> None:
        self._reader = hiredis.Reader()
        self._lost = lost
        self.pending: deque[_Pending] = deque()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its ancestors

    def data_received(self, data: bytes) -> None:
        reader, pending = self._reader, self.pending
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not False:
                first = pending[0]
                first.answers.append(answer)
                if len(first.answers) == first.wanted:
                    pending.popleft()
                    if not first.future.done():
                        first.future.set_result(first.answers)
        except (hiredis.ProtocolError, IndexError):
            log.exception("the answers make no sense")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        for each in self.pending:
            if not each.future.done():
                each.future.set_exception(gone(str(exc or "the connection was closed")))
        self.pending.clear()
        self._lost(self)

    def ask(self, question: bytes, answers: int) -> "asyncio.Future[list[Any]]":
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if self.transport is None or self.transport.is_closing():
            future.set_exception(gone("no connection"))
            return future
        self.pending.append(_Pending(future, answers))
        self.transport.write(question)
        return future

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()
            self._lost(self)  # at once: nobody is to ask over it until the loop tells us


def gone(why: str) -> StoreUnavailable:
    """What callers are told while Redis is away."""
    return StoreUnavailable(f"Redis, the online store: {why}", "try again in a second; it is being reconnected")


def refuse_errors(answers: Sequence[Any]) -> None:
    """Take an error that Redis answered with for what it is to callers: the store is not to be had.

    Raises:
        StoreUnavailable: there is one.
    """
    for answer in answers:
        if isinstance(answer, hiredis.ReplyError):
            raise gone(str(answer))


class Wire:
    """Keeps one connection to Redis, and makes it anew for as long as it is open.

    Args:
        host: Redis' host.
        port: its port.
        password: empty for none.
        database: number of the database.
        patience: seconds to wait for an answer.
    """

    def __init__(self, host: str, port: int, *, password: str = "", database: int = 0, patience: float = 1.0) -> None:
        self._host, self._port = host, port
        self._greeting = [command("AUTH", password)] if password else []
        self._greeting += [command("CLIENT", "SETNAME", "feature"), command("SELECT", str(database))]
        self._patience = patience
        self._connection: _Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._broken = asyncio.Event()
        self.connected = asyncio.Event()

    def open(self) -> None:
        """Begin to connect; `connected` is set while there is a connection."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Leave Redis."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    async def ask(self, question: bytes, answers: int) -> list[Any]:
        """Send commands as they stand; their answers in order, an error of Redis' being one of them.

        Raises:
            StoreUnavailable: there is no connection, it broke, or Redis took too long.
        """
        if not answers:  # nothing is asked, and nothing would ever come
            return []
        connection = self._connection
        if connection is None:
            raise gone(f"no connection to {self._host}:{self._port}")
        future = connection.ask(question, answers)
        clock = asyncio.get_running_loop().call_later(self._patience, self._tired, connection, future)
        try:
            return await future
        finally:
            clock.cancel()

    def _tired(self, connection: _Connection, future: "asyncio.Future[list[Any]]") -> None:
        if not future.done():
            future.set_exception(gone(f"no answer within {self._patience:g} s"))
        connection.close()  # answers that come late would be taken for those of later questions

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await asyncio.wait_for(self._connect(), CONNECT_SECONDS)
            except (OSError, TimeoutError, StoreUnavailable) as failure:
                log.warning("no connection to Redis", extra={"cause": str(failure), "again_in": pause})
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            await self._broken.wait()

    async def _connect(self) -> None:
        self._broken.clear()
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self._lost), self._host, self._port)
        try:
            answers = await connection.ask(b"".join(self._greeting), len(self._greeting))
            refuse_errors(answers)
        except BaseException:  # a refusal, a time-out: nobody else knows of this connection
            connection.close()
            raise
        self._connection = connection
        self.connected.set()
        log.info("connected to Redis", extra={"host": self._host, "port": self._port})

    def _lost(self, connection: _Connection) -> None:
        if connection is not self._connection:
            return
        log.warning("the connection to Redis broke")
        self._connection = None
        self.connected.clear()
        self._broken.set()

"""Requests that come when they come, whatever became of those before: the open load of bench/serving_bursts.py.

    python bench/serving_open.py HOST PORT RATE SECONDS SEED OUT FILE...     OUT gets how each request went

Arrivals are Poisson's. A request takes a connection that is free, or a new one; what it waits for a connection counts.
The loop never sleeps: it has a core of its own, and a timer of a millisecond would be as long as an answer.
"""

import asyncio
import functools
import json
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_PATIENCE = 5.0
"""Seconds after the last request in which answers still come."""
_READY = 64
"""Connections that are there before the first request."""


class Connection(asyncio.Protocol):
    """One connection: it asks once at a time, and says when it is free again."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._due: float | None = None
        self._left = -1  # bytes of the answer that are still to come; -1: its head is
        self._head = b""
        self._status = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be free."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, due: float, request: bytes) -> None:
        """Send a request that was due then."""
        assert self._transport  # noqa: S101  it was made
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Tell the load once the whole answer is there."""
        if self._left < 0:
            self._head += data
            end = self._head.find(_END)
            if end < 0:
                return
            head = self._head[:end].lower()
            self._status = int(head[9:12])
            at = head.index(_LENGTH) + len(_LENGTH)
            self._left = int(head[at:].split(b"\r\n", 1)[0]) - (len(self._head) - end - len(_END))
            self._head = b""
        else:
            self._left -= len(data)
        if self._left == 0 and self._due is not None:
            self._load.answered(self._due, self._status)
            self._left, self._due = -1, None
            self._load.free.append(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Be no longer free; what was asked has failed."""
        if self._due is not None:
            self._load.answered(self._due, 0)
        elif self in self._load.free:
            self._load.free.remove(self)


class Load:
    """What is sent, and what came of it."""

    def __init__(self, host: str, port: int, requests: list[bytes]) -> None:
        self._host, self._port, self._requests = host, port, requests
        self.free: deque[Connection] = deque()
        self.answers: list[tuple[float, float, int]] = []
        """(due, seconds since then, status; 0: none came) of each request, seconds from the beginning."""
        self._begun = 0.0
        self._connecting: set[asyncio.Task[None]] = set()

    def answered(self, due: float, status: int) -> None:
        """Keep how a request went."""
        self.answers.append((due, time.perf_counter() - self._begun - due, status))

    async def send(self, rate: float, seconds: float, seed: int) -> list[tuple[float, float, int]]:
        """Send requests at a rate for so long; how each went."""
        draw = random.Random(seed)  # noqa: S311  the same arrivals for every server
        for _ in range(_READY):
            self.free.append(await self._connected())
        self._begun = time.perf_counter()
        due, sent = draw.expovariate(rate), 0
        while due < seconds:
            if time.perf_counter() - self._begun >= due:
                self._ask(due, self._requests[sent % len(self._requests)])
                sent += 1
                due += draw.expovariate(rate)
            else:
                await asyncio.sleep(0)
        deadline = self._begun + seconds + _PATIENCE
        while len(self.answers) < sent and time.perf_counter() < deadline:  # noqa: ASYNC110  of use here once
            await asyncio.sleep(0.01)
        return sorted(self.answers) + [(seconds, _PATIENCE, 0)] * (sent - len(self.answers))

    def _ask(self, due: float, request: bytes) -> None:
        if self.free:
            self.free.popleft().ask(due, request)
            return
        task = asyncio.get_running_loop().create_task(self._ask_anew(due, request))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _ask_anew(self, due: float, request: bytes) -> None:
        try:
            (await self._connected()).ask(due, request)
        except OSError:
            self.answered(due, 0)

    async def _connected(self) -> Connection:
        made = functools.partial(Connection, self)
        _, connection = await asyncio.get_running_loop().create_connection(made, self._host, self._port)
        return connection


if __name__ == "__main__":
    host, port, rate, seconds, seed, out, *files = sys.argv[1:]
    asked = [Path(each).read_bytes() for each in files]
    found = uvloop.run(Load(host, int(port), asked).send(float(rate), float(seconds), int(seed)))
    Path(out).write_text(json.dumps(found))

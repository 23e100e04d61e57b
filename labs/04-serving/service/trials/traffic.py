"""Requests at a pace of their own, whatever comes of those before: so do people ask.

Nobody waits for those before, so a request's seconds count from when it was sent; one that had to wait for a
connection because others were slow counts as slow, too. On a machine that is too busy for the sender itself, that is
told apart (`lags`), and it gives up what it is more than a second behind with.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import aiohttp

from runtime.figures import percentile
from trials.asks import Answer, Ask, answered

MOST_RATE, MOST_SECONDS = 200.0, 60.0
"""What a trial may ask of the stack at most: requests a second, and seconds."""
_PATIENCE = 10.0
_CONNECTIONS = 256
_BEHIND = 1.0

Pick = Callable[[int], Ask]
"""The request of a number, from 0."""


class Traffic:
    """Requests to one address, sent from a thread of its own while it is entered.

    Args:
        address: of the server or the gateway.
        asks: the requests, one after the other and again, or what picks one by its number.
        rate: of requests, per second.
    """

    def __init__(self, address: str, asks: Sequence[Ask] | Pick, rate: float) -> None:
        self._address = address
        self._pick: Pick = asks if callable(asks) else (lambda number: asks[number % len(asks)])
        self._rate = min(rate, MOST_RATE)
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name="traffic", daemon=True)
        self.answers: list[Answer] = []
        """All that came so far, in the order of their coming."""
        self.lags: list[tuple[float, float]] = []
        """When each request was due, and seconds from then until it was sent: a busy machine's, not the server's."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send no more, and wait for what is on its way."""
        self._over.set()
        self._thread.join()

    def since(self, instant: float, tag: str | None = None) -> list[Answer]:
        """Answers to requests that were sent at an instant or later."""
        return [each for each in list(self.answers) if each.sent >= instant and tag in (None, each.tag)]

    def lag_since(self, instant: float) -> float:
        """Seconds within which 99 of 100 requests were sent that were due at an instant or later; 0 without any."""
        return percentile([lag for due, lag in list(self.lags) if due >= instant], 0.99) or 0.0

    async def _send(self) -> None:
        # Not httpx, whose pool goes through all connections for each request that waits for one: once many wait, it
        # sends fewer than are due, and the server looks slow.
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        async with (
            aiohttp.ClientSession(self._address, connector=connector, timeout=timeout) as client,
            asyncio.TaskGroup() as group,
        ):
            begun = due = time.monotonic()
            for number in itertools.count():
                due = max(due + 1 / self._rate, time.monotonic() - _BEHIND)
                await asyncio.sleep(max(due - time.monotonic(), 0))
                if self._over.is_set() or due - begun > MOST_SECONDS:
                    return
                sent = time.monotonic()
                self.lags.append((due, sent - due))
                group.create_task(self._one(client, self._pick(number), sent))

    async def _one(self, client: aiohttp.ClientSession, ask: Ask, sent: float) -> None:
        try:
            async with client.post(ask.path, data=ask.body, headers=ask.headers) as told:
                status, content = told.status, await told.read()
        except (aiohttp.ClientError, TimeoutError):
            self.answers.append(Answer(ask.tag, sent, time.monotonic() - sent, 0))
            return
        self.answers.append(answered(ask.tag, sent, time.monotonic() - sent, status, content))


def seconds(answers: Sequence[Answer]) -> list[float]:
    """How long the good ones among them took."""
    return [each.seconds for each in answers if each.good]

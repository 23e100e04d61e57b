"""Requests at a pace of their own, whatever comes of those before: so do people ask."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

_PATIENCE = 15.0
"""Seconds after which an answer counts as none; the gateway gives a request up sooner."""
_CONNECTIONS = 256
"""Enough for a second's requests: who waits for a connection would wait for the sender, not for the server."""
_WORDS = 300
"""First characters of an answer that is no prediction."""


@dataclass(frozen=True)
class Ask:
    """A request, ready to be sent.

    Attributes:
        path: where it goes.
        body: what it says.
        headers: besides those that every request has.
        tag: by which a test knows it again.

    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""


def infer(model: str, row: Sequence[float], tag: str = "") -> Ask:
    """Return a request of protocol V2 for one row of a model that takes `features`."""
    tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": list(row)}
    return posted(f"/v2/models/{model}/infer", {"inputs": [tensor]}, tag=tag)


def posted(path: str, body: Mapping[str, Any], tag: str = "", **headers: str) -> Ask:
    """Return a request with a body in JSON."""
    return Ask(path, json.dumps(body).encode(), {"content-type": "application/json", **headers}, tag)


class Answer(NamedTuple):
    """What came of a request.

    Attributes:
        tag: of the request.
        due: when it was to be sent, in seconds of the monotonic clock.
        seconds: from then to its answer.
        status: of HTTP; 0 where no answer came.
        why: what was said in place of a prediction.

    """

    tag: str
    due: float
    seconds: float
    status: int
    why: str = ""


class Load:
    """Requests to one address, sent from a thread of its own while it is entered; none is tried twice.

    Args:
        address: of the gateway, on 127.0.0.1.
        asks: the requests, one after the other and again.
        rate: of requests, per second.

    """

    def __init__(self, address: str, asks: Sequence[Ask], rate: float) -> None:
        self._address = address
        self._asks = asks
        self._rate = rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name="load", daemon=True)
        self.answers: list[Answer] = []
        """All that came so far, in the order of their coming."""

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send no more, and wait for what is on its way."""
        self._over.set()
        self._thread.join()
        self._ended = time.monotonic()

    @property
    def failed(self) -> list[Answer]:
        """Return what is no prediction."""
        return [each for each in list(self.answers) if each.status != HTTPStatus.OK]

    @property
    def pace(self) -> float:
        """Return how many answers a second came, over the whole time."""
        return len(self.answers) / (self._ended - self._begun)

    async def _send(self) -> None:
        # Not httpx, whose pool goes through all connections for each request that waits for one: once a few hundred
        # wait, it sends fewer than come, and the server looks slow.
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        # To wait for a connection is the sender's own affair.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE, sock_read=_PATIENCE)
        async with (
            aiohttp.ClientSession(self._address, connector=connector, timeout=timeout) as client,
            asyncio.TaskGroup() as group,
        ):
            begun = time.monotonic()
            for number in itertools.count():
                due = begun + number / self._rate
                await asyncio.sleep(max(due - time.monotonic(), 0))
                if self._over.is_set():
                    return
                group.create_task(self._one(client, self._asks[number % len(self._asks)], due))

    async def _one(self, client: aiohttp.ClientSession, ask: Ask, due: float) -> None:
        try:
            async with client.post(ask.path, data=ask.body, headers=ask.headers) as told:
                status, said = told.status, await told.read()
        except (aiohttp.ClientError, TimeoutError) as failure:
            self.answers.append(Answer(ask.tag, due, time.monotonic() - due, 0, repr(failure)))
            return
        why = "" if told.ok else said.decode(errors="replace")[:_WORDS]
        self.answers.append(Answer(ask.tag, due, time.monotonic() - due, status, why))

"""One caller, who waits for each answer before it asks again."""

import time
from types import TracebackType
from typing import Self

import httpx

from trials.asks import Answer, Ask, answered

_SECONDS = 30.0


class Caller:
    """A client that keeps its connection.

    Args:
        address: of the server.
    """

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, ask: Ask) -> Answer:
        """What came of a request; status 0 where no answer came."""
        sent = time.monotonic()
        try:
            told = self._client.post(ask.path, content=ask.body, headers=dict(ask.headers))
        except httpx.HTTPError:
            return Answer(ask.tag, sent, time.monotonic() - sent, 0)
        return answered(ask.tag, sent, time.monotonic() - sent, told.status_code, told.content)

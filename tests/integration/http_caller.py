"""Asks a server over one connection, a few thousand times."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import NamedTuple


class Answer(NamedTuple):
    """What came back; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Caller:
    """Asks over one connection, which is made anew when the server has closed it.

    Args:
        port: of 127.0.0.1.

    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask."""
        self._connection.request(method, path, body, dict(headers or {}))
        found = self._connection.getresponse()
        told = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, told, found.read())

    def close(self) -> None:
        """Leave."""
        self._connection.close()

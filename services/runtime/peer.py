"""Calls from one role to another: HTTP with a time limit, JSON both ways, and the caller's trace passed on.

PeerFailure
├── Unreachable   no address, no connection, or the connection broke
├── TimedOut      no answer within the time limit
└── Refused       an answer, but not a good one; carries status and body
"""

import http.client
import json
import socket
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace

from runtime.errors import Temporary
from runtime.tracing import headers as trace_headers


class PeerFailure(Temporary):
    """Another role did not do what was asked."""


class Unreachable(PeerFailure):
    """It cannot be connected to."""


class TimedOut(PeerFailure):
    """It did not answer in time."""


class Refused(PeerFailure):
    """It answered with an error."""

    def __init__(self, what: str, remedy: str, status: HTTPStatus, body: Any) -> None:  # noqa: ANN401  any JSON
        super().__init__(what, remedy)
        self.status = status
        self.body = body


class Peer:
    """Another role at a base address, such as `http://delays:8080`; safe to use from several threads."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        parts = urlsplit(self.base)
        self.host = parts.hostname or "localhost"
        self.port = parts.port or 80

    def get(self, path: str, seconds: float) -> Any:  # noqa: ANN401  any JSON
        """The JSON answer to a GET.

        Raises:
            PeerFailure: it did not answer well within `seconds`.
        """
        return json.loads(self._call("GET", path, None, seconds))

    def post(self, path: str, body: Any, seconds: float) -> Any:  # noqa: ANN401  any JSON
        """The JSON answer to a POST of `body`.

        Raises:
            PeerFailure: it did not answer well within `seconds`.
        """
        return json.loads(self._call("POST", path, json.dumps(body).encode(), seconds))

    def text(self, path: str, seconds: float) -> str:
        """The answer to a GET, as text.

        Raises:
            PeerFailure: it did not answer well within `seconds`.
        """
        return self._call("GET", path, None, seconds).decode()

    def _call(self, method: str, path: str, body: bytes | None, seconds: float) -> bytes:
        address = f"{self.base}{path}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        try:
            connection.request(method, path, body, _headers(body))
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            raise TimedOut(f"{address} gave no answer within {seconds:g} s", "see its log, or wait") from None
        except socket.gaierror as failure:
            raise Unreachable(f"{address}: the name has no address ({failure})", "look at its Service") from None
        except (OSError, http.client.HTTPException) as failure:
            raise Unreachable(f"{address}: {failure!r}", "look at its pods and its Service") from None
        finally:
            connection.close()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _refused(address, HTTPStatus(answer.status), content)
        return content


def _headers(body: bytes | None) -> dict[str, str]:
    found = {name: value.decode() for name, value in trace_headers(trace.get_current_span())}
    if body is not None:
        found["Content-Type"] = "application/json"
    return found


def _refused(address: str, status: HTTPStatus, content: bytes) -> Refused:
    try:
        body: Any = json.loads(content)
    except ValueError:
        body = content.decode(errors="replace").strip()
    reason = body.get("error", body) if isinstance(body, dict) else body
    return Refused(f"{address} answered {status.value}: {reason}", "see its log", status, body)


def addresses(host: str) -> list[str]:
    """The IPv4 addresses of a name, in order; none where it has none."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(it[4][0]) for it in found})


def peers(base: str) -> list[Peer]:
    """One peer for each address of a headless Service's name."""
    at = Peer(base)
    return [Peer(f"http://{address}:{at.port}") for address in addresses(at.host)]

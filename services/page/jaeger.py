"""Traces out of Jaeger's query API: the latest of a service, and the spans of one."""

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from page.errors import Away
from runtime.peer import Peer, PeerFailure, Refused

_LATEST = 10
_MICROSECONDS = 1e6
_NOT_FOUND = 404


class Span(NamedTuple):
    """One step of a trace.

    Attributes:
        service: that took it.
        operation: what it was.
        begin: seconds after the trace began.
        seconds: that it took.
        depth: steps above it.
        failed: whether it says so.
    """

    service: str
    operation: str
    begin: float
    seconds: float
    depth: int
    failed: bool


class Trace(NamedTuple):
    """One trace: its identifier, when it began (seconds since 1970), how long it took, and its spans in their order."""

    identity: str
    began: float
    seconds: float
    spans: tuple[Span, ...]


class Jaeger:
    """The API at a base address.

    Args:
        address: such as `http://jaeger.platform.svc:16686`.
        seconds: that an answer may take.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._peer = Peer(address)
        self._seconds = seconds

    def latest(self, service: str) -> list[Trace]:
        """The latest traces that a service took part in, newest first.

        Raises:
            Away: Jaeger does not say.
        """
        asked = urlencode({"service": service, "limit": _LATEST, "lookback": "1h"})
        return sorted(self._traces(f"/api/traces?{asked}"), key=lambda trace: -trace.began)

    def trace(self, identity: str) -> Trace | None:
        """One trace; None where Jaeger has none of that identifier (any more).

        Raises:
            Away: Jaeger does not say.
        """
        try:
            found = self._traces(f"/api/traces/{quote(identity, safe='')}")
        except Away as failure:
            if isinstance(failure.__cause__, Refused) and failure.__cause__.status == _NOT_FOUND:
                return None
            raise
        return found[0] if found else None

    def _traces(self, path: str) -> list[Trace]:
        try:
            found = self._peer.get(path, self._seconds)
            return [_trace(each) for each in found["data"] or [] if each["spans"]]
        except PeerFailure as failure:
            raise Away(f"Jaeger: {failure.what}", "`lab status` shows whether it stands") from failure
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as failure:
            raise Away(f"Jaeger: its answer cannot be read: {failure!r}", "is that address Jaeger?") from failure


def _trace(told: Any) -> Trace:  # noqa: ANN401  any JSON
    spans = sorted(told["spans"], key=lambda span: span["startTime"])
    parents = {span["spanID"]: _parent(span) for span in spans}
    began = spans[0]["startTime"]
    ended = max(span["startTime"] + span["duration"] for span in spans)
    services = {key: str(process["serviceName"]) for key, process in told["processes"].items()}
    made = tuple(
        Span(
            services.get(span["processID"], ""),
            str(span["operationName"]),
            (span["startTime"] - began) / _MICROSECONDS,
            span["duration"] / _MICROSECONDS,
            _depth(span["spanID"], parents),
            any(tag["key"] == "error" and tag["value"] in (True, "true") for tag in span.get("tags") or []),
        )
        for span in spans
    )
    return Trace(str(told["traceID"]), began / _MICROSECONDS, (ended - began) / _MICROSECONDS, made)


def _parent(span: Any) -> str | None:  # noqa: ANN401  any JSON
    above = [each["spanID"] for each in span.get("references") or [] if each["refType"] == "CHILD_OF"]
    return str(above[0]) if above else None


def _depth(span: str, parents: dict[str, str | None]) -> int:
    """Steps above a span; one whose parent is not in the trace (another's sampling) stands at the top."""
    depth, above = 0, parents[span]
    while above in parents and depth < len(parents):
        depth, above = depth + 1, parents[above]
    return depth

"""Questions to Prometheus over HTTP: values now, and courses over time."""

import math
from typing import Any, NamedTuple
from urllib.parse import urlencode

from page.errors import Away
from page.questions import Question
from runtime.peer import Peer, PeerFailure, Refused

Labels = dict[str, str]


class Value(NamedTuple):
    """One series now: its labels, and the value in the question's unit; None where it is no number."""

    labels: Labels
    value: float | None


class Course(NamedTuple):
    """One series over time: its labels, and (seconds since 1970, value in the question's unit) in their order."""

    labels: Labels
    points: tuple[tuple[float, float], ...]


class Prometheus:
    """The API at a base address.

    Args:
        address: such as `http://prometheus.platform.svc:9090`.
        seconds: that an answer may take.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._peer = Peer(address)
        self._seconds = seconds

    def now(self, question: Question) -> list[Value]:
        """What a question has for an answer now; empty where there is no such series.

        Raises:
            Away: Prometheus does not say.
        """
        found = self._asked("query", {"query": question.query})
        try:
            return [Value(each["metric"], _number(each["value"][1], question)) for each in found]
        except (KeyError, TypeError, IndexError, ValueError) as failure:
            raise _odd(failure) from failure

    def course(self, question: Question, since: float, until: float, step: int) -> list[Course]:
        """How the answer went between two instants.

        Args:
            question: which.
            since: seconds since 1970.
            until: the same.
            step: seconds between two points.

        Raises:
            Away: Prometheus does not say.
        """
        span = {"query": question.query, "start": f"{since:.0f}", "end": f"{until:.0f}", "step": str(step)}
        found = self._asked("query_range", span)
        try:
            return [Course(each["metric"], _points(each["values"], question)) for each in found]
        except (KeyError, TypeError, IndexError, ValueError) as failure:
            raise _odd(failure) from failure

    def _asked(self, kind: str, parameters: dict[str, str]) -> Any:  # noqa: ANN401  any JSON
        try:
            told = self._peer.get(f"/api/v1/{kind}?{urlencode(parameters)}", self._seconds)
            return told["data"]["result"]
        except Refused as failure:
            raise Away(f"Prometheus: {failure.what}", "look at its log") from failure
        except PeerFailure as failure:
            raise Away(f"Prometheus: {failure.what}", "`lab status` shows whether it stands") from failure
        except (ValueError, KeyError, TypeError) as failure:
            raise _odd(failure) from failure


def _points(values: Any, question: Question) -> tuple[tuple[float, float], ...]:  # noqa: ANN401  any JSON
    read = ((float(at), _number(value, question)) for at, value in values)
    return tuple((at, value) for at, value in read if value is not None)


def _number(text: str, question: Question) -> float | None:
    value = float(text) * question.factor
    return value if math.isfinite(value) else None


def _odd(failure: Exception) -> Away:
    return Away(f"Prometheus: its answer cannot be read: {failure!r}", "is that address Prometheus?")

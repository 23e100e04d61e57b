"""Prometheus and Jaeger as fakes at the wire, with answers in the form that theirs have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from page.questions import COURSES, EVERY
from page.settings import PageSettings
from unit.patterns.servers import Reply, serving

Series = Mapping[str, Sequence[tuple[dict[str, str], str]]]
"""Key of a question -> labels and value, as Prometheus writes it, of each series."""

NOW = 1_700_000_000.0
STABLE = {"track": "stable", "model": "delay-boosting", "version": "3"}
CANARY = {"track": "canary", "model": "delay-boosting", "version": "4"}
SERIES: Series = {
    "rate": [(STABLE, "18.25"), (CANARY, "2.05")],
    "errors": [(STABLE, "0"), (CANARY, "0.125")],
    "p50": [(STABLE, "0.0011"), (CANARY, "NaN")],
    "p95": [(STABLE, "0.0042"), (CANARY, "0.02")],
    "p99": [(STABLE, "0.0125"), (CANARY, "1.2345")],
    "prediction": [(STABLE, "7.5")],
    "error": [(STABLE, "11.26")],
    "labels": [(STABLE, "1234")],
    "gateway_rate": [({"track": "stable"}, "18.5"), ({"track": "canary"}, "2.1"), ({}, "21.7")],
    "gateway_errors": [({"track": "stable"}, "0"), ({"track": "canary"}, "0.13"), ({}, "0.06")],
    "gateway_p95": [({"track": "stable"}, "6.25"), ({"track": "canary"}, "NaN"), ({}, "9.5")],
    "weights": [({"service": "serving-stable"}, "90"), ({"service": "serving-canary"}, "10")],
    "phase": [({"phase": "running"}, "1")],
    "step": [({}, "1")],
    "evidence": [({"criterion": "errors"}, "0.425")],
    "lost": [({}, "0.5")],
    "alerts": [({"__name__": "ALERTS", "alertname": "ServingErrors", "alertstate": "firing", "model": "m"}, "1")],
}
SPANS: list[dict[str, Any]] = [
    {
        "spanID": "c", "operationName": "run <model>", "processID": "p2", "startTime": 1_000_400, "duration": 300,
        "references": [{"refType": "CHILD_OF", "spanID": "b"}], "tags": [{"key": "error", "value": True}],
    },
    {"spanID": "a", "operationName": "flight.departed.v1", "processID": "p1", "startTime": 1_000_000, "duration": 1000},
    {
        "spanID": "b", "operationName": "POST /flights/predict", "processID": "p2", "startTime": 1_000_200,
        "duration": 600, "references": [{"refType": "CHILD_OF", "spanID": "a"}], "tags": [],
    },
]  # fmt: skip
TRACE: dict[str, Any] = {
    "traceID": "ab" * 16,
    "spans": SPANS,
    "processes": {"p1": {"serviceName": "ingest"}, "p2": {"serviceName": "serving"}},
}


def prometheus(series: Series = SERIES) -> Any:  # noqa: ANN401  the fake's signature
    """A Prometheus that knows these series: the same value over all of a course."""

    def answer(_: str, path: str, __: object) -> Reply:
        parts = urlsplit(path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path.endswith("query"):
            key = {each.query: each.key for each in EVERY}[asked["query"]]
            found = [{"metric": labels, "value": [NOW, value]} for labels, value in series.get(key, ())]
            return 200, {"status": "success", "data": {"resultType": "vector", "result": found}}
        key = {each.query: each.key for each in COURSES}[asked["query"]]
        times = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
        courses = [
            {"metric": {"track": labels["track"]}, "values": [[at, value] for at in times]}
            for labels, value in series.get(key, ())
        ]
        return 200, {"status": "success", "data": {"resultType": "matrix", "result": courses}}

    return answer


def jaeger(traces: Sequence[dict[str, Any]] = (TRACE,)) -> Any:  # noqa: ANN401  the fake's signature
    """A Jaeger that holds these traces."""

    def answer(_: str, path: str, __: object) -> Reply:
        if "?" in path:
            return 200, {"data": list(traces)}
        found = [each for each in traces if each["traceID"] == path.rsplit("/", 1)[1]]
        return (200, {"data": found}) if found else (404, {"data": None, "errors": [{"code": 404}]})

    return answer


@contextmanager
def standing(prometheus_: Any = None, jaeger_: Any = None) -> Iterator[PageSettings]:  # noqa: ANN401  as above
    """Settings of a page whose sources are these fakes."""
    with ExitStack() as stack:
        one = stack.enter_context(serving(prometheus_ or prometheus()))
        other = stack.enter_context(serving(jaeger_ or jaeger()))
        yield PageSettings(prometheus=one.address, jaeger=other.address)

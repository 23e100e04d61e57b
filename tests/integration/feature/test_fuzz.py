"""Whatever is asked of the feature service over HTTP: it is answered, or refused in the form that Feast's clients read.

The same requests are made in every run (derandomised).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.views_flights import DEFINITIONS
from integration.feature import samples
from integration.feature.processes import PASSWORD, SAMPLES, Redis, Service
from integration.http_caller import Answer, Caller

FUZZED = settings(
    max_examples=300, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from([2**63 - 1, -(2**63), 2**63, 10**400, -(10**400), 1e308, 1e39, "\0", "\r\n", "a" * 5000]),
    st.sampled_from(["[]", "{}", "[[1]]", '{"a": 1}']).map(json.loads),
)


@pytest.fixture(scope="module", params=[SAMPLES, ""], ids=["samples", "flights"])
def fuzzed(request: pytest.FixtureRequest, redis_process: Redis) -> Iterator[Service]:
    """Return a service that lives through all of it, of the sample definitions and of those of the course."""
    env = {"redis": f"127.0.0.1:{redis_process.port}", "redis_password": PASSWORD, "log_level": "error"}
    made = Service({**env, "definitions": request.param} if request.param else env)
    made.wait()
    yield made
    assert made.stop() == 0


@pytest.fixture
def caller(fuzzed: Service) -> Iterator[Caller]:
    """Return who asks; when it has asked, the service is as it was."""
    made = Caller(fuzzed.port)
    yield made
    made.close()
    assert fuzzed.process.poll() is None
    assert fuzzed.status("/health") == 200


@pytest.fixture
def known(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401  definitions
    """Return the definitions of the service that is asked."""
    return samples.DEFINITIONS if "samples" in request.node.name else DEFINITIONS


def hold(answer: Answer) -> None:
    """Hold an answer to what Feast's clients take: JSON, or the exception that they are to raise."""
    assert answer.status in {200, 404, 405, 413, 422, 501}, answer
    if answer.status != 200:
        told = json.loads(json.loads(answer.content))
        assert {"module", "class", "message", "remedy"} <= set(told)
        assert len(answer.content) < 20_000


def test_reads(caller: Caller, known: Any) -> None:  # noqa: ANN401  definitions
    """Entities and inputs of any kind, of services and features that there are and that there are not."""
    keys = [each.name for each in known.entities] + [field.name for view in known.on_demand for field in view.request]
    services = [each.name for each in known.services]
    features = [f"{view.name}:{view.features[0].name}" for view in known.views]
    seen: Counter[int] = Counter()
    value = st.sampled_from(["JFK", "a", "N100", 1, 1_357_000_000, 2.5]) | _ODD

    def asked_for(rows: int) -> st.SearchStrategy[dict[str, Any]]:
        whole = {key: st.lists(value, min_size=rows, max_size=rows) for key in keys}
        some = st.dictionaries(st.sampled_from([*keys, "x"]), st.lists(value, max_size=3))
        return st.fixed_dictionaries(
            {"entities": st.fixed_dictionaries(whole) | some},
            optional={
                "feature_service": st.sampled_from(services) | _ODD,
                "features": st.lists(st.sampled_from(features) | st.text(max_size=8), max_size=3) | _ODD,
                "full_feature_names": st.booleans() | _ODD,
                "include_feature_view_version_metadata": st.booleans(),
            },
        )

    @FUZZED
    @given(body=st.integers(1, 3).flatmap(asked_for))
    def asked(body: dict[str, Any]) -> None:
        answer = caller.ask("POST", "/get-online-features", json.dumps(body).encode())
        hold(answer)
        seen[answer.status] += 1

    asked()
    assert seen[422], seen
    assert seen[404], seen


@pytest.mark.parametrize("instant", [10**9, 10**12, 10**15, 10**18, 2**63 - 1, -(2**63), 10**30, 10**400])
def test_instants_beyond_any_calendar(caller: Caller, known: Any, instant: int) -> None:  # noqa: ANN401  definitions
    """What is computed of a departure is computed of one that there can be, and refused of others."""
    if known is samples.DEFINITIONS:
        body: dict[str, Any] = {"entities": {"name": ["a"], "amount": [instant]}, "feature_service": "computed_v1"}
    else:
        entities = {"origin": ["JFK"], "route": ["JFK-LAX"], "carrier": ["UA"], "tailnum": ["N100"]}
        body = {"entities": {**entities, "scheduled_departure": [instant]}, "feature_service": "delay_v1"}
    hold(caller.ask("POST", "/get-online-features", json.dumps(body).encode()))


def test_pushes(caller: Caller, known: Any) -> None:  # noqa: ANN401  definitions
    """Columns of any length and values of any kind; instants that are none."""
    view = known.views[0]
    names = [*view.entities, *(each.name for each in view.features)]
    times = st.sampled_from(
        ["2013-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2013-02-30", ""]
    )

    def frame(rows: int) -> st.SearchStrategy[dict[str, Any]]:
        columns = {name: st.lists(_ODD, min_size=rows, max_size=rows) for name in names}
        whole = st.fixed_dictionaries(
            {**columns, "event_timestamp": st.lists(times | _ODD, min_size=rows, max_size=rows)}
        )
        return whole | st.dictionaries(st.sampled_from([*names, "x"]), st.lists(_ODD, max_size=2)) | _ODD

    @FUZZED
    @given(
        path=st.sampled_from(["/push", "/write-to-online-store"]),
        named=st.sampled_from([view.push_source, view.name, "nobody"]) | _ODD,
        df=st.integers(0, 2).flatmap(frame),
        to=st.sampled_from(["online", "online", "offline"]) | _ODD,
    )
    def asked(path: str, named: object, df: object, to: object) -> None:
        body = {"push_source_name": named, "feature_view_name": named, "df": df, "to": to}
        hold(caller.ask("POST", path, json.dumps(body).encode()))

    asked()


def test_bytes_and_paths(caller: Caller) -> None:
    """Any path, method and body."""
    paths = ["/get-online-features", "/push", "/write-to-online-store", "/materialize", "/health", "/metrics", "/"]

    @FUZZED
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
        path=st.sampled_from(paths) | st.text("abc/%.?&=0", max_size=12).map("/".__add__),
        body=st.binary(max_size=20) | _ODD.map(lambda value: json.dumps(value).encode()),
    )
    def asked(method: str, path: str, body: bytes) -> None:
        answer = caller.ask(method, path, body)
        if answer.status != 200 or method == "POST":
            hold(answer)

    asked()

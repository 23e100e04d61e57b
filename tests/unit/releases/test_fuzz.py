"""Whatever is asked of the controller over HTTP, it is answered; what is no plan is refused by its field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releases.desk import Desk
from runtime import metrics
from runtime.health import Health
from runtime.web import Web
from unit.releases.cluster import Cluster, standing
from unit.releases.worlds import GIVEN, World

FUZZED = settings(
    max_examples=150, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
    | st.sampled_from([10**400, -(10**400), 1e308, "\0", "a" * 5000, "7", "canary", "serving-stable"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3),
    max_leaves=6,
)  # fmt: skip
_FIELDS = st.dictionaries(
    st.sampled_from(
        ["strategy", "model", "version", "stable", "canary", "steps", "seconds", "share", "goal", "promote", "criteria",
         "candidate", "alias", "nobody"]
    ),
    st.one_of(
        _JSON,
        st.sampled_from(["canary", "blue-green", "ab", "shadow", "7", "delay-boosting", 7]),
        st.lists(
            st.fixed_dictionaries({"weight": st.integers(-1, 101) | _JSON}, optional={"seconds": _JSON}), max_size=3
        ),
        st.dictionaries(
            st.sampled_from(["interval", "patience", "requests", "errors", "latency", "alarm", "service", "selector"]),
            _JSON, max_size=3,
        ),
    ),
    max_size=4,
)  # fmt: skip


_BEYOND = [
    {"criteria": {"patience": 10**400}}, {"criteria": {"interval": 1e308}}, {"criteria": {"requests": 10**400}},
    {"criteria": {"threshold": 2**70}}, {"criteria": {"latency": {"seconds": 1e308}}}, {"version": 10**400},
    {"version": "1" + "0" * 4000}, {"model": "\0"}, {"model": "a" * 900_000}, {"strategy": "ab", "share": 1e-320},
    {"strategy": "blue-green", "seconds": 1e308}, {"strategy": "shadow", "seconds": 5e-324},
    {"steps": [{"weight": 10**400}]}, {"stable": {"service": "serving-stable", "selector": "\0"}},
    {"alias": "\n" * 1000}, {"canary": {"service": "serving-canary", "selector": "a" * 900_000}},
]  # fmt: skip
"""Fields of plans that are beyond what anything can be."""


class Asked:
    """The controller over HTTP, on a cluster with a good new version."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.controller = cluster.controller()
        desk = Desk(self.controller)
        self.web = Web(
            0, Health(), metrics.registry(), host="127.0.0.1",
            questions={"release": desk.told, "assignment": desk.assignment}, orders={"release": desk.ordered},
        ).start()  # fmt: skip
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.web.port}", timeout=20, trust_env=False)

    def idle(self) -> None:
        """Give up what is under way."""
        self.client.post("/release/abort")
        self.controller.glance()


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    """Return it; it answers afterwards, and its loop goes on."""
    with standing(World(51), tmp_path) as cluster:
        made = Asked(cluster)
        yield made
        assert made.client.get("/release").status_code == 200
        made.controller.glance()
        made.client.close()
        made.web.close()


def test_plans_that_are_nearly_one(asked: Asked) -> None:
    """A plan with some of its fields replaced is begun or refused; what was begun can be told, and given up."""
    seen: Counter[int] = Counter()

    @FUZZED
    @given(fields=_FIELDS)
    def begun(fields: dict[str, Any]) -> None:
        found = asked.client.post("/release", content=json.dumps({**GIVEN, **fields}).encode())
        seen[found.status_code] += 1
        assert found.status_code in {202, 400}, found.text
        if found.status_code == 400:
            assert found.json()["error"]
            return
        told = asked.client.get("/release")
        assert (told.status_code, told.json()["phase"]) == (200, "running")
        asked.controller.glance()
        asked.idle()

    begun()
    assert seen[202], seen
    assert seen[400], seen


@pytest.mark.parametrize("fields", _BEYOND)
def test_plans_beyond_anything(asked: Asked, fields: dict[str, Any]) -> None:
    """Refused by their field, or begun, told, looked at and given up."""
    found = asked.client.post("/release", content=json.dumps({**GIVEN, **fields}).encode())
    assert found.status_code in {202, 400}, found.text
    told = asked.client.get("/release")
    assert told.status_code == 200
    assert json.loads(told.text, parse_constant=pytest.fail)
    asked.controller.glance()
    asked.idle()


@pytest.mark.parametrize(
    "body", [b"[" * 250_000 + b"]" * 250_000, b'{"steps": [{"weight": NaN}]}', b'{"seconds": 1e999}', b"\xff"]
)
def test_bodies_that_are_no_json(asked: Asked, body: bytes) -> None:
    """Nested 250,000 times, or with numbers that JSON has not."""
    assert asked.client.post("/release", content=body).status_code == 400


def test_paths_that_lead_anywhere(asked: Asked) -> None:
    """Segments, names and queries of any kind: never a 5xx."""
    text = st.text(max_size=6).map(lambda each: quote(each, safe=""))
    segment = st.sampled_from(["release", "assignment", "abort", "pause", "resume", "0.5", "nan", "inf", "1e999", "-1"])

    @FUZZED
    @given(
        method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
        path=st.lists(segment | text, max_size=5),
        query=text,
        body=st.binary(max_size=8) | _JSON.map(lambda value: json.dumps(value).encode()),
    )
    def answered(method: str, path: list[str], query: str, body: bytes) -> None:
        found = asked.client.request(method, f"{asked.client.base_url}/{'/'.join(path)}?{query}", content=body)
        assert found.status_code < 500, found.text

    answered()


def test_whoever_is_named_is_told_under_that_name(asked: Asked) -> None:
    """In a path a name is written otherwise; nobody named is nobody told."""
    desk = Desk(asked.controller)
    for who in ("N 100/2", "Æ", "a%20b"):
        found = asked.client.get(f"/assignment/{quote(who, safe='')}").json()
        assert found == desk.assignment((who,))[1]
        assert found["who"] == who
    for path in ("assignment", "assignment/", "assignment/a/b"):
        assert asked.client.get(f"/{path}").status_code == 404

"""A store is gone for half a minute, as a pod: what needs it says so or waits, and goes on by itself afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from driver import Driver, until
from faults.away import Away
from faults.figures import values

pytestmark = [pytest.mark.cluster, pytest.mark.stands("02"), pytest.mark.turn(0), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def data(lab: Driver) -> Driver:
    """Return the stack of lab 02, with flights flowing."""
    lab.run("up", "02")
    # After a reset the replay begins anew at midnight: the first plane leaves a minute later.
    until(lambda: _newest(_features(lab)), "features are served", 180)
    return lab


def test_without_redis_callers_are_told_and_the_rows_come_later(data: Driver) -> None:
    """The feature server refuses with 503 and a time to try again; afterwards newer rows come than before."""
    before = _newest(_features(data))
    with Away(data, "statefulset/redis"):
        refused = until(lambda: _refused(data), "the feature server refuses", 20)
    assert refused.headers["retry-after"]
    assert "redis" in refused.text.lower()
    assert before, "there was no row before"
    until(lambda: _newest(_features(data)) > before, "newer rows come", 60)


def test_without_the_object_store_the_lake_waits_and_features_are_served(data: Driver) -> None:
    """The writer of bronze stands still and goes on; the online path does not notice."""
    with Away(data, "deployment/objectstore"):
        until(lambda: _told(data, "lake_away == 1"), "Prometheus is told that the lake is away", 60)
        assert _features(data).status_code == httpx.codes.OK
        stood = _bronze(data)
    until(lambda: _bronze(data) > stood, "bronze goes on", 90)
    until(lambda: _told(data, "lake_away == 0"), "Prometheus is told that the lake is back", 60)


def test_without_postgresql_features_are_served_and_the_registry_waits(data: Driver) -> None:
    """Reading needs no registry; applying the definitions fails by name, and works again afterwards."""
    with Away(data, "statefulset/postgres"):
        assert _features(data).status_code == httpx.codes.OK
        with _applying(data) as job:
            until(lambda: "postgres" in data.kubectl("logs", *job, code=None), "the job says what it lacks", 60)
    with _applying(data) as job:
        data.kubectl("wait", *job, "--for=condition=complete", "--timeout=180s")


def _features(lab: Driver) -> httpx.Response:
    asked = {"features": ["departure_delay_by_origin:origin_departure_count_1h"], "entities": {"origin": ["JFK"]}}
    try:
        return httpx.post(f"http://127.0.0.1:{lab.port(6566)}/get-online-features", json=asked, timeout=5)
    except httpx.HTTPError:
        return httpx.Response(httpx.codes.BAD_GATEWAY)


def _refused(lab: Driver) -> httpx.Response | None:
    answer = _features(lab)
    return answer if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else None


def _newest(answer: httpx.Response) -> str:
    """Return the event time of the row in an answer; empty where it is a refusal."""
    return str(answer.json()["results"][-1]["event_timestamps"][0]) if answer.is_success else ""


def _told(lab: Driver, query: str) -> bool:
    return bool(values(lab, query))


def _bronze(lab: Driver) -> float:
    """Return how many events the writer of bronze has committed since it began."""
    return sum(values(lab, "lake_rows_total"))


@contextmanager
def _applying(lab: Driver) -> Iterator[tuple[str, ...]]:
    """Begin the job that applies the definitions of features; its name for kubectl."""
    job = ("job/registry-test", "-n", "chain")
    lab.kubectl("create", "job", "registry-test", "--from=cronjob/feature-apply", "-n", "chain")
    try:
        yield job
    finally:
        lab.kubectl("delete", *job)

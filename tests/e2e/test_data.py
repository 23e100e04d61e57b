"""The data half of the stack on the cluster: what its jobs leave behind, what it serves, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import yaml

from driver import Driver, until

pytestmark = [pytest.mark.cluster, pytest.mark.stands("02")]

_FLIGHTS_VIEW = "departure_delay_by_origin"
_FIRST_PLANE = "N14228"
"""United 1545 from Newark to Houston on 1 January 2013."""
_BEGIN = 1_356_998_400
"""When 2013 began, seconds since 1970."""


@pytest.fixture(scope="module")
def data(lab: Driver) -> Driver:
    """Return the cluster with lab 02 on it."""
    lab.run("up", "02")
    return lab


def test_the_probe_followed_one_event_into_the_lake(data: Driver) -> None:
    """The proof of `lab up` goes on from the online store to a row of bronze, within a few commits of its writer."""
    proof = data.json("up", "02")["proof"]
    assert 0 < proof["feature_seconds"] <= proof["online_seconds"] <= proof["lake_seconds"] < 60


def test_what_people_read_can_be_opened(data: Driver) -> None:
    """The daily pages of quality and the page of the data products answer on the workstation."""
    for page in (f"http://127.0.0.1:{data.port(8083)}/reports", f"http://127.0.0.1:{data.port(8082)}/products"):
        answer = httpx.get(page, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), page


def test_batch_features_are_served(data: Driver) -> None:
    """What the batch layer alone computes stands in the online store: the last arrival of the year's first plane."""
    asked = {"features": ["turn_by_tailnum:tail_last_arrival_at"], "entities": {"tailnum": [_FIRST_PLANE]}}

    def served() -> bool:
        answer = httpx.post(f"http://127.0.0.1:{data.port(6566)}/get-online-features", json=asked, timeout=5).json()
        return (answer["results"][-1]["values"][0] or 0) >= _BEGIN

    until(lambda: _arrivals(data) > 0, "planes have arrived", 240, step=3)
    until(lambda: _built(data) and served(), "its arrival is served", 120, step=5)


def test_rows_of_the_replay_are_not_taken_for_old(data: Driver) -> None:
    """After the probe of `lab up` a feature of 2013 counts as present: its age is judged by the replay's own clock."""
    asked = {"features": [f"{_FLIGHTS_VIEW}:origin_departure_count_1h"], "entities": {"origin": ["JFK"]}}

    def status() -> str:
        answer = httpx.post(f"http://127.0.0.1:{data.port(6566)}/get-online-features", json=asked, timeout=5).json()
        return str(answer["results"][-1]["statuses"][0])

    assert until(lambda: said if (said := status()) != "NOT_FOUND" else "", "JFK has a row", 120) == "PRESENT"


def test_a_dump_of_every_database_can_be_made_at_once(data: Driver) -> None:
    """The job that Kubernetes runs each night succeeds on demand and says what it wrote."""
    with _job(data, "pg-dump", "data") as job:
        data.kubectl("wait", *job, "--for=condition=complete", "--timeout=120s")
        assert "feast" in data.kubectl("logs", *job)


def test_definitions_that_break_a_consumer_are_refused_where_they_are_applied(data: Driver) -> None:
    """A feature that a registered service reads is dropped: the job fails, and names the service and the feature."""
    dropped = (
        "import contracts.views_flights as v, dataclasses, sys, types\n"
        f"view = v.DEFINITIONS.stored('{_FLIGHTS_VIEW}')\n"
        "less = dataclasses.replace(view, features=view.features[1:])\n"
        "views = tuple(less if each is view else each for each in v.DEFINITIONS.views)\n"
        "services = tuple(each for each in v.DEFINITIONS.services if each.name == 'none')\n"
        "module = types.ModuleType('broken')\n"
        "module.DEFINITIONS = dataclasses.replace(v.DEFINITIONS, views=views, services=services, on_demand=())\n"
        "sys.modules['broken'] = module\n"
        "import runpy\n"
        "sys.argv = ['feature', 'apply']\n"
        "runpy.run_module('feature', run_name='__main__')\n"
    )
    template = json.loads(data.kubectl("get", "cronjob", "feature-apply", "-n", "chain", "-o", "json"))
    spec = template["spec"]["jobTemplate"]["spec"]
    spec["backoffLimit"] = 0
    (container,) = spec["template"]["spec"]["containers"]
    container["command"] = ["python3", "-c", dropped]
    container["env"] = [
        {"name": "TARMAC_DEFINITIONS", "value": "broken:DEFINITIONS"} if each["name"] == "TARMAC_DEFINITIONS" else each
        for each in container["env"]
    ]
    job = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "broken", "namespace": "chain"}, "spec": spec,
    }  # fmt: skip
    file = data.folder / "broken.yaml"
    file.write_text(yaml.safe_dump(job))
    data.kubectl("apply", "-f", str(file))
    try:
        data.kubectl("wait", "job/broken", "-n", "chain", "--for=condition=failed", "--timeout=180s")
        told = data.kubectl("logs", "job/broken", "-n", "chain")
    finally:
        data.kubectl("delete", "job", "broken", "-n", "chain")
    assert "delay_v1" in told
    assert _FLIGHTS_VIEW in told


def _arrivals(lab: Driver) -> float:
    query = {"query": 'sum(ingest_events_total{topic="flight.arrived.v1"})'}
    answer = httpx.get(f"http://127.0.0.1:{lab.port(9090)}/api/v1/query", params=query, timeout=5).json()
    return sum(float(each["value"][1]) for each in answer["data"]["result"])


def _built(lab: Driver) -> bool:
    """Run the batch layer once."""
    with _job(lab, "lake-build", "chain") as job:
        lab.kubectl("wait", *job, "--for=condition=complete", "--timeout=300s")
    return True


@contextmanager
def _job(lab: Driver, cron: str, namespace: str) -> Iterator[tuple[str, ...]]:
    """Begin a CronJob's job now; its name for kubectl."""
    name = f"{cron}-test"
    lab.kubectl("create", "job", name, f"--from=cronjob/{cron}", "-n", namespace)
    try:
        yield f"job/{name}", "-n", namespace
    finally:
        lab.kubectl("delete", "job", name, "-n", namespace)

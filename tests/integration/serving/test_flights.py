"""Flights for people over the real feature service: what a model sees online is what it was trained on."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from prometheus_client import CollectorRegistry

from contracts import models
from contracts.predictions import arrival_of
from contracts.training_sets import ARRIVAL
from contracts.views_flights import DEFINITIONS
from ingest import dataset, timetable
from integration.feature.processes import PASSWORD, Redis, Service
from integration.serving.processes import Server
from integration.serving.real import Online, files
from lake.build import build
from lake.training import Wanted, make
from serving.figures import LookupFigures
from serving.flights.lookup import Lookup
from serving.flights.people import People
from serving.flights.timetable import Timetable
from serving.inference.journal import Journal
from unit.lake.worlds import World
from unit.serving.asking import Site
from unit.serving.features import FLIGHT, put_known
from unit.serving.graphs import linear, put, told
from unit.serving.test_journal import Topic

UNTIL = dt.date(2013, 1, 7)
FEATURES = tuple(
    name
    for name in (each.partition(":")[2] for each in DEFINITIONS.features_of(DEFINITIONS.service("delay_v2")))
    if name != "tail_last_arrival_at"
)
"""All that a model of the training takes."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """Return an online store."""
    made = Redis(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first six days of the data set."""
    return files(tmp_path_factory.mktemp("data"), UNTIL)


def test_a_flight_is_looked_up_as_it_stands_in_the_training_set(data: Path, redis: Redis, tmp_path: Path) -> None:
    """Every feature of every flight that is asked about an hour before it leaves, at instants all over two days."""
    events = dataset.events(data)
    world = World(tmp_path)
    world.add(events)
    build(world.lake)
    begin = dt.datetime(2013, 1, 4, tzinfo=dt.UTC)
    wanted = Wanted("delay_v2", begin, begin + dt.timedelta(days=2), extra=("flight", "dest"), label=ARRIVAL)
    rows = make(world.lake, wanted).rows
    instants = sorted(rows.get_column("predicted_at").unique().to_list())[::20]
    timetable.pack(data, tmp_path / "timetable.gz")
    folder = put(tmp_path / "models", "delay", "1", made := linear(len(FEATURES)))
    models.write(msgspec.structs.replace(told("delay", made.SerializeToString(), FEATURES), service="delay_v2"), folder)
    online = Online(redis, world.lake, events)
    compared, absent = 0, 0
    try:
        online.service.wait()
        for instant in instants:
            online.go_to(instant)
            asked = rows.filter(pl.col("predicted_at") == instant).rows(named=True)
            found = looked_up(online.service.address, tmp_path, asked)
            for row in asked:
                expected = np.array([row[name] for name in FEATURES], np.float32)
                seen = np.array(found[arrival_of(row["flight_id"])], np.float32)
                differ = [
                    (name, float(one), float(other))
                    for name, one, other in zip(FEATURES, expected, seen, strict=True)
                    if not np.array_equal(one, other, equal_nan=True)
                ]
                assert not differ, (instant, row["flight_id"], differ)
                compared += 1
                absent += int(np.isnan(expected).sum())
    finally:
        online.close()
    assert compared > 50
    assert absent > 0, "nothing was missing: that side was not looked at"


def looked_up(address: str, folder: Path, flights: list[dict[str, Any]]) -> dict[str, list[float | None]]:
    """Return the features that a model is given for each flight, by the id of its arrival."""
    topic = Topic()
    journal = Journal(topic.connect, "stable", 1.0, 10_000)

    async def ask() -> None:
        lookup = Lookup(address, 10, LookupFigures(CollectorRegistry()))
        people = People(lookup, Timetable.load(folder / "timetable.gz"), journal)
        site = Site(folder / "models", people=people)
        for row in flights:
            origin, _, dest = row["route"].partition("-")
            body = {
                "carrier": row["carrier"], "flight": row["flight"], "origin": origin, "dest": dest, "alternatives": 0,
                "scheduled_departure": (row["predicted_at"] + dt.timedelta(hours=1)).isoformat(),
            }  # fmt: skip
            answer = await site.call("POST", "/flights/predict", json.dumps(body).encode(), {})
            assert answer.status == 200, answer.body
        await people.close()

    asyncio.run(ask())
    journal.start()
    journal.close(10)
    return {record.flight or "": record.features for _, record, _ in topic.records}


def test_a_feature_service_that_is_away_is_told_in_time_and_comes_back(redis: Redis, tmp_path: Path) -> None:
    """Hanging, killed and there again: 503 after the time that it may take, or at once, and then an answer."""
    put_known(tmp_path, "delay", "1")
    body = json.dumps({**FLIGHT, "alternatives": 0}).encode()
    where = {"redis": f"127.0.0.1:{redis.port}", "redis_password": PASSWORD}
    online = Service(where)
    server = Server(tmp_path, TARMAC_FEATURE=online.address, TARMAC_FEATURE_SECONDS="0.5")
    try:
        server.until("/readyz")
        server.until("/v2/models/delay/ready")
        online.wait()
        assert server.ask("POST", "/flights/predict", body)[0] == 200
        redis.pause()
        away(server, body, "no answer within 0.5 s")
        redis.go_on()
        back(server, body)
        online.process.kill()
        online.process.wait()
        away(server, body, "connect")
        again = Service(where, online.port)
        try:
            back(server, body)
        finally:
            again.stop()
        metrics = server.ask("GET", "/metrics")[1]
        assert "serving_lookup_failures_total{" in metrics
    finally:
        server.end()
        if online.process.poll() is None:
            online.stop()


def away(server: Server, body: bytes, why: str) -> None:
    """Be told that features are away, and why."""
    status, answer = server.ask("POST", "/flights/predict", body)
    assert status == 503, answer
    assert "feature service" in answer["error"]
    assert why in answer["error"]


def back(server: Server, body: bytes) -> None:
    """Wait until flights are answered."""
    deadline = time.monotonic() + 30
    while server.ask("POST", "/flights/predict", body)[0] != 200:
        assert time.monotonic() < deadline, "it does not come back"
        time.sleep(0.1)

"""Predictions through a real broker: told by servers of two tracks, compared with the arrivals that come later."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts import FlightArrived, FlightDeparted, encode
from contracts.topics import ARRIVED, DEPARTED, PREDICTED
from integration.serving.conftest import PARTITIONS
from integration.serving.processes import Server
from runtime.broker import Publisher, Subscription
from runtime.process import Stop
from runtime.tracing import Tracing
from serving.inference import journal
from serving.inference.journal import Journal
from serving.worker_settings import FollowSettings, LabelsSettings
from serving.workers import follow, labelling
from serving.workers.figures import FollowFigures, LabelFigures
from serving.workers.follow import Desk, Follower
from serving.workers.labelling import Worker
from serving.workers.labels import Labels
from unit.serving.asking import Site, tensor
from unit.serving.graphs import linear, put
from unit.serving.schedules import DAY

INFER = "/v2/models/m/infer"
SECONDS = 60.0
FLIGHTS = 60


def until(turn: Callable[[], None], condition: Callable[[], bool], what: str) -> None:
    """Work until something holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SECONDS:g} s: {what}"
        turn()


class Life:
    """One life of the label worker."""

    def __init__(self, address: str, group: str, topics: dict[str, str]) -> None:
        self.labels = Labels(48, 1000)
        self.registry = CollectorRegistry()
        names = [topics[PREDICTED], topics[ARRIVED]]
        self._source = Subscription(address, group, names, Stop())
        settings = LabelsSettings(label_settle_seconds=1, commit_seconds=0.2)
        self.worker = Worker(settings, self._source, self.labels, LabelFigures(self.labels, self.registry))

    def turn(self) -> None:
        """Let it work."""
        self.worker.turn(time.time())

    def end(self) -> dict[str, int]:
        """End it in order; its outcomes."""
        self.worker.commit()
        self._source.close(5)
        return dict(self.labels.outcomes)

    def told(self, name: str, track: str) -> float:
        """Return a counter of a release."""
        labels = {"model": "m", "version": "1", "track": track}
        return self.registry.get_sample_value(f"serving_label_{name}_total", labels) or 0.0


@pytest.mark.cluster
def test_labels_that_come_later_are_counted_once_over_a_restart(
    kafka_address: str, topics: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tracks are asked about the same flights; half arrive, the worker starts anew, the other half arrives."""
    for module in (journal, labelling):
        monkeypatch.setattr(module, "PREDICTED", topics[PREDICTED])
    monkeypatch.setattr(labelling, "ARRIVED", topics[ARRIVED])
    for track, factor in (("stable", 1.0), ("canary", 2.0)):
        put(tmp_path / track, "m", "1", linear(factor=factor), card=True)
        kept = Journal(lambda stop: Publisher(kafka_address, stop), track, 1.0, 10_000)
        kept.start()
        ask(Site(tmp_path / track, journal=kept))
        kept.close(SECONDS)
        assert (kept.sent, kept.dropped) == (FLIGHTS, 0)
    group = f"test-{uuid.uuid4().hex[:8]}"
    first = Life(kafka_address, group, topics)
    until(first.turn, lambda: len(first.labels) == 2 * FLIGHTS, "all predictions wait")
    arrive(kafka_address, topics[ARRIVED], range(FLIGHTS // 2))
    until(first.turn, lambda: first.labels.outcomes["counted"] == FLIGHTS, "half of them are counted")
    assert first.end()["counted"] == FLIGHTS
    arrive(kafka_address, topics[ARRIVED], range(FLIGHTS // 2, FLIGHTS))
    second = Life(kafka_address, group, topics)
    until(second.turn, lambda: second.labels.outcomes["counted"] == FLIGHTS, "the others are counted")
    for _ in range(4):
        second.turn()
    assert second.end()["counted"] == FLIGHTS
    for life in (first, second):
        assert life.told("error_values", "stable") == life.told("error_values", "canary") == FLIGHTS // 2
        # Predicted 3 and 6, arrived 10 late: 7 and 4 wrong.
        assert life.told("error_sum", "stable") == 7 * FLIGHTS // 2
        assert life.told("difference_values", "canary") == FLIGHTS // 2
        assert life.told("difference_below", "canary") == 3 * FLIGHTS // 2


def ask(site: Site) -> None:
    """Ask about every flight."""

    async def all_of_them() -> None:
        for number in range(FLIGHTS):
            body = {
                "inputs": [tensor("features", [1, 3], data=[1, 1, 1])],
                "parameters": {"flight": f"arr-{number:07}"},
            }
            answer = await site.call("POST", INFER, json.dumps(body).encode(), {})
            assert answer.status == HTTPStatus.OK

    asyncio.run(all_of_them())


def arrive(address: str, topic: str, numbers: range) -> None:
    """Let flights arrive, ten minutes late."""
    publisher = Publisher(address, Stop())
    for number in numbers:
        event = FlightArrived(
            id=f"arr-{number:07}", time=DAY, carrier="UA", flight=1, origin="JFK", dest="LAX", scheduled=DAY, delay=10,
            distance=2475,
        )  # fmt: skip
        publisher.send(topic, encode(event), event.key.encode(), [])
    publisher.flush(SECONDS)
    publisher.close(5)


@pytest.mark.cluster
def test_departures_are_followed_from_now_on(kafka_address: str, topics: dict[str, str]) -> None:
    """What left before is left alone; each that leaves then is asked about once."""
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["flight"])
        return httpx.Response(HTTPStatus.OK, json={})

    settings = FollowSettings(follow_rate=100, follow_age_seconds=60)
    depart(kafka_address, topics[DEPARTED], range(1, 20))
    source = Subscription(kafka_address, f"test-{uuid.uuid4().hex[:8]}", [topics[DEPARTED]], Stop())
    desk = Desk(settings, httpx.MockTransport(answer))
    follower = Follower(settings, source, desk, FollowFigures(CollectorRegistry(), follow.OUTCOMES), Tracing.off())

    def turn() -> None:
        follower.turn(lambda: False)

    until(turn, lambda: follower.begun, "the end of the topic")
    depart(kafka_address, topics[DEPARTED], range(100, 130))
    until(turn, lambda: len(asked) == 30, "all that leave are asked about")
    turn()
    source.close(5)
    assert sorted(asked) == list(range(100, 130))


@pytest.mark.cluster
def test_partitions_that_are_held_wait_in_the_log(kafka_address: str, topics: dict[str, str]) -> None:
    """Nothing comes of them until they are let go, and then everything does."""
    source = Subscription(kafka_address, f"test-{uuid.uuid4().hex[:8]}", [topics[DEPARTED]], Stop())
    found: list[Any] = []

    def turn() -> None:
        found.extend(record for records in source.poll(0.2).values() for record in records)

    until(turn, lambda: len(source.assigned()) == PARTITIONS, "all partitions")
    source.hold(source.assigned())
    depart(kafka_address, topics[DEPARTED], range(1, 31))
    for _ in range(5):
        turn()
    assert found == []
    source.hold(set())
    until(turn, lambda: len(found) == 30, "what was held comes")
    source.close(5)


def depart(address: str, topic: str, numbers: range) -> None:
    """Let flights leave."""
    publisher = Publisher(address, Stop())
    for number in numbers:
        event = FlightDeparted(
            id=f"dep-2013-01-01-UA-{number}-JFK", time=DAY + dt.timedelta(minutes=number), carrier="UA", flight=number,
            origin=("JFK", "EWR", "LGA")[number % 3], dest="LAX", scheduled=DAY, delay=number, distance=2475,
        )  # fmt: skip
        publisher.send(topic, encode(event), event.key.encode(), [])
    publisher.flush(SECONDS)
    publisher.close(5)


def test_without_kafka_every_prediction_is_answered(tmp_path: Path) -> None:
    """Nobody listens there: requests are answered, what does not fit is dropped and counted, the server ends well."""
    put(tmp_path, "m", "1", linear(), card=True)
    running = Server(tmp_path, TARMAC_KAFKA="127.0.0.1:1", TARMAC_LOG_ROOM="50", TARMAC_TRACK="stable")
    body = json.dumps({"inputs": [tensor("features", [1, 3], data=[1, 2, 4])]}).encode()
    try:
        running.until("/readyz")
        running.until("/v2/models/m/ready")
        statuses = [running.ask("POST", INFER, body)[0] for _ in range(120)]
        page: str = running.ask("GET", "/metrics")[1]
    finally:
        code = running.end()
    figures: dict[str, Any] = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("serving_log"))
    assert set(statuses) == {HTTPStatus.OK}
    assert float(figures["serving_log_waiting"]) == 50
    assert float(figures["serving_log_dropped_total"]) == 70
    assert code == 0

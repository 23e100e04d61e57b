"""A replay of 100,000 events during which broker, consumer and API server are killed: nothing lost, nothing doubled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import msgspec
import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from driver import Driver, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

_EVENTS = 100_000
_TOPICS = ("flight.departed.v1", "flight.arrived.v1", "weather.read.v1")


@dataclass(frozen=True)
class Replay:
    """A replay under way.

    Attributes:
        lab: the cluster it runs on.
        probes: events in the log that are the end-to-end probe's, not the replay's.

    """

    lab: Driver
    probes: int

    def sent(self) -> int:
        """Return how many of its events stand in the log; 0 while the broker is away."""
        try:
            with closing(_consumer(self.lab)) as consumer:
                return int(sum(consumer.end_offsets(_places(consumer)).values())) - self.probes
        except (KafkaError, KeyError, OSError):
            return 0

    def outcomes(self) -> Counter[str]:
        """Return what became of the events, as the consumer counts; empty while it is away."""
        try:
            counts = httpx.get(f"http://127.0.0.1:{self.lab.port(8080)}/counts", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return Counter()
        return sum((Counter(each) for each in counts.values()), Counter())


@pytest.fixture
def replay(lab: Driver) -> Iterator[Replay]:
    """Return a replay of exactly 100,000 events into new topics, in about a minute; the lab is put right afterwards."""
    lab.run("reset", "01")
    probes = sum(name.startswith("wx-probe") for name in _ids(lab))
    faster = ("TARMAC_SPEEDUP=80000", f"TARMAC_LIMIT={_EVENTS}")
    lab.kubectl("set", "env", "deployment/ingest-producer", "-n", "chain", *faster)
    yield Replay(lab, probes)
    lab.run("reset", "01")


def test_killing_broker_consumer_and_api_server_loses_and_doubles_nothing(replay: Replay) -> None:
    """Every event stands once in the log and was applied once, whatever was killed in the middle."""
    lab = replay.lab
    for share, kill in ((0.2, _kill_broker), (0.4, _kill_consumer), (0.6, _kill_api_server)):
        goal = int(share * _EVENTS)
        sent = until(lambda: sent if (sent := replay.sent()) >= goal else 0, f"{goal} events are sent", 180)  # noqa: B023  asked at once
        assert sent < _EVENTS, "the replay was over before the fault"
        kill(lab)
    until(lambda: replay.sent() >= _EVENTS, "all events are sent", 240)
    total = _EVENTS + replay.probes
    until(lambda: sum(replay.outcomes().values()) >= total, "all events are applied", 120)

    ids = Counter({name: count for name, count in _ids(lab).items() if not name.startswith("wx-probe")})
    assert [name for name, count in ids.items() if count > 1] == []
    assert len(ids) == _EVENTS
    outcomes = replay.outcomes()
    assert sum(outcomes.values()) == total, outcomes
    assert (outcomes["duplicate"], outcomes["dead"]) == (0, 0), outcomes


def _kill_broker(lab: Driver) -> None:
    lab.kubectl("delete", "pod", "kafka-0", "-n", "platform", "--force", "--grace-period=0")


def _kill_consumer(lab: Driver) -> None:
    selector = ("-l", "app.kubernetes.io/component=consumer", "-n", "chain")
    lab.kubectl("delete", "pod", *selector, "--force", "--grace-period=0")


def _kill_api_server(lab: Driver) -> None:
    lab.in_node("kill", "-9", str(lab.process("kube-apiserver")))


def _consumer(lab: Driver) -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=f"127.0.0.1:{lab.port(9092)}", enable_auto_commit=False)


def _places(consumer: KafkaConsumer) -> list[TopicPartition]:
    return [TopicPartition(topic, each) for topic in _TOPICS for each in consumer.partitions_for_topic(topic) or ()]


def _ids(lab: Driver) -> Counter[str]:
    """Return how often each event's id stands in the log."""
    found: Counter[str] = Counter()
    deadline = time.monotonic() + 120
    with closing(_consumer(lab)) as consumer:
        places = _places(consumer)
        ends = consumer.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        while any(consumer.position(place) < ends[place] for place in places):
            assert time.monotonic() < deadline, "the log cannot be read"
            for records in consumer.poll(timeout_ms=500, max_records=20_000).values():
                found.update(msgspec.json.decode(record.value)["id"] for record in records)
    return found

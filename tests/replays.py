"""A replay under way on the test cluster, seen from outside: what stands in the log, and what became of it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import httpx
import msgspec
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from driver import Driver

TOPICS = ("flight.departed.v1", "flight.arrived.v1", "weather.read.v1")
PROBE = "wx-probe"
"""How the ids of the end-to-end probe's events begin."""


@dataclass(frozen=True)
class Replay:
    """A replay of a counted number of events into new topics.

    Attributes:
        lab: the cluster it runs on.
        events: how many it sends.
        probes: events in the log that are the end-to-end probe's, not the replay's.

    """

    lab: Driver
    events: int
    probes: int

    @classmethod
    def begun(cls, lab: Driver, events: int, speedup: int) -> Replay:
        """Let the producer of a lab that was just reset go on faster, as far as so many events."""
        probes = sum(name.startswith(PROBE) for name in _ids(lab))
        faster = (f"TARMAC_SPEEDUP={speedup}", f"TARMAC_LIMIT={events}")
        lab.kubectl("set", "env", "deployment/ingest-producer", "-n", "chain", *faster)
        return cls(lab, events, probes)

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

    def ids(self) -> Counter[str]:
        """Return how often the id of each of its events stands in the log."""
        return Counter({name: count for name, count in _ids(self.lab).items() if not name.startswith(PROBE)})


def _consumer(lab: Driver) -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=f"127.0.0.1:{lab.port(9092)}", enable_auto_commit=False)


def _places(consumer: KafkaConsumer) -> list[TopicPartition]:
    return [TopicPartition(topic, each) for topic in TOPICS for each in consumer.partitions_for_topic(topic) or ()]


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

"""A member of a group gets its partitions, however short its polls are and whatever the topics do meanwhile."""

import time
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewPartitions

from contracts.topics import WEATHER
from runtime.broker import Place, Subscription
from runtime.process import Stop

pytestmark = pytest.mark.cluster


@pytest.fixture
def producer(kafka_address: str) -> Iterator[KafkaProducer]:
    """Return a bare client that writes."""
    made = KafkaProducer(bootstrap_servers=kafka_address)
    yield made
    made.close()


def test_a_member_of_short_polls_gets_partitions_that_come_later(
    kafka_address: str, topics: dict[str, str], admin: KafkaAdminClient
) -> None:
    """A join begun by new metadata outlasts such a poll: the client forgets it, the member must not."""
    topic = topics[WEATHER]
    subscription = Subscription(kafka_address, f"test-{uuid.uuid4().hex[:8]}", [topic], Stop())
    try:
        _polled_until(subscription, 3)
        admin.create_partitions({topic: NewPartitions(5)})
        subscription._consumer._client.cluster.request_update()
        _polled_until(subscription, 5)
    finally:
        subscription.close(5)


def test_what_was_held_is_read_to_its_end(kafka_address: str, topics: dict[str, str], producer: KafkaProducer) -> None:
    """Partitions that are ahead are held again and again; none of their records stays behind in the client."""
    topic, count = topics[WEATHER], 30_000
    for number in range(count):
        producer.send(topic, b"x" * 100, partition=number % 3)
    producer.flush()
    subscription = Subscription(kafka_address, f"test-{uuid.uuid4().hex[:8]}", [topic], Stop())
    seen: Counter[Place] = Counter()
    deadline = time.monotonic() + 60
    try:
        while seen.total() < count:
            assert time.monotonic() < deadline, seen
            seen.update({place: len(records) for place, records in subscription.poll(0.1).items()})
            places = subscription.assigned()
            behind = min((seen[place] for place in places), default=0)
            subscription.hold({place for place in places if seen[place] > behind + 1000})
    finally:
        subscription.close(5)


def _polled_until(subscription: Subscription, partitions: int) -> None:
    deadline = time.monotonic() + 60
    while len(subscription.assigned()) != partitions:
        assert time.monotonic() < deadline, f"{len(subscription.assigned())} of {partitions} partitions"
        subscription.poll(0.001)

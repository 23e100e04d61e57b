"""A member of a group gets its partitions, however short its polls are and whatever the topics do meanwhile."""

import time
import uuid

import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from contracts.topics import WEATHER
from runtime.broker import Subscription
from runtime.process import Stop

pytestmark = pytest.mark.cluster


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


def _polled_until(subscription: Subscription, partitions: int) -> None:
    deadline = time.monotonic() + 60
    while len(subscription.assigned()) != partitions:
        assert time.monotonic() < deadline, f"{len(subscription.assigned())} of {partitions} partitions"
        subscription.poll(0.001)

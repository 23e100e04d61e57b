"""A real broker, and topics of their own for each test, so that whatever else runs on it is not disturbed."""

import uuid
from collections.abc import Iterator

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from contracts.events import Event
from contracts.topics import DEAD_LETTER, EVENTS, WEATHER
from ingest import repair

PARTITIONS = 3


@pytest.fixture
def admin(kafka_address: str) -> Iterator[KafkaAdminClient]:
    """Makes and deletes topics."""
    client = KafkaAdminClient(bootstrap_servers=kafka_address)
    yield client
    client.close()


@pytest.fixture
def topics(admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The topics of one test: contract topic -> its name for this test, under which the contract stands meanwhile."""
    run = uuid.uuid4().hex[:8]
    names = {topic: f"test.{run}.{topic}" for topic in (WEATHER, DEAD_LETTER)}
    contracts: dict[str, type[Event]] = {names[WEATHER]: EVENTS[WEATHER]}
    for topic in list(EVENTS):
        monkeypatch.delitem(EVENTS, topic)
    for name, kind in contracts.items():
        monkeypatch.setitem(EVENTS, name, kind)
    monkeypatch.setattr(repair, "DEAD_LETTER", names[DEAD_LETTER])
    make(admin, names)
    yield names
    admin.delete_topics(list(names.values()))


def make(admin: KafkaAdminClient, names: dict[str, str]) -> None:
    """Declare the topics of a test."""
    wanted = {names[WEATHER]: PARTITIONS, names[DEAD_LETTER]: 1}
    admin.create_topics([NewTopic(name=name, num_partitions=n, replication_factor=1) for name, n in wanted.items()])

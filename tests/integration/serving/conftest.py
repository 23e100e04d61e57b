"""A real broker, with topics of their own for each test, and one server that lives through all that is bad."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from contracts.topics import ARRIVED, DEPARTED, PREDICTED
from integration.serving.victim import Victim, features, victim

PARTITIONS = 3


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Return the one server to which the tests of the group `victim` send whatever is bad."""
    with features() as address, victim(tmp_path_factory.mktemp("victim"), TARMAC_FEATURE=address) as running:
        yield running


@pytest.fixture(scope="session")
def kafka_address(request: pytest.FixtureRequest) -> str:
    """Return where a broker answers: TARMAC_TEST_KAFKA, or else the test cluster's."""
    if given := os.environ.get("TARMAC_TEST_KAFKA"):
        return given
    lab = request.getfixturevalue("lab")
    return f"127.0.0.1:{lab.port(9092)}"


@pytest.fixture
def topics(kafka_address: str) -> Iterator[dict[str, str]]:
    """Return the topics of one test: contract topic -> its name for this test."""
    run = uuid.uuid4().hex[:8]
    names = {topic: f"test.{run}.{topic}" for topic in (PREDICTED, ARRIVED, DEPARTED)}
    admin = KafkaAdminClient(bootstrap_servers=kafka_address)
    wanted = [NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=1) for name in names.values()]
    admin.create_topics(wanted)
    yield names
    admin.delete_topics(list(names.values()))
    admin.close()

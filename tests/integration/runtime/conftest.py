"""A real Redis for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from integration.feature.processes import PASSWORD, Redis
from runtime.online import OnlineSettings


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One Redis for the session."""
    made = Redis(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def settings(process: Redis) -> OnlineSettings:
    """Return the way to an empty Redis, whose own database is 3."""
    with redis.Redis(port=process.port, password=PASSWORD) as client:
        client.flushall()
    return OnlineSettings(redis=f"127.0.0.1:{process.port}/3", redis_password=PASSWORD)

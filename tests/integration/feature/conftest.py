"""A real Redis for each test session, and who reads and writes in it."""

from __future__ import annotations

import feature.objects  # noqa: F401  first: it makes Feast's import quick

# isort: split
from collections.abc import Iterator
from pathlib import Path

import feast
import pytest
import redis

from contracts.online import Writer
from feature import registry
from feature.settings import ApplySettings
from integration.feature import samples
from integration.feature.processes import PASSWORD, SAMPLES, Redis, Service, sdk


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One Redis for the session."""
    redis = Redis(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture
def redis_port(redis_process: Redis) -> int:
    """Return the port of an empty Redis."""
    with redis.Redis(port=redis_process.port, password=PASSWORD) as client:
        client.flushall()
    return redis_process.port


@pytest.fixture(scope="session")
def registry_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry file to which the sample definitions are applied."""
    folder = tmp_path_factory.mktemp("registry")
    path = folder / "registry.db"
    registry.apply(ApplySettings(registry=str(path), offline=str(folder), definitions=SAMPLES))
    return path


@pytest.fixture
def direct(registry_file: Path, redis_port: int) -> feast.FeatureStore:
    """Return Feast's SDK on the test's Redis."""
    return sdk(registry_file, {"type": "redis", "connection_string": f"127.0.0.1:{redis_port},password={PASSWORD}"})


@pytest.fixture
def writer(redis_port: int) -> Iterator[Writer]:
    """Return our writer on the test's Redis."""
    made = Writer(samples.DEFINITIONS, "127.0.0.1", redis_port, password=PASSWORD)
    yield made
    made.close()


def _serving(port: int) -> Service:
    made = Service({"redis": f"127.0.0.1:{port}", "redis_password": PASSWORD, "definitions": SAMPLES})
    made.wait()
    return made


@pytest.fixture(scope="session")
def server(redis_process: Redis) -> Iterator[Service]:
    """One feature service for the session."""
    made = _serving(redis_process.port)
    yield made
    assert made.stop() == 0


@pytest.fixture
def service(redis_port: int, server: Service) -> Service:  # noqa: ARG001  its Redis is empty first
    """Return the session's feature service, over an empty Redis."""
    return server


@pytest.fixture
def fresh(redis_port: int) -> Iterator[Service]:
    """Return a feature service of the test's own, whose figures begin at nothing."""
    made = _serving(redis_port)
    yield made
    assert made.stop() == 0

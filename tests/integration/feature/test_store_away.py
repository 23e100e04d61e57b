"""The service while its Redis is away: callers are told to come back, and nobody has to restart anything."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import layout
from contracts.online import Row, Writer
from integration.feature import samples
from integration.feature.processes import PASSWORD, SAMPLES, Redis, Service, until_open

NOW = layout.nanos_of(dt.datetime(2013, 6, 1, tzinfo=dt.UTC))


class TestARedisThatGoes:
    """The store away, hanging or empty: callers are told to come back, and nobody has to restart anything."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[tuple[Redis, Service]]:
        """A Redis that may be killed, and a service on it."""
        redis = Redis(tmp_path)
        redis.start()
        service = Service(
            {
                "redis": f"127.0.0.1:{redis.port}", "redis_password": PASSWORD, "definitions": SAMPLES,
                "redis_seconds": 0.3, "log_level": "error",
            }
        )  # fmt: skip
        service.wait()
        yield redis, service
        assert service.stop() == 0
        redis.kill()

    def test_it_crashes_and_comes_back(self, own: tuple[Redis, Service]) -> None:
        """503 with Retry-After meanwhile, at once; the same answer afterwards, from the same process."""
        redis, service = own
        writer = Writer(samples.DEFINITIONS, "127.0.0.1", redis.port, password=PASSWORD)
        writer.write([Row("more", {"name": "a"}, NOW, [5])])
        time.sleep(1.1)  # the append-only file reaches the disk once a second
        redis.kill()
        begun = time.monotonic()
        assert self.asked(service) == 503
        assert service.status("/health") == 503
        assert service.status("/livez") == service.status("/readyz") == 200
        frame = {"name": ["a"], "m_int64": [1], "event_timestamp": ["2014-01-01T00:00:00"]}
        assert service.post("/push", {"push_source_name": "more_push", "df": frame})[0] == 503
        assert time.monotonic() - begun < 5
        redis.start()
        self.recovers(service)
        assert service.ask(entities={"name": ["a"]}, features=["more:m_int64"])[1]["results"][1]["values"] == [5]
        writer.close()

    def test_it_hangs(self, own: tuple[Redis, Service]) -> None:
        """No caller waits longer than the service was told to; late answers are never taken for others'."""
        redis, service = own
        writer = Writer(samples.DEFINITIONS, "127.0.0.1", redis.port, password=PASSWORD)
        writer.write([Row("more", {"name": name}, NOW, [n]) for n, name in enumerate("abc")])
        redis.pause()
        begun = time.monotonic()
        assert self.asked(service) == 503
        assert time.monotonic() - begun < 2
        redis.go_on()
        self.recovers(service)
        for n, name in enumerate("abc"):
            assert service.ask(entities={"name": [name]}, features=["more:m_int64"])[1]["results"][1]["values"] == [n]
        writer.close()

    def test_it_is_not_there_yet(self, tmp_path: Path) -> None:
        """Started before its store: alive, not ready, and ready by itself."""
        redis = Redis(tmp_path)
        service = Service(
            {
                "redis": f"127.0.0.1:{redis.port}",
                "redis_password": PASSWORD,
                "definitions": SAMPLES,
                "log_level": "error",
            }
        )
        until_open(service.port)
        assert (service.status("/livez"), service.status("/readyz"), self.asked(service)) == (200, 503, 503)
        redis.start()
        service.wait()
        assert self.asked(service) == 200
        assert service.stop() == 0
        redis.kill()

    def test_a_wrong_password_is_told(self, redis_port: int) -> None:
        """Not ready, and the log says why."""
        service = Service({"redis": f"127.0.0.1:{redis_port}", "redis_password": "wrong", "log_level": "error"})
        until_open(service.port)
        time.sleep(0.3)
        assert service.status("/readyz") == 503
        assert service.stop() == 0

    @staticmethod
    def asked(service: Service) -> int:
        """Return the status of a small read."""
        return service.ask(entities={"name": ["a"]}, features=["more:m_int64"])[0]

    def recovers(self, service: Service) -> None:
        """Wait until reads are answered again, by itself."""
        deadline = time.monotonic() + 10
        while self.asked(service) != 200:
            assert time.monotonic() < deadline, "it did not come back"
            time.sleep(0.05)

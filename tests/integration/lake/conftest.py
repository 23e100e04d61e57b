"""A real broker with topics of each test's own, a real object store, and the writer of bronze as a process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka.admin import KafkaAdminClient, NewTopic

import runtime.store
from contracts import Event, encode
from contracts.topics import EVENTS
from lab.images import Catalogue
from lab.settings import Settings
from lab.tools import golang
from lake.store import Lake
from runtime.broker import Publisher
from runtime.process import Stop

ROOT = Path(__file__).resolve().parents[3]
PARTITIONS = 3
KEY, SECRET = "test-access", "test-secret-of-this-run"


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:  # noqa: ANN401
    """Return the first true value of a condition; fail with its name when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value


def free_port() -> int:
    """A TCP port that nobody has at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def kafka_address(request: pytest.FixtureRequest) -> str:
    """Where a broker answers: TARMAC_TEST_KAFKA, or else the test cluster's."""
    if given := os.environ.get("TARMAC_TEST_KAFKA"):
        return given
    lab = request.getfixturevalue("lab")
    return f"127.0.0.1:{lab.port(9092)}"


@dataclass
class Topics:
    """The topics of one test."""

    servers: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def names(self) -> dict[str, str]:
        """Contract topic -> its name for this test."""
        return {topic: f"test.{self.run}.{topic}" for topic in EVENTS}

    def send(self, events: Sequence[Event], topic_of: Callable[[Event], str], pause: float = 0.0) -> None:
        """Write events to the log, in order, acknowledged; with a pause (seconds) after every 250 of them."""
        publisher = Publisher(self.servers, Stop())
        for number, event in enumerate(events, 1):
            publisher.send(self.names[topic_of(event)], encode(event), event.key.encode(), [])
            if pause and not number % 250:
                publisher.flush(60)
                time.sleep(pause)
        publisher.flush(60)
        publisher.close(10)

    def send_raw(self, topic: str, value: bytes) -> None:
        """Write one record as it is."""
        publisher = Publisher(self.servers, Stop())
        publisher.send(self.names[topic], value, b"JFK", [])
        publisher.flush(60)
        publisher.close(10)


@pytest.fixture
def topics(kafka_address: str) -> Iterator[Topics]:
    """Return topics that only this test uses."""
    made = Topics(kafka_address)
    admin = KafkaAdminClient(bootstrap_servers=kafka_address)
    wanted = [NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=1) for name in made.names.values()]
    admin.create_topics(wanted)
    yield made
    admin.delete_topics(list(made.names.values()))
    admin.close()


@dataclass
class Store:
    """Where a test's lake is.

    Attributes:
        root: folder or bucket.
        endpoint: of the object store.
    """

    root: str
    endpoint: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process needs to find it."""
        return {
            "TARMAC_LAKE": self.root,
            "TARMAC_S3_ENDPOINT": self.endpoint,
            "TARMAC_S3_ACCESS_KEY": KEY,
            "TARMAC_S3_SECRET_KEY": SECRET,
        }

    @property
    def lake(self) -> Lake:
        """Return it as the batch layer sees it."""
        return Lake(runtime.store.Store(self.root, self.endpoint, KEY, SECRET))


def _bare() -> dict[str, str]:
    """Return this process' environment without settings of ours: the service refuses those that it does not know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TARMAC_")}


class Writer:
    """`python -m ingest bronze` as a process that can be killed and started again."""

    def __init__(self, topics: Topics, store: Store, log: Path, **settings: str) -> None:
        self.topics = topics
        self.store = store
        self.log = log
        self.port = free_port()
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        env = {
            **_bare(), **self.store.environment, "PYTHONPATH": f"{ROOT}/services:{ROOT}/tests",
            "TARMAC_KAFKA": self.topics.servers, "TARMAC_PORT": str(self.port), "TARMAC_TRACES": "",
            **self._settings,
        }  # fmt: skip
        script = Path(__file__).with_name("writer.py")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, script, self.topics.run], env=env, stdout=log, stderr=log)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """End it with a signal; its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=60)

    @property
    def alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.poll() is None

    def durable(self) -> int:
        """Return how many offsets the tables have passed, as the writer tells; 0 while it does not answer."""
        assert self.alive, self.log.read_text(encoding="utf-8")[-2000:]
        try:
            told = httpx.get(f"http://127.0.0.1:{self.port}/positions", timeout=2).json()
        except (httpx.HTTPError, ValueError):
            return 0
        return sum(sum(each["next"].values()) for each in told.values() if isinstance(each, dict))

    def ready(self) -> tuple[bool, str]:
        """Return whether it says that it is ready, and its words."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2)
        except httpx.HTTPError as failure:
            return False, repr(failure)
        return answer.status_code == 200, answer.text

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


@pytest.fixture
def writer(topics: Topics, tmp_path: Path) -> Iterator[Callable[..., Writer]]:
    """Return what makes writers on this test's topics; none outlives the test."""
    made: list[Writer] = []

    def make(store: Store, **settings: str) -> Writer:
        made.append(Writer(topics, store, tmp_path / f"writer-{len(made)}.log", **settings))
        return made[-1]

    yield make
    for each in made:
        if each.alive:
            each.kill()


class Gateway:
    """A real object store: versitygw over a folder, with the bucket `lake`."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        for bucket in ("lake", "dvc"):
            (folder / "objects" / bucket).mkdir(parents=True)
        (folder / "meta").mkdir()

    @property
    def store(self) -> Store:
        """Return the lake in its bucket."""
        return Store("s3://lake", f"http://127.0.0.1:{self.port}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        env = {**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        command: list[str | Path] = [
            self._program, f"--port=127.0.0.1:{self.port}", "--health=/health", "--region=us-east-1", "--quiet",
            "posix", f"--sidecar={self._folder / 'meta'}", self._folder / "objects",
        ]  # fmt: skip
        with (self._folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        until(self._answers, "the object store answers", 20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End it as a lost machine would."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=20)


@contextmanager
def gateway_in(folder: Path) -> Iterator[Gateway]:
    """Run an object store over a folder."""
    made = Gateway(_versitygw(), folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _versitygw() -> Path:
    """The gateway, compiled as for the image."""
    settings = Settings.load(os.environ)
    go = Catalogue(settings.root).image("objectstore").go
    assert go
    return golang.compiled(settings, lambda _: None, go.module, go.version, go.package)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """Return an object store of this test's own."""
    folder = tmp_path / "s3"
    folder.mkdir()
    with gateway_in(folder) as made:
        yield made


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return a place for a lake: a folder, and an object store."""
    if request.param == "folder":
        return Store(str(tmp_path / "lake"))
    made: Gateway = request.getfixturevalue("gateway")
    return made.store

"""Asynchronous inference through a real broker: nothing asked is lost, a crash answers twice at most, under one id."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from contracts.topics import ANSWERED, ASKED, DEAD_LETTER
from integration.serving.processes import ROOT, free_port
from runtime.broker import Log, Publisher, Subscription
from runtime.health import Health
from runtime.letters import Letterbox, origin, told
from runtime.process import Stop
from runtime.tracing import Tracing
from serving.model.batch import Limits
from serving.workers.answerer import Answerer
from serving.workers.figures import StreamFigures
from serving.workers.stream import Worker
from unit.serving.graphs import linear, point, put, repository
from unit.serving.test_answerer import SAMPLED, request

pytestmark = pytest.mark.cluster
SECONDS = 120


class Topics:
    """Topics of one test, and what stands in them."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self.run = uuid.uuid4().hex[:8]
        self.asked, self.answered, self.letters = (f"test.{self.run}.{each}" for each in (ASKED, ANSWERED, DEAD_LETTER))
        self.admin = KafkaAdminClient(bootstrap_servers=servers)
        wanted = {self.asked: 3, self.answered: 3, self.letters: 1}
        if DEAD_LETTER not in self.admin.list_topics():
            wanted[DEAD_LETTER] = 1
        self.admin.create_topics(
            [NewTopic(name=it, num_partitions=n, replication_factor=1) for it, n in wanted.items()]
        )

    def ask(self, *values: bytes) -> None:
        """Send records, each with a key of its own."""
        publisher = Publisher(self.servers, Stop())
        for number, value in enumerate(values):
            publisher.send(self.asked, value, str(number).encode(), [("traceparent", SAMPLED)])
        publisher.flush()
        publisher.close(5)

    def read(self, topic: str) -> list[Any]:
        """All records of a topic."""
        log = Log(self.servers, Stop())
        try:
            bounds = log.bounds(log.places(topic))
            return [
                each for place, (first, end) in bounds.items() if first < end for each in log.read(place, first, end)
            ]
        finally:
            log.close()

    def ids(self) -> list[str]:
        """The ids that were answered, in order of their numbers."""
        return sorted((json.loads(each.value)["id"] for each in self.read(self.answered)), key=int)

    def close(self) -> None:
        """Delete them."""
        self.admin.delete_topics([self.asked, self.answered, self.letters])
        self.admin.close()


@pytest.fixture
def topics(kafka_address: str) -> Iterator[Topics]:
    """Topics of their own."""
    made = Topics(kafka_address)
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a model."""
    put(tmp_path, "m", "1", linear(), card=True)
    point(tmp_path, "m", champion="1")
    return tmp_path


class Life:
    """One life of a worker, from its start to its end or to a crash."""

    def __init__(self, topics: Topics, root: Path) -> None:
        self.topics = topics
        self.root = root
        self.figures = StreamFigures()

    async def until(self, answered: int, *, crash: bool = False) -> None:
        """Work until so many records came out in some way; a crash loses the last commit."""
        stop, topics = Stop(), self.topics
        publisher = Publisher(topics.servers, stop)
        subscription = Subscription(topics.servers, topics.asked, [topics.asked], stop)
        box = Letterbox(topics.servers, topics.asked, publisher, stop, topics.letters)
        models = repository(self.root, limits=Limits(inline_seconds=0, queue=2000, queue_seconds=30))
        await models.refresh()
        answerer = Answerer(models, Tracing.off(), 20)
        worker = Worker(subscription, publisher, box, answerer, self.figures, Health(), topics.answered)
        if crash:
            # Written and acknowledged; then the end comes.
            worker._commit = publisher.flush  # type: ignore[method-assign]
        while self.figures.outcomes.total() < answered:
            await worker.turn()
        worker._desk.shutdown()
        subscription.close(5)
        publisher.close(5)

    def play(self, answered: int, *, crash: bool = False) -> "Life":
        """The same, to its end."""
        asyncio.run(asyncio.wait_for(self.until(answered, crash=crash), SECONDS))
        return self


def numbered(*numbers: int) -> list[bytes]:
    """Requests with these ids."""
    return [request().replace(b'"id":"7"', f'"id":"{number}"'.encode()) for number in numbers]


def test_what_is_asked_is_answered_once_over_two_lives(topics: Topics, root: Path) -> None:
    """The second life goes on where the first committed; keys and traces go with the answers."""
    topics.ask(*numbered(*range(300)))
    life = Life(topics, root).play(300)
    assert life.figures.outcomes == {"answered": 300, "refused": 0, "dead": 0}
    topics.ask(*numbered(*range(300, 320)))
    Life(topics, root).play(20)
    assert topics.ids() == [str(number) for number in range(320)]
    first = topics.read(topics.answered)[0]
    assert dict(first.headers) == {"traceparent": SAMPLED}
    assert json.loads(first.value)["outputs"][0]["data"] == [7.0]
    assert first.key == str(int(json.loads(first.value)["id"]) % 300).encode()


def test_a_crash_before_the_commit_answers_again_under_the_same_ids(topics: Topics, root: Path) -> None:
    """Nothing is lost; whoever drops the second answer of an id has each once."""
    topics.ask(*numbered(*range(50)))
    Life(topics, root).play(50, crash=True)
    Life(topics, root).play(50)
    assert topics.ids() == sorted([str(number) for number in range(50)] * 2, key=int)


def test_bad_records_become_dead_letters_once_and_stop_nothing(topics: Topics, root: Path) -> None:
    """With reason and field; a crash before the commit writes no second letter. An error that can be told is told."""
    topics.ask(*numbered(1), b"{", b'{"id": "9", "model_name": "m"}', request("nobody"), *numbered(2))
    Life(topics, root).play(5, crash=True)
    life = Life(topics, root).play(5)
    assert life.figures.outcomes == {"answered": 2, "refused": 1, "dead": 2}
    found = topics.read(topics.letters)
    assert sorted(told(each)["field"] for each in found) == ["$", "inputs"]
    abouts = [about for each in found if (about := origin(each))]
    assert [about.topic for about in abouts] == [topics.asked] * 2
    answers = {json.loads(each.value)["id"]: json.loads(each.value) for each in topics.read(topics.answered)}
    assert answers["7"]["status"] == 404
    assert set(answers) == {"1", "2", "7"}


def test_the_worker_as_a_process(topics: Topics, root: Path) -> None:
    """It gets ready, answers, tells its figures, and ends well when it is asked to."""
    port = free_port()
    told = {
        "TARMAC_KAFKA": topics.servers, "TARMAC_PORT": port, "TARMAC_MODELS": root, "TARMAC_GROUP": topics.asked,
        "TARMAC_ASKED": topics.asked, "TARMAC_ANSWERED": topics.answered, "TARMAC_TRACES": "",
        "TARMAC_DRAIN_SECONDS": 2, "PYTHONPATH": ROOT / "services",
    }  # fmt: skip
    env = {"PATH": os.environ["PATH"], **{name: str(value) for name, value in told.items()}}
    process = subprocess.Popen([sys.executable, "-m", "serving", "stream"], env=env, stderr=subprocess.PIPE)
    try:
        until(process, port, "/readyz", "ready")
        topics.ask(*numbered(1, 2, 3), request("nobody"))
        page = until(process, port, "/metrics", 'records_total{outcome="refused"} 1.0')
        assert 'serving_stream_records_total{outcome="answered"} 3.0' in page
        assert 'serving_rows_total{model="m",version="1"} 3.0' in page
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert topics.ids() == ["1", "2", "3", "7"]


def until(process: subprocess.Popen[bytes], port: int, path: str, words: str) -> str:
    """What a path answers, once these words are in it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read().decode()  # type: ignore[union-attr]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            page = connection.getresponse().read().decode()
        except OSError:
            page = ""
        finally:
            connection.close()
        if words in page:
            return page
        time.sleep(0.1)
    raise AssertionError(f"{path} never said {words}")

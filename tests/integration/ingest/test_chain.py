"""Producer, broker, consumer, dead letters and repair, with crashes in between."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from contracts import Event, WeatherRead
from contracts.topics import DEAD_LETTER, EVENTS, WEATHER
from ingest import repair, replay, resume
from ingest.consumer import Consumer
from ingest.figures import ConsumerFigures, ProducerFigures
from ingest.producer import Producer, Progress
from ingest.replay import Planned, Replay
from ingest.settings import ConsumerSettings, ProducerSettings, RepairSettings
from ingest.view import View
from integration.ingest.conftest import PARTITIONS, make
from runtime import letters
from runtime.broker import Log, Publisher, Subscription
from runtime.health import Health
from runtime.letters import Letterbox
from runtime.process import Stop
from runtime.tracing import Tracing
from unit.ingest.worlds import BEGIN, reading

pytestmark = pytest.mark.cluster

EVENTS_IN_ALL = 300
STATIONS = ("JFK", "LGA", "EWR", "BOS", "ORD")
SECONDS = 60


class OwnTopics(Replay):
    """A replay into the test's topics, in turn."""

    topics: tuple[str, ...] = ()

    def plan(self, begin: int) -> Iterator[Planned]:
        """As planned, elsewhere."""
        topics = self.topics
        return (planned._replace(topic=topics[planned.place % len(topics)]) for planned in super().plan(begin))


class Chain:
    """The parts of ingest on one test's topics."""

    def __init__(self, servers: str, topics: dict[str, str], plan: OwnTopics) -> None:
        self.servers = servers
        self.topics = topics
        self.group = topics[WEATHER]
        self.plan = plan
        plan.topics = (topics[WEATHER],)

    def produce(self, stop: Stop, speedup: float = 0, *, stay: bool = False) -> None:
        """Run a producer until all is sent or `stop` is set."""
        settings = ProducerSettings(kafka=self.servers, speedup=speedup, exit_when_done=not stay)
        Producer(settings, self.plan, ProducerFigures(), Progress(EVENTS_IN_ALL), Health(), Tracing.off()).run(stop)

    def consumer(self) -> tuple[Consumer, View, Subscription]:
        """A fresh consumer, as after a crash."""
        stop, view = Stop(), View()
        subscription = Subscription(self.servers, self.group, [self.topics[WEATHER]], stop)
        box = Letterbox(self.servers, self.group, Publisher(self.servers, stop), stop, self.topics[DEAD_LETTER])
        settings = ConsumerSettings(commit_seconds=60)
        return (
            Consumer(settings, subscription, box, view, ConsumerFigures(), Health(), Tracing.off()),
            view,
            subscription,
        )

    def send(self, value: bytes, key: str = "JFK") -> None:
        """A stranger's record."""
        publisher = Publisher(self.servers, Stop())
        publisher.send(self.topics[WEATHER], value, key.encode(), [])
        publisher.flush()
        publisher.close(5)

    def read(self, topic: str) -> list[list[object]]:
        """All records of a topic, by partition."""
        log = Log(self.servers, Stop())
        try:
            bounds = log.bounds(log.places(self.topics[topic]))
            return [list(log.read(place, first, end)) if first < end else [] for place, (first, end) in bounds.items()]
        finally:
            log.close()


@pytest.fixture
def plan(tmp_path: Path) -> OwnTopics:
    """Made before the contracts stand under the test's names."""
    events: list[Event] = [reading(n / 10, STATIONS[n % len(STATIONS)]) for n in range(EVENTS_IN_ALL)]
    replay.write(events, tmp_path / "plan.jsonl.gz")
    return OwnTopics(tmp_path / "plan.jsonl.gz", BEGIN)


@pytest.fixture
def chain(plan: OwnTopics, kafka_address: str, topics: dict[str, str]) -> Chain:
    """Parts on topics of their own."""
    return Chain(kafka_address, topics, plan)


def turn_until(consumer: Consumer, done: Callable[[], bool]) -> None:
    """Let a consumer work until the condition holds."""
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline, "the consumer did not get there"
        consumer.turn()


def deleted(admin: KafkaAdminClient, topics: set[str], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait until the broker has none of these topics."""
    deadline = time.monotonic() + SECONDS
    while topics & set(admin.list_topics()):
        assert time.monotonic() < deadline, "the topics were not deleted"
        meanwhile()


def applied(view: View, outcome: str = "applied") -> int:
    """How many events came out so."""
    return sum(partition.counts[outcome] for partition in view.partitions.values())


def ids(chain: Chain, topic: str = WEATHER) -> list[str]:
    """The ids of the events in the log, sorted; a stranger's record has none."""
    records = itertools.chain.from_iterable(chain.read(topic))
    return sorted(found for each in records if (found := resume.identity(each.value)))  # type: ignore[attr-defined]


def planned_ids(chain: Chain) -> list[str]:
    """The ids of the plan, sorted."""
    return sorted(resume.identity(planned.value) for planned in chain.plan.plan(0))


def test_a_producer_that_was_killed_goes_on_where_the_log_ends(chain: Chain) -> None:
    """Stopped half-way with a stranger's record on top, and begun again: every event once."""
    stop = Stop()
    publisher = Publisher(chain.servers, stop)
    for planned in itertools.islice(chain.plan.plan(0), 100):
        headers = [] if planned.place % 50 >= len(STATIONS) else [resume.header(planned.place)]
        publisher.send(planned.topic, planned.value, planned.key.encode(), headers)
    publisher.flush()
    publisher.close(5)
    chain.send(b"a stranger's")
    chain.produce(Stop())
    assert ids(chain) == planned_ids(chain)
    chain.produce(Stop())
    assert ids(chain) == planned_ids(chain)


def test_a_consumer_that_crashes_counts_every_event_once(chain: Chain) -> None:
    """Crashed after effect and before commit, events and dead letters alike: counted once, written once."""
    chain.produce(Stop())
    for _ in range(3):
        chain.send(b'{"broken": 1}')
    first, view, subscription = chain.consumer()
    turn_until(first, lambda: applied(view) == EVENTS_IN_ALL and applied(view, "dead") == 3)
    first._letterbox.flush(10)
    subscription.close(5)  # it leaves without the commit: all of its work is done again
    second, view, subscription = chain.consumer()
    turn_until(second, lambda: applied(view) == EVENTS_IN_ALL and applied(view, "dead") == 3)
    second.commit()
    subscription.close(5)
    assert len(chain.read(DEAD_LETTER)[0]) == 3
    third, view, subscription = chain.consumer()
    turn_until(third, lambda: bool(view.partitions) and all(each.whole for each in view.partitions.values()))
    subscription.close(5)
    assert (applied(view), applied(view, "dead")) == (EVENTS_IN_ALL, 3)
    windows = {key for each in view.partitions.values() for key, stream in each.streams.items() if stream.entries}
    assert windows == set(STATIONS)


def test_a_dead_letter_is_put_back_once_and_then_applied(chain: Chain) -> None:
    """A repaired letter is applied; a second run finds nothing to do; what stays broken is left for another repair."""
    broken = json.dumps({"type": WEATHER, "id": "wx-broken-1", "time": "2013-01-01T00:00:00Z", "station": "jfk"})
    for value in (broken.encode(), b"no json"):
        chain.send(value)
    consumer, view, subscription = chain.consumer()
    turn_until(consumer, lambda: applied(view, "dead") == 2)
    consumer.commit()
    told = [letters.told(letter)["kind"] for letter in chain.read(DEAD_LETTER)[0]]
    assert told == ["contract", "malformed"]
    settings = RepairSettings(kafka=chain.servers, repairs='{"station": "JFK"}', repair_group=f"{chain.group}.repair")
    assert repair.run(settings, Stop()) == {"put_back": 1, "put_back_before": 0, "still_broken": 1}
    turn_until(consumer, lambda: applied(view) == 1)
    assert repair.run(settings, Stop())["put_back"] == 0
    subscription.close(5)
    newest = next(stream.newest() for each in view.partitions.values() for stream in each.streams.values())
    assert isinstance(newest, WeatherRead)
    assert newest.id == "wx-broken-1"


def test_topics_made_anew_are_begun_anew(chain: Chain, admin: KafkaAdminClient) -> None:
    """Deleted and declared again under a running consumer: it begins at the new log's first record."""
    chain.produce(Stop())
    consumer, view, subscription = chain.consumer()
    turn_until(consumer, lambda: applied(view) == EVENTS_IN_ALL)
    consumer.commit()
    admin.delete_topics(list(chain.topics.values()))
    deleted(admin, set(chain.topics.values()), consumer.turn)
    make(admin, chain.topics)
    chain.produce(Stop())
    old = {id(partition) for partition in view.partitions.values()}
    turn_until(
        consumer,
        lambda: not old & {id(each) for each in view.partitions.values()} and applied(view) == EVENTS_IN_ALL,
    )
    subscription.close(5)


def test_what_one_topic_has_lost_is_sent_again_at_once(
    chain: Chain, admin: KafkaAdminClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted and declared again under a running producer: what it held was due long before the other's next event."""
    lost, kept = chain.topics[WEATHER], chain.topics.setdefault("kept", f"{chain.topics[WEATHER]}.kept")
    monkeypatch.setitem(EVENTS, kept, WeatherRead)
    admin.create_topics([NewTopic(name=kept, num_partitions=1, replication_factor=1)])
    whole, chain.plan = chain.plan, OwnTopics(tmp_path / "plan.jsonl.gz", BEGIN, limit=200)
    whole.topics = chain.plan.topics = (kept, lost)
    chain.produce(Stop())
    chain.plan, stop = whole, Stop()
    with ThreadPoolExecutor() as pool:
        # An event is six minutes: two seconds each. At that pace the first two hundred take seven minutes.
        running = pool.submit(chain.produce, stop, 180.0)
        try:
            sent(chain, "kept", 102)
            admin.delete_topics([lost])
            deleted(admin, {lost})
            admin.create_topics([NewTopic(name=lost, num_partitions=PARTITIONS, replication_factor=1)])
            sent(chain, WEATHER, 100)
        finally:
            stop.set()
        running.result()
    for topic in (WEATHER, "kept"):
        found = ids(chain, topic)
        assert len(found) == len(set(found))


def sent(chain: Chain, topic: str, number: int) -> None:
    """Wait until a topic has so many events; a client hears within half a minute that one was made anew."""
    deadline = time.monotonic() + 2 * SECONDS
    while len(ids(chain, topic)) < number:
        assert time.monotonic() < deadline, f"{topic} has {len(ids(chain, topic))} events"
        time.sleep(0.5)

"""Kafka, as services need it: the only module that knows the client library.

    Publisher      idempotent, acknowledged sends in order
    Subscription   a member of a consumer group that says where it stands
    Log            reads of known ranges, without a group

Every call waits for a broker that is away and says so once in a while; what cannot heal is raised under its own name.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, TypeAlias

from kafka import KafkaConsumer, KafkaProducer
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.partitioner import murmur2
from kafka.structs import OffsetAndMetadata, TopicPartition

from runtime.errors import Temporary
from runtime.membership import keep_joining
from runtime.patience import BrokerUnavailable, patiently
from runtime.process import Stop

log = logging.getLogger(__name__)

Place: TypeAlias = TopicPartition
Headers = list[tuple[str, bytes]]

_PAUSE = 1.0  # seconds between two attempts
_LEADER_BOUND = 60.0  # seconds that a partition may be without a leader before the process gives up and starts afresh
_REAP = 1_000  # records between two looks at what was acknowledged
_NEVER = 24 * 3600 * 1000  # milliseconds: a batch waits for its broker rather than being dropped and leaving a gap
_HEARSAY = 30_000  # milliseconds: how old may be what a client knows of topics, such as their ids

READING: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    # While the broker holds a fetch of partitions where nothing comes, the client asks for no others: now and then all
    # of them wait that long. Shorter: more empty answers; longer: older features.
    "fetch_max_wait_ms": 200,
    "metadata_max_age_ms": _HEARSAY,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
    "bootstrap_timeout_ms": 5_000,
}
"""What the client is told by whoever follows topics as they are written; sizes are for each to choose."""


class TopicMissing(Temporary):
    """A topic does not exist (yet): topics are declared by the platform, never created by accident."""


class SendRefused(Temporary):
    """The broker refused a record; where to go on is found again from the log after a restart."""


class Committed(NamedTuple):
    """What a group last committed for a partition."""

    offset: int
    note: str


def _short(identity: object) -> str:
    """Enough of a topic's id to tell two apart, short enough for a note."""
    return "" if identity is None else str(identity)[:8]


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that every standard client gives to `key`."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


class Publisher:
    """Sends records in order, each acknowledged by all replicas and written once.

    Args:
        servers: brokers.
        stop: ends the wait for a broker.
        linger: milliseconds that a record waits for others to go with it.

    Raises:
        SendRefused: by `check`, `send` and `flush`, once any record could not be written.
    """

    def __init__(self, servers: str, stop: Stop, linger: int = 20) -> None:
        self._stop = stop
        self._reap_at = _REAP
        self._under_way: deque[tuple[str, Any]] = deque()
        self.acknowledged: Counter[str] = Counter()
        """Topic -> records that the broker wrote, as of the last `check`."""
        self._producer = patiently(
            lambda: KafkaProducer(
                bootstrap_servers=servers.split(","),
                enable_idempotence=True,
                acks="all",
                linger_ms=linger,
                batch_size=128 * 1024,
                delivery_timeout_ms=_NEVER,
                max_block_ms=60_000,
                reconnect_backoff_max_ms=2_000,
                # A topic that is made anew between two sends takes them as if nothing had been: only its id tells.
                metadata_max_age_ms=_HEARSAY,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                bootstrap_timeout_ms=5_000,
            ),
            f"the producer's connection to {servers}",
            stop,
        )

    def partitions(self, topic: str) -> int:
        """How many partitions `topic` has; waits for a topic that is not declared yet."""
        found = patiently(lambda: self._producer.partitions_for(topic), f"the partitions of topic {topic}", self._stop)
        return len(found)

    def send(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Headers, partition: int | None = None
    ) -> Any:  # noqa: ANN401 (a record's parts; the client's future)
        """Hand over one record; blocks while the send buffer is full."""
        if len(self._under_way) >= self._reap_at:
            self.check()
            self._reap_at = len(self._under_way) + _REAP
        while True:
            try:
                future = self._producer.send(topic, value, key, headers, partition)
            except KafkaError as failure:
                self._wait_or_raise(topic, failure)
            else:
                self._under_way.append((topic, future))
                return future

    def _wait_or_raise(self, topic: str, failure: KafkaError) -> None:
        if self._stop or not failure.retriable:
            raise SendRefused(f"topic {topic} took no record: {failure}", "check the broker's log") from failure
        log.warning("the send buffer stays full", extra={"topic": topic, "cause": repr(failure)})

    def check(self) -> None:
        """Count what was acknowledged, and raise what went wrong with any record so far.

        The client would call back for each record; looking at the oldest ones from time to time costs a fraction of it.
        """
        under_way = self._under_way
        while under_way and under_way[0][1].is_done:
            topic, future = under_way.popleft()
            if future.failed():
                failure = future.exception
                raise SendRefused(f"topic {topic} took no record: {failure!r}", "see the broker's log") from failure
            self.acknowledged[topic] += 1

    def flush(self, seconds: float | None = None) -> None:
        """Wait until everything handed over is acknowledged.

        Raises:
            BrokerUnavailable: not within `seconds`.
        """
        try:
            self._producer.flush(timeout=seconds)
        except KafkaError as failure:
            raise BrokerUnavailable(f"records are not acknowledged: {failure}", "check the broker") from failure
        self.check()

    def topic_identity(self, topic: str) -> str:
        """The topic's id as last heard: another one means that the topic was made anew; empty: not known."""
        return _short(self._producer._metadata.topic_id(topic))  # noqa: SLF001  the client offers it nowhere else

    def close(self, seconds: float) -> None:
        """Send what waits, for so many seconds at most; what is not acknowledged then is given up and said."""
        try:
            self._producer.close(timeout=seconds)
        except KafkaError as failure:
            log.warning("records were given up", extra={"cause": repr(failure)})
            self._producer._sender.force_close()  # noqa: SLF001  the client stops half-way when its flush times out


class Subscription:
    """A member of consumer group `group`, reading `topics`."""

    def __init__(self, servers: str, group: str, topics: Sequence[str], stop: Stop) -> None:
        self._stop = stop
        self._changes = _Changes()
        self._consumer = patiently(
            lambda: KafkaConsumer(
                bootstrap_servers=servers.split(","),
                group_id=group,
                max_poll_records=5_000,
                max_partition_fetch_bytes=1024 * 1024,
                fetch_max_bytes=4 * 1024 * 1024,
                reconnect_backoff_max_ms=2_000,
                **READING,
            ),
            f"the consumer's connection to {servers}",
            stop,
        )
        self._consumer.subscribe(list(topics), listener=self._changes)

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Records by partition; none where nothing came within `seconds` or the broker is away."""
        keep_joining(self._consumer)
        _hand_back(self._consumer)
        try:
            found: Mapping[Place, list[Any]] = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except OffsetOutOfRangeError:
            raise
        except KafkaError as failure:
            log.warning("poll failed", extra={"cause": repr(failure)})
            self._stop.wait(_PAUSE)
            return {}
        return found

    def changed(self) -> bool:
        """Whether partitions came or went since it was last asked; their places have to be found anew."""
        changed, self._changes.seen = self._changes.seen, False
        return changed

    def assigned(self) -> set[Place]:
        """The partitions this member has."""
        return set(self._consumer.assignment())

    def committed(self, place: Place) -> Committed | None:
        """What the group last committed for a partition, or None."""
        found = patiently(
            lambda: self._consumer.committed(place, metadata=True, timeout_ms=10_000),
            f"the committed place of {place.topic}-{place.partition}",
            self._stop,
        )
        return Committed(found.offset, found.metadata or "") if found is not None and found.offset >= 0 else None

    def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """First offset held and next offset to be written, by partition."""
        return _bounds(self._consumer, list(places), self._stop)

    def seek(self, place: Place, offset: int) -> None:
        """Read on from `offset`."""
        self._consumer.seek(place, offset)

    def hold(self, places: AbstractSet[Place]) -> None:
        """Read of all partitions but these until told otherwise."""
        held = self._consumer.paused()
        if held != places:
            self._consumer.resume(*(held - places))
            self._consumer.pause(*(places - held))

    def written(self, place: Place) -> int | None:
        """Next offset to be written, as of the last fetch: costs nothing."""
        found: int | None = self._consumer.highwater(place)
        return found

    def commit(self, places: Mapping[Place, Committed]) -> bool:
        """Make places and notes durable; False where the partitions are somebody else's by now or Kafka is away."""
        offsets = {place: OffsetAndMetadata(it.offset, it.note, -1) for place, it in places.items()}
        try:
            self._consumer.commit(offsets, timeout_ms=10_000)
        except KafkaError as failure:
            log.warning("commit failed; it will be repeated", extra={"cause": repr(failure)})
            return False
        return True

    def identity(self, topic: str) -> str:
        """The topic's id as last heard; empty: not known."""
        return _short(self._consumer._client.cluster.topic_id(topic))  # noqa: SLF001  the client offers it nowhere else

    def close(self, seconds: float) -> None:
        """Leave the group."""
        self._consumer.close(autocommit=False, timeout_ms=int(seconds * 1000))


def _hand_back(consumer: Any) -> None:  # noqa: ANN401  the client has no types
    """Let the client hand back what it has put aside of a partition that was held and is read again.

    It does so once nothing is in line (kafka-python 3.0.12, `Fetcher.fetched_records`), and leaves what it has drained
    in line: the partition would neither be handed back nor fetched any more.
    """
    fetcher = consumer._fetcher  # noqa: SLF001  the client offers no other way
    if not fetcher._next_partition_records:  # noqa: SLF001
        fetcher._next_partition_records = None  # noqa: SLF001


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """Remembers that the assignment changed. It runs on the client's network thread, so it does nothing else."""

    def __init__(self) -> None:
        self.seen = False

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 (the client's signature)
        self.seen = True

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 (the client's signature)
        self.seen = True


class Log:
    """Reads ranges of partitions, in no group; close it after use."""

    def __init__(self, servers: str, stop: Stop) -> None:
        self._stop = stop
        self._consumer = patiently(
            lambda: KafkaConsumer(
                bootstrap_servers=servers.split(","),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                metrics_enabled=False,
                bootstrap_timeout_ms=5_000,
            ),
            f"the reader's connection to {servers}",
            stop,
        )

    def places(self, topic: str) -> list[Place]:
        """The topic's partitions.

        Raises:
            TopicMissing: it is not declared.
        """
        found = patiently(
            lambda: self._consumer.partitions_for_topic(topic), f"the partitions of topic {topic}", self._stop
        )
        if not found:
            raise TopicMissing(f"topic {topic} does not exist", "declare it; `lab up` does")
        return [Place(topic, number) for number in sorted(found)]

    def bounds(self, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
        """First offset held and next offset to be written, by partition."""
        return _bounds(self._consumer, places, self._stop)

    def read(self, place: Place, begin: int, end: int) -> Iterator[Any]:
        """The records at offsets begin … end-1.

        Raises:
            BrokerUnavailable: they do not come.
        """
        self._consumer.assign([place])
        self._consumer.seek(place, begin)
        last = time.monotonic()
        while self._consumer.position(place) < end:
            for record in self._consumer.poll(timeout_ms=500, max_records=5_000).get(place, ()):
                if record.offset >= end:
                    return
                last = time.monotonic()
                yield record
            if self._stop or time.monotonic() - last > _LEADER_BOUND:
                raise BrokerUnavailable(f"{place.topic}-{place.partition} gives no records", "check the broker")

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close(autocommit=False)


def _bounds(consumer: Any, places: Sequence[Place], stop: Stop) -> dict[Place, tuple[int, int]]:  # noqa: ANN401
    """The bounds of partitions; a leader that stays unknown is a named failure, not a KeyError."""

    def attempt() -> dict[Place, tuple[int, int]]:
        first, next_ = consumer.beginning_offsets(places, 10_000), consumer.end_offsets(places, 10_000)
        return {place: (first[place], next_[place]) for place in places}

    names = ", ".join(f"{place.topic}-{place.partition}" for place in places)
    return patiently(attempt, f"the leaders of {names}", stop, _LEADER_BOUND)

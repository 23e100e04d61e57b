"""Kafka, as the patterns need it: the lab's only module that knows the client library.

    Sender   idempotent sends in order, acknowledged by all replicas; what waits too long is given up, and told
    Reader   reads topics, as a member of a group or alone
    Admin    how far a group is behind, what a topic holds, and a topic's configuration

It is no second `runtime.broker`: that one never gives a record up, says of each partition where it stands, and keeps
notes beside committed places; here one reader has all of a topic, goes back to its beginning, and commits what it read.

Every call waits for a broker that is away and says so once in a while; what does not heal is raised by name. Readers
and Admins are for one thread each.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from runtime import patience
from runtime.broker import READING
from runtime.membership import keep_joining
from runtime.patience import BrokerUnavailable
from runtime.process import Stop

log = logging.getLogger(__name__)

Headers = Sequence[tuple[str, bytes]]
T = TypeVar("T")

# The client reports a broker that is away several times a second, and a look-up that closing cancels as an error.
for _noisy in ("kafka.cluster", "kafka.coordinator", "kafka.net"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)

_PAUSE = 0.5  # seconds between two attempts
_PATIENCE = 60.0  # seconds
_KEPT = 10 * 60 * 1000  # milliseconds that a record waits for its broker before it is given up, which is told
_COMMON = {"reconnect_backoff_max_ms": 1_000, "bootstrap_timeout_ms": 5_000}


class GivenUp(BrokerUnavailable):
    """A record waited too long for its broker: it is lost unless it is sent again."""


class Record(NamedTuple):
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp: int
    """Milliseconds since the epoch, as the sender gave it."""


def patiently(attempt: Callable[[], T], what: str, stop: Stop) -> T:
    """The result of `attempt`, as soon as the broker gives it; what waits too long gives up and starts afresh."""
    return patience.patiently(attempt, what, stop, _PATIENCE)


class Sender:
    """Sends records in order, each written once and acknowledged by all replicas."""

    def __init__(self, servers: str, stop: Stop) -> None:
        self._failure: BaseException | None = None
        self._producer = patiently(
            lambda: KafkaProducer(
                bootstrap_servers=servers.split(","),
                enable_idempotence=True,
                acks="all",
                linger_ms=2,
                delivery_timeout_ms=_KEPT,
                max_block_ms=10_000,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                **_COMMON,
            ),
            f"the producer's connection to {servers}",
            stop,
        )

    def send(
        self, topic: str, value: bytes, key: bytes | None = None, headers: Headers = (), partition: int | None = None
    ) -> None:
        """Hand over one record; blocks while the send buffer is full.

        Raises:
            BrokerUnavailable: it cannot be handed over.
            GivenUp: an earlier record was given up; this one was not handed over.
        """
        self._check()
        try:
            self._producer.send(topic, value, key, list(headers), partition).add_errback(self._failed)
        except KafkaError as failure:
            raise BrokerUnavailable(f"topic {topic} takes no record: {failure!r}", "check the broker") from failure

    def flush(self, seconds: float) -> None:
        """Wait until everything handed over is acknowledged.

        Raises:
            BrokerUnavailable: not within `seconds`; the records are still on their way.
            GivenUp: a record was given up.
        """
        try:
            self._producer.flush(timeout=seconds)
        except KafkaError as failure:
            raise BrokerUnavailable(f"records are not acknowledged: {failure!r}", "check the broker") from failure
        self._check()

    def close(self, seconds: float = 5.0) -> None:
        """Send what waits, for so many seconds at most."""
        self._producer.close(timeout=seconds)

    def _failed(self, failure: BaseException) -> None:
        self._failure = self._failure or failure

    def _check(self) -> None:
        if self._failure:
            failure, self._failure = self._failure, None
            raise GivenUp(f"a record was given up: {failure!r}", "see the broker's log") from failure


class Reader:
    """Reads `topics` from their earliest record on.

    Args:
        group: read as a member of this group, from its committed places on, in the partitions that the group gives;
            None: read all partitions, and commit nothing.
        alone: read all partitions though there is a group, which only remembers the places; no other member may exist.
    """

    def __init__(
        self, servers: str, topics: Sequence[str], stop: Stop, group: str | None = None, *, alone: bool = False
    ) -> None:
        self._stop = stop
        self._consumer = patiently(
            lambda: KafkaConsumer(
                bootstrap_servers=servers.split(","),
                group_id=group,
                max_poll_records=2_000,
                max_partition_fetch_bytes=512 * 1024,
                fetch_max_bytes=1024 * 1024,
                **{**_COMMON, **READING},
            ),
            f"the consumer's connection to {servers}",
            stop,
        )
        self._member = group is not None and not alone
        if not self._member:
            self._consumer.assign([place for topic in topics for place in self._places(topic)])
        else:
            self._consumer.subscribe(list(topics))

    def _places(self, topic: str) -> list[TopicPartition]:
        def attempt() -> list[TopicPartition]:
            numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise KeyError(topic)
            return [TopicPartition(topic, number) for number in sorted(numbers)]

        return patiently(attempt, f"the partitions of topic {topic}", self._stop)

    def poll(self, seconds: float) -> list[Record]:
        """Records in order within each partition; none where nothing came within `seconds` or the broker is away."""
        if self._member:
            keep_joining(self._consumer)
        try:
            found = self._consumer.poll(timeout_ms=int(seconds * 1000))
        except KafkaError as failure:
            log.warning("poll failed", extra={"cause": repr(failure)})
            self._stop.wait(_PAUSE)
            return []
        return [_record(raw) for batch in found.values() for raw in batch]

    def assigned(self) -> set[int]:
        """Numbers of the partitions it reads at present."""
        return {place.partition for place in self._consumer.assignment()}

    def commit(self) -> bool:
        """Make the places of all records polled so far durable; False where the group has moved on or Kafka is away."""
        try:
            self._consumer.commit(timeout_ms=10_000)
        except KafkaError as failure:
            log.warning("commit failed; what follows may be read again", extra={"cause": repr(failure)})
            return False
        return True

    def seek_to_beginning(self) -> None:
        """Read again from the earliest record that the broker holds; only where all partitions are read."""
        places = list(self._consumer.assignment())
        first = patiently(
            lambda: _complete(self._consumer.beginning_offsets(places, 10_000), places), "the first offsets", self._stop
        )
        for place in places:
            self._consumer.seek(place, first[place])

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Read on from `offset`."""
        self._consumer.seek(TopicPartition(topic, partition), offset)

    def position(self, topic: str, partition: int) -> int:
        """Offset of the next record to be read; one that was compacted away counts as passed."""
        place = TopicPartition(topic, partition)
        return patiently(lambda: int(self._consumer.position(place, 10_000)), f"the place in {topic}", self._stop)

    def close(self, seconds: float = 3.0) -> None:
        """Disconnect, and leave the group."""
        self._consumer.close(autocommit=False, timeout_ms=int(seconds * 1000))


class Admin:
    """Questions and changes that concern whole topics and groups."""

    def __init__(self, servers: str, stop: Stop | None = None) -> None:
        self._stop = stop if stop is not None else Stop()
        self._client = patiently(
            lambda: KafkaAdminClient(bootstrap_servers=servers.split(","), request_timeout_ms=10_000, **_COMMON),
            f"the administrator's connection to {servers}",
            self._stop,
        )

    def ends(self, topic: str) -> dict[int, int]:
        """Next offset to be written, by partition."""
        return self._offsets(topic, OffsetSpec.LATEST)

    def begins(self, topic: str) -> dict[int, int]:
        """First offset that the broker holds, by partition."""
        return self._offsets(topic, OffsetSpec.EARLIEST)

    def lag(self, group: str, topic: str) -> int:
        """Records of `topic` that `group` has not committed; all that are held where it never committed."""
        ends, begins = self.ends(topic), self.begins(topic)
        places = [TopicPartition(topic, number) for number in ends]
        found = self._patiently(
            lambda: self._client.list_group_offsets({group: places})[group], f"the places of {group}"
        )
        done = {place.partition: it.offset for place, it in found.items() if place.topic == topic}
        return sum(end - max(done.get(number, 0), begins[number]) for number, end in ends.items())

    def alter_topic(self, topic: str, config: Mapping[str, str]) -> None:
        """Set the topic's named settings and leave its others as they are."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))

        def attempt() -> None:
            answer = self._client.alter_configs([resource], raise_on_unknown=False)["topic"][topic]
            if answer != "OK":
                raise KafkaError(answer)

        self._patiently(attempt, f"the configuration of topic {topic}")

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _offsets(self, topic: str, spec: OffsetSpec) -> dict[int, int]:
        def attempt() -> dict[int, int]:
            described = self._client.describe_topics([topic])[0]
            places = [TopicPartition(topic, it["partition_index"]) for it in described["partitions"]]
            found = _complete(self._client.list_partition_offsets(dict.fromkeys(places, spec)), places)
            return {place.partition: found[place].offset for place in places}

        return self._patiently(attempt, f"the offsets of topic {topic}")

    def _patiently(self, attempt: Callable[[], T], what: str) -> T:
        return patiently(attempt, what, self._stop)


def _complete(found: Mapping[TopicPartition, Any], places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Any]:
    """`found`, provided that it and `places` name something."""
    if not places:
        raise KeyError("no partition is known")
    return {place: found[place] for place in places}


def _record(raw: Any) -> Record:  # noqa: ANN401  the client's record
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value or b"", list(raw.headers), raw.timestamp)

"""Kafka as the tool sees it from the workstation: the one module that uses its client."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeVar

from kafka import KafkaProducer
from kafka.admin import (
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    MemberToRemove,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)
from kafka.errors import CoordinatorNotAvailableError, GroupIdNotFoundError, KafkaError
from kafka.structs import TopicPartition

from lab.errors import BadInput, NotConverged
from lab.settings import Settings
from lab.spec import Topic
from lab.text import Text

_PATIENCE = 90
"""Seconds during which a broker that starts, or a leader that is not known yet, is asked again.

After a restart of the node with all of lab 02 on it the broker was ready after 59 s.
"""
_FIRST_ANSWER = 30
"""Seconds that the client itself gives a broker for its first answer."""
# The client tells each attempt at a broker that is away; what matters is said by the errors here.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

_OWN_SETTING = "DYNAMIC_TOPIC_CONFIG"
_Answer = TypeVar("_Answer")


class Broker:
    """A connection to the cluster's Kafka; a context manager.

    Args:
        settings: whose host port leads there.
        patience: seconds during which a broker that does not answer is asked again.

    Raises:
        NotConverged: no broker answers within the patience.

    """

    def __init__(self, settings: Settings, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._address = f"127.0.0.1:{settings.port('kafka')}"
        first = int(1000 * min(patience, _FIRST_ANSWER))
        self._admin: Any = self._again(
            lambda: KafkaAdminClient(bootstrap_servers=self._address, bootstrap_timeout_ms=first)
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._admin.close()

    def declare(self, topics: Iterable[Topic]) -> list[str]:
        """Make topics as they are declared; return the names of those that it made or changed.

        Raises:
            BadInput: a topic stands with more partitions than declared; Kafka cannot take any away.

        """
        standing = self.topics()
        changed = []
        for topic in topics:
            found = standing.get(topic.name)
            if found is None:
                self._create(topic)
            elif not self._adjust(topic, found):
                continue
            changed.append(topic.name)
        if changed:
            self._again(lambda: self._admin.wait_for_topics(changed))
        return changed

    def topics(self) -> dict[str, dict[str, object]]:
        """Return each topic's `partitions`, own `config`, and `begin` and `end` offsets by partition."""
        described = [each for each in self._again(self._admin.describe_topics) if not each["is_internal"]]
        if not described:
            return {}
        names = [each["name"] for each in described]
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        configs = self._again(lambda: self._admin.describe_configs(resources))["topic"]
        places = [TopicPartition(each["name"], p) for each in described for p in range(len(each["partitions"]))]
        begin = self._offsets(places, OffsetSpec.EARLIEST)
        end = self._offsets(places, OffsetSpec.LATEST)
        return {
            each["name"]: {
                "partitions": len(each["partitions"]),
                "config": _own(configs[each["name"]]),
                "begin": [begin[place] for place in sorted(places) if place.topic == each["name"]],
                "end": [end[place] for place in sorted(places) if place.topic == each["name"]],
            }
            for each in described
        }

    def groups(self, names: Sequence[str] | None = None) -> dict[str, dict[str, object]]:
        """Return each consumer group's position: topic -> list of `partition`, `committed`, `lag`."""
        asked = list(names) if names is not None else self.group_names()
        return {name: self._group(name) for name in asked}

    def group_names(self) -> list[str]:
        """Return the names of the consumer groups."""
        return sorted(str(each["group_id"]) for each in self._again(self._admin.list_groups))

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics and return when the broker no longer lists them."""
        if not names:
            return
        self._again(lambda: self._admin.delete_topics(list(names), raise_errors=False))
        deadline = time.monotonic() + _PATIENCE
        while set(names) & set(self._admin.list_topics()):
            if time.monotonic() > deadline:
                raise _silent(f"topics {', '.join(names)} are still there")
            time.sleep(0.1)

    def delete_groups(self, names: Sequence[str]) -> None:
        """Delete consumer groups whose members have ended, with or without leaving; one that is gone is fine."""
        present = [name for name in names if name in self.group_names()]
        if not present:
            return
        for name, group in self._again(lambda: self._admin.describe_groups(present)).items():
            # The broker would hold a group for a member that was killed until that member's session is over.
            ghosts = [MemberToRemove(member_id=each["member_id"]) for each in group["members"]]
            if ghosts:
                self._admin.remove_group_members(name, ghosts)
        self._again(lambda: self._admin.delete_groups(present))

    def send(self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> tuple[int, int]:
        """Send one record, acknowledged; return its partition and offset."""

        def once() -> tuple[int, int]:
            producer = KafkaProducer(bootstrap_servers=self._address, acks="all", enable_idempotence=True)
            try:
                place = producer.send(topic, key=key, value=value, headers=list(headers)).get(timeout=15)
            finally:
                producer.close()
            return place.partition, place.offset

        return self._again(once)

    def _create(self, topic: Topic) -> None:
        new = NewTopic(topic.name, topic.partitions, -1, topic_configs=topic.config or {})
        self._again(lambda: self._admin.create_topics([new]))

    def _adjust(self, topic: Topic, found: dict[str, object]) -> bool:
        standing, own = found["partitions"], found["config"]
        if not isinstance(standing, int) or standing > topic.partitions:
            raise BadInput(
                Text(
                    en=f"topic {topic.name}: partitions: {standing} stand, {topic.partitions} are declared",
                    fr=f"topic {topic.name} : partitions : {standing} en place, {topic.partitions} déclarées",
                ),
                Text(
                    en="Kafka cannot take partitions away: declare as many, or `lab reset` to make the topic anew",
                    fr="Kafka ne retire pas de partitions : déclarez-en autant, ou `lab reset` pour refaire le topic",
                ),
            )
        if standing < topic.partitions:
            more = {topic.name: NewPartitions(topic.partitions)}
            self._again(lambda: self._admin.create_partitions(more))
        differs = topic.config is not None and own != topic.config
        if differs:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic.config)
            self._again(lambda: self._admin.alter_configs([resource], incremental=False))
        return standing < topic.partitions or differs

    def _offsets(self, places: list[TopicPartition], spec: object) -> dict[TopicPartition, int]:
        answer = self._again(lambda: self._admin.list_partition_offsets(dict.fromkeys(places, spec)))
        return {place: found.offset for place, found in answer.items()}

    def _group(self, name: str) -> dict[str, object]:
        try:
            committed = self._admin.list_group_offsets({name: None})[name]
        except (CoordinatorNotAvailableError, GroupIdNotFoundError):
            # Before the first group ever joins, no coordinator exists; that group has no position.
            return {}
        ends = self._offsets(list(committed), OffsetSpec.LATEST) if committed else {}
        position: dict[str, object] = {}
        for topic in sorted({place.topic for place in committed}):
            position[topic] = [
                {"partition": place.partition, "committed": at.offset, "lag": max(0, ends[place] - at.offset)}
                for place, at in sorted(committed.items())
                if place.topic == topic
            ]
        return position

    def _again(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask until the broker answers: right after its start, leaders and coordinators are unknown for a moment."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return ask()
            except (KafkaError, KeyError, OSError) as error:
                # The client raises KeyError for a partition whose leader it does not know yet.
                retriable = getattr(error, "retriable", True)
                if not retriable or time.monotonic() > deadline:
                    raise _silent(f"{type(error).__name__}: {error}") from error
                time.sleep(0.3)


def _own(config: dict[str, Any]) -> dict[str, str]:
    return {key: str(each["value"]) for key, each in config.items() if each["config_source"] == _OWN_SETTING}


def _silent(reason: str) -> NotConverged:
    return NotConverged(
        Text(en=f"Kafka does not do what was asked: {reason}", fr=f"Kafka ne fait pas ce qui est demandé : {reason}"),
        Text(
            en="`lab status` shows whether the broker stands; `lab up 01` brings it back",
            fr="`lab status` montre si le broker est debout ; `lab up 01` le ramène",
        ),
    )

"""The log as the bronze writer reads it: every partition, from places that it is told, in no consumer group.

A group would make a writer that was killed wait for its own ghost to time out, and would keep a second set of offsets
that nobody may believe: the tables say where to go on.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.broker import Log, Place
from runtime.patience import patiently
from runtime.process import Stop

log = logging.getLogger(__name__)

_LOOK_SECONDS = 30.0  # between two looks for partitions that were added


class Feed(Log):
    """Records of all partitions of some topics.

    Args:
        servers: brokers.
        topics: event topics.
        stop: ends the wait for a broker.
    """

    def __init__(self, servers: str, topics: Sequence[str], stop: Stop) -> None:
        super().__init__(servers, stop)
        self._topics = list(topics)
        self._followed: list[Place] = []
        self._look_at = 0.0

    def follow(self) -> list[Place]:
        """Take every partition there is; each has to be sought before the next poll.

        Raises:
            TopicMissing: a topic is not declared yet.
            BrokerUnavailable: asked to stop meanwhile.
        """
        self._followed = [place for topic in self._topics for place in self.places(topic)]
        self._consumer.assign(self._followed)
        return self._followed

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Records by partition; none where nothing came within `seconds` or the broker is away."""
        if not self._followed:
            return {}
        found: Mapping[Place, list[Any]] = patiently(
            lambda: self._consumer.poll(timeout_ms=int(seconds * 1000), max_records=5_000), "records", self._stop
        )
        return found

    def seek(self, place: Place, offset: int) -> None:
        """Read on from `offset`."""
        self._consumer.seek(place, offset)

    def written(self, place: Place) -> int | None:
        """Next offset to be written, as of the last fetch: costs nothing."""
        found: int | None = self._consumer.highwater(place)
        return found

    def identity(self, topic: str) -> str:
        """The topic's id as last heard; another one means that the topic was made anew; empty: not known."""
        found = self._consumer._client.cluster.topic_id(topic)  # noqa: SLF001  the client offers it nowhere else
        return "" if found is None else str(found)[:8]

    def grown(self) -> bool:
        """Whether a topic has other partitions than were taken; looked at now and then."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK_SECONDS
        known = {topic: self._consumer.partitions_for_topic(topic) or set() for topic in self._topics}
        return {Place(topic, number) for topic, numbers in known.items() for number in numbers} != set(self._followed)

"""Dead letters: a refused record as it was, with the reason in its headers, written once whatever crashes.

    traceparent …      the refused record's own headers, first
    dead-reason        what is wrong, in words
    dead-kind          malformed or contract
    dead-field         the field at fault, $ for the whole value
    dead-topic, dead-partition, dead-offset, dead-group    which record, and which consumer group refused it

A letter is acknowledged before its record's offset is committed. After a crash the letters that were written beyond the
last commit are found in the dead-letter topic itself, and are not written again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from runtime.broker import Headers, Log, Place, Publisher
from runtime.process import Stop

PREFIX = "dead-"


class Refusal(Protocol):
    """What is wrong with a record."""

    @property
    def kind(self) -> str:
        """Malformed, contract, …: few values, for metrics."""

    @property
    def field(self) -> str:
        """The field at fault, `$` for the whole value."""

    @property
    def reason(self) -> str:
        """In words."""


class Origin(NamedTuple):
    """The record that a letter is about."""

    topic: str
    partition: int
    offset: int


def headers(record: Any, refusal: Refusal, group: str) -> Headers:  # noqa: ANN401  the client's record
    """The headers of the letter about `record`."""
    told = {
        "reason": refusal.reason,
        "kind": refusal.kind,
        "field": refusal.field,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "group": group,
    }
    own = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    return own + [(PREFIX + name, str(value).encode()) for name, value in told.items()]


def told(letter: Any) -> dict[str, str]:  # noqa: ANN401  the client's record
    """What a letter's headers tell, by name without the prefix."""
    return {
        name.removeprefix(PREFIX): value.decode("utf-8", "replace")
        for name, value in letter.headers
        if name.startswith(PREFIX)
    }


def origin(letter: Any) -> Origin | None:  # noqa: ANN401  the client's record
    """The record that a letter is about; None where somebody else wrote the letter."""
    words = told(letter)
    try:
        return Origin(words["topic"], int(words["partition"]), int(words["offset"]))
    except (KeyError, ValueError):
        return None


class Letterbox:
    """Writes the dead letters of a consumer group.

    Args:
        servers: brokers.
        group: the consumer group that refuses.
        publisher: sends them.
        stop: ends the wait for a broker.
        topic: where they go.
    """

    def __init__(self, servers: str, group: str, publisher: Publisher, stop: Stop, topic: str) -> None:
        self._servers = servers
        self._group = group
        self._publisher = publisher
        self._stop = stop
        self._topic = topic
        self._written: set[Origin] = set()
        self._waiting: list[Any] = []
        self.ends: list[int] = []
        """By partition of the dead-letter topic: the offset before which no later letter of ours can stand."""

    def put(self, record: Any, refusal: Refusal) -> None:  # noqa: ANN401  the client's record
        """Write the letter about `record`, unless it was written before a crash."""
        about = Origin(record.topic, record.partition, record.offset)
        if about in self._written:
            self._written.discard(about)
            return
        made = headers(record, refusal, self._group)
        # A letter without key and value would be refused: an empty value says the same.
        self._waiting.append(self._publisher.send(self._topic, record.value or b"", record.key, made))

    def flush(self, seconds: float) -> None:
        """Wait until every letter is acknowledged.

        Raises:
            BrokerUnavailable: not within `seconds`.
        """
        if not self._waiting:
            return
        self._publisher.flush(seconds)
        for future in self._waiting:
            written = future.value
            self.ends[written.partition] = max(self.ends[written.partition], written.offset + 1)
        self._waiting.clear()

    def look(self, since: Mapping[Place, tuple[int, list[int]]]) -> None:
        """Find the letters that were written but whose records were not committed.

        Args:
            since: partition of an event topic -> next offset to apply, and where in the dead-letter topic to look from.
        """
        reader = Log(self._servers, self._stop)
        try:
            places = reader.places(self._topic)
            bounds = reader.bounds(places)
            self.ends = [bounds[place][1] for place in places]
            self._written = {about for place in places for about in self._found(reader, place, bounds[place], since)}
        finally:
            reader.close()

    def _found(
        self, reader: Log, place: Place, bounds: tuple[int, int], since: Mapping[Place, tuple[int, list[int]]]
    ) -> Iterator[Origin]:
        first, end = bounds
        begins = [letters[place.partition] for _, letters in since.values() if place.partition < len(letters)]
        begin = max(first, min(begins, default=end))
        for letter in reader.read(place, begin, end) if begin < end else ():
            about = origin(letter)
            if about is None or told(letter).get("group") != self._group:
                continue
            offset, looked = since.get(Place(about.topic, about.partition), (0, []))
            # Letters before the note are about an older log of the same name, or about what was committed.
            if about.offset >= offset and place.partition < len(looked) and letter.offset >= looked[place.partition]:
                yield about

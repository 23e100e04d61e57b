"""Putting repaired dead letters back, each of them once, whatever crashes meanwhile.

The position of the repair group says what was dealt with: the committed offset is the first letter left, and the note
beside it lists what was put back beyond it. Before anything is sent, the note tells that a run is under way and where
the event topics end: the next run finds there what a crashed one sent, by the header `repaired`.
"""

import base64
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from contracts.topics import DEAD_LETTER, EVENTS
from contracts.validation import Invalid, Reader
from ingest import resume
from ingest.errors import BadRepairs, RepairBusy
from ingest.settings import RepairSettings
from runtime import letters
from runtime.broker import Committed, Headers, Log, Place, Publisher, Subscription
from runtime.process import Stop

log = logging.getLogger(__name__)

HEADER = "repaired"
"""Which letter a record was made of: partition and offset in the dead-letter topic."""

PUT_BACK, BEFORE, STILL_BROKEN, OTHER = "put_back", "put_back_before", "still_broken", "left_by_choice"
OUTCOMES = (PUT_BACK, BEFORE, STILL_BROKEN, OTHER)
"""Everything that can come of a letter."""

_JOIN_SECONDS = 30
_NOTE_BYTES = 4_000


class Note(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What stands beside the repair group's offset."""

    done: str = ""
    """Letters put back beyond the offset: a packed bitmap, its first bit for the offset itself."""
    running: dict[str, list[int]] = {}
    """Ends of the event topics when a run began; empty when it ended."""


def packed(done: set[int], offset: int) -> str:
    """The letters of `done` at or beyond `offset`, as text."""
    bits = sum(1 << (each - offset) for each in done if each >= offset)
    return (
        base64.b85encode(zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8, "little"))).decode() if bits else ""
    )


def unpacked(text: str, offset: int) -> set[int]:
    """The letters that `packed` wrote down."""
    bits = int.from_bytes(zlib.decompress(base64.b85decode(text)), "little") if text else 0
    return {offset + each for each in range(bits.bit_length()) if bits >> each & 1}


class Repairs:
    """What is changed in each letter.

    Args:
        text: a JSON object; empty: nothing.
        only: put back only letters whose reason contains this.

    Raises:
        BadRepairs: `text` is no JSON object.
    """

    def __init__(self, text: str, only: str = "") -> None:
        try:
            self._changes = msgspec.json.decode(text or "{}", type=dict[str, Any])
        except msgspec.DecodeError as failure:
            remedy = 'give it a JSON object such as {"delay": 0}'
            raise BadRepairs(
                f"environment variable TARMAC_REPAIRS={text!r} cannot be used: {failure}", remedy
            ) from None
        self._only = only
        self._readers = {topic: Reader(topic) for topic in EVENTS}

    def chosen(self, letter: Any) -> bool:  # noqa: ANN401  the client's record
        """Whether the letter is among those to be put back."""
        return self._only in letters.told(letter).get("reason", "")

    def repaired(self, letter: Any) -> bytes:  # noqa: ANN401  the client's record
        """The value to put back.

        Raises:
            Invalid: it breaks its contract all the same.
        """
        topic = letters.told(letter).get("topic", "")
        if topic not in self._readers:
            raise Invalid("unknown-topic", "$", f"the letter tells no topic of ours: {topic!r}")
        value = letter.value or b""
        if self._changes:
            try:
                value = msgspec.json.encode(msgspec.json.decode(value, type=dict[str, Any]) | self._changes)
            except msgspec.DecodeError as failure:
                raise Invalid("malformed", "$", f"not a JSON object: {failure}") from None
        self._readers[topic].read(value)
        return value


def headers(letter: Any) -> Headers:  # noqa: ANN401  the client's record
    """The headers of a letter that is put back: the record's own ones, and which letter it was."""
    # A place in the replay belongs to the producer's own records: a copy of it out of order would look like a hole.
    own = [
        (name, value) for name, value in letter.headers if not name.startswith(letters.PREFIX) and name != resume.HEADER
    ]
    kept = [(name, value) for name, value in own if name != HEADER]
    return [*kept, (HEADER, f"{letter.partition}-{letter.offset}".encode())]


class Run:
    """One run over the letters that stand in the topic when it begins."""

    def __init__(self, settings: RepairSettings, subscription: Subscription, publisher: Publisher, stop: Stop) -> None:
        self._subscription = subscription
        self._publisher = publisher
        self._stop = stop
        self._repairs = Repairs(settings.repairs, settings.only)
        self._log = Log(settings.kafka, stop)
        self.outcomes: Counter[str] = Counter()

    def all(self) -> Counter[str]:
        """Deal with every letter; how many came out how.

        Raises:
            RepairBusy: another run has the letters.
        """
        try:
            for place in self._assigned():
                self._partition(place)
        finally:
            self._log.close()
        return self.outcomes

    def _assigned(self) -> list[Place]:
        for _ in range(_JOIN_SECONDS):
            self._subscription.poll(1.0)
            if (places := self._subscription.assigned()) or self._stop:
                return sorted(places)
        raise RepairBusy(f"no partition of {DEAD_LETTER} is free", "wait until the other run ends, then repeat")

    def _partition(self, place: Place) -> None:
        first, end = self._subscription.bounds([place])[place]
        offset, note = self._standing(place, first, end)
        done = unpacked(note.done, offset) | self._sent_by_crashed(place, note.running)
        ends = {topic: [bound for _, bound in self._bounds(topic).values()] for topic in EVENTS}
        self._commit(place, max(offset, first), done, ends)
        self.outcomes[BEFORE] += sum(each >= offset for each in done)
        for letter in self._log.read(place, max(offset, first), end) if max(offset, first) < end else ():
            if letter.offset not in done and self._put_back(letter):
                done.add(letter.offset)
        self._publisher.flush()
        self._commit(place, max(offset, first), done, {})

    def _standing(self, place: Place, first: int, end: int) -> tuple[int, Note]:
        committed = self._subscription.committed(place)
        if committed is None or committed.offset > end:
            return first, Note()
        try:
            return committed.offset, msgspec.json.decode(committed.note or "{}", type=Note)
        except msgspec.DecodeError:
            return committed.offset, Note()

    def _bounds(self, topic: str) -> dict[Place, tuple[int, int]]:
        return self._log.bounds(self._log.places(topic))

    def _sent_by_crashed(self, place: Place, running: Mapping[str, list[int]]) -> set[int]:
        """Letters that a run put back before it crashed."""
        return {
            int(number)
            for topic, ends in running.items()
            for (where, (first, end)), begin in zip(self._bounds(topic).items(), ends, strict=False)
            for partition, number in self._marks(where, max(first, begin), end)
            if int(partition) == place.partition
        }

    def _marks(self, place: Place, begin: int, end: int) -> Iterator[list[str]]:
        for record in self._log.read(place, begin, end) if begin < end else ():
            for name, value in record.headers:
                if name == HEADER:
                    yield value.decode("ascii").split("-")

    def _put_back(self, letter: Any) -> bool:  # noqa: ANN401  the client's record
        where = {"letter": f"{letter.partition}-{letter.offset}", "topic": letters.told(letter).get("topic")}
        if not self._repairs.chosen(letter):
            self.outcomes[OTHER] += 1
            return False
        try:
            value = self._repairs.repaired(letter)
        except Invalid as refusal:
            self.outcomes[STILL_BROKEN] += 1
            log.warning("still broken, left", extra={**where, "field": refusal.field, "reason": refusal.reason})
            return False
        self._publisher.send(letters.told(letter)["topic"], value, letter.key, headers(letter))
        self.outcomes[PUT_BACK] += 1
        return True

    def _commit(self, place: Place, offset: int, done: set[int], running: dict[str, list[int]]) -> None:
        while offset in done:
            offset += 1
        note = msgspec.json.encode(Note(packed(done, offset), running)).decode()
        if len(note) > _NOTE_BYTES:
            remedy = "repair or give up the oldest letters first (TARMAC_ONLY chooses by reason)"
            raise RepairBusy(
                f"what was put back of {place.topic}-{place.partition} is too scattered to be noted", remedy
            )
        if not self._subscription.commit({place: Committed(offset, note)}):
            raise RepairBusy(f"the position of {place.topic}-{place.partition} could not be kept", "run it again")


def run(settings: RepairSettings, stop: Stop) -> Counter[str]:
    """Put back what can be put back; how many letters came out how."""
    publisher = Publisher(settings.kafka, stop)
    subscription = Subscription(settings.kafka, settings.repair_group, [DEAD_LETTER], stop)
    try:
        return Run(settings, subscription, publisher, stop).all()
    finally:
        subscription.close(settings.drain_seconds)
        publisher.close(settings.drain_seconds)

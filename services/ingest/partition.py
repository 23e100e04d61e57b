"""The state of one partition: a function of its log up to an offset, and small enough to be found again from it.

A commit carries, beside the offset, a note: counts so far, each stream's clock, and the offset from which the windows can
be read again. Offset and note are one record of Kafka's, so effects and place become durable together, without a store
and without a transaction; after a crash the windows are rebuilt from the log itself and not one event is counted twice.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from contracts.topics import EVENTS
from contracts.validation import Invalid, Reader, why
from ingest.broker import Committed, Place
from ingest.stream import Stream

log = logging.getLogger(__name__)

STREAMS = 100
"""Keys that a partition follows at most: the note must stay within the 4,096 bytes that a broker takes."""
IDLE = 100_000
"""Offsets after which a silent key is forgotten: a rebuild reads no more than this."""

Refused = Callable[[Any, Invalid], None]
Traced = Callable[[Any], None]


class Note(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What stands beside a committed offset."""

    v: int = 1
    since: int = 0
    """Offset from which the windows are rebuilt."""
    counts: dict[str, int] = {}
    clocks: dict[str, float] = {}
    """Key -> event time in seconds."""
    letters: list[int] = []
    """Next offset of each partition of the dead-letter topic when the note was written."""


class Partition:
    """Streams by key, counts by outcome, and the next offset to apply."""

    def __init__(self, place: Place, offset: int = 0, note: Note | None = None) -> None:
        note = note or Note(since=offset)
        self.place = place
        self.offset = offset
        self.committed = offset
        self.read_from = min(note.since, offset)
        self.counts: Counter[str] = Counter(note.counts)
        self.streams: dict[str, Stream] = {}
        self.last_timestamp = 0.0
        self._decode = Reader(place.topic).decode
        for key, clock in note.clocks.items():
            self.streams[key] = Stream()
            self.streams[key].clock = clock

    @classmethod
    def restored(cls, place: Place, committed: Committed | None, bounds: tuple[int, int]) -> "Partition":
        """The state that was committed, as far as the log still holds it.

        A committed offset outside the log means that the topic was made anew or expired: what is gone is said aloud.
        """
        first, next_ = bounds
        if committed is None or committed.offset > next_:
            if committed:
                log.warning("the log was replaced; beginning anew", extra={"topic": place.topic, "partition": place.partition})
            return cls(place, first)
        if committed.offset < first:
            gone = first - committed.offset
            log.error("events expired unread", extra={"topic": place.topic, "partition": place.partition, "events": gone})
        partition = cls(place, max(committed.offset, first), read_note(committed.note))
        partition.read_from = max(partition.read_from, first)
        return partition

    def apply(self, records: Iterable[Any], refused: Refused, traced: Traced) -> Counter[str]:
        """Apply records in order; how many came out how.

        Args:
            refused: called with each record that breaks its contract.
            traced: called with each record that carries headers, after it was applied.
        """
        outcomes: Counter[str] = Counter()
        decode, streams = self._decode, self.streams
        for record in records:
            offset = record.offset
            try:
                event = decode(record.value or b"")
            except msgspec.DecodeError as failure:
                if offset >= self.offset:
                    outcomes["dead"] += 1
                    refused(record, why(failure))
                continue
            key = event.key
            stream = streams.get(key)
            if offset < self.offset:
                if stream is not None:
                    stream.rebuild(event, event.time.timestamp(), offset)
                continue
            if stream is None:
                stream = self._stream(key)
            outcomes[stream.offer(event, event.time.timestamp(), offset)] += 1
            if record.headers:
                traced(record)
        self._passed(record.offset + 1, record.timestamp, outcomes)
        return outcomes

    def _passed(self, offset: int, timestamp: int, outcomes: Counter[str]) -> None:
        if offset > self.offset:
            self.offset = offset
            self.last_timestamp = timestamp / 1000
            self.counts.update(outcomes)

    def _stream(self, key: str) -> Stream:
        if len(self.streams) >= STREAMS:
            quietest = min(self.streams, key=lambda each: self.streams[each].last_offset)
            del self.streams[quietest]
        self.streams[key] = Stream()
        return self.streams[key]

    def note(self, letters: list[int]) -> Committed:
        """What to commit now."""
        for key in [key for key, stream in self.streams.items() if stream.last_offset < self.offset - IDLE]:
            del self.streams[key]
        since = min((stream.first_offset() for stream in self.streams.values()), default=self.offset)
        clocks = {key: stream.clock for key, stream in self.streams.items()}
        note = Note(since=max(since, 0), counts=dict(self.counts), clocks=clocks, letters=letters)
        return Committed(self.offset, msgspec.json.encode(note).decode())


def read_note(text: str) -> Note:
    """The note in a commit; an empty one where somebody else committed (then windows begin empty, nothing is doubled)."""
    try:
        return msgspec.json.decode(text, type=Note)
    except msgspec.DecodeError:
        log.warning("the committed place bears no note of ours", extra={"note": text[:100]})
        return Note(since=2**62)


__all__ = ["EVENTS", "Note", "Partition", "read_note"]

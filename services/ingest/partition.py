"""The state of one partition: a function of its log up to an offset, and small enough to be found again from it.

A commit carries, beside the offset, a note: counts so far, each stream's mark, and the offset from which the windows
can be read again. Offset and note are one record of Kafka's, so effects and place become durable together, without a
store and without a transaction; after a crash the windows are rebuilt from the log itself and not one event is counted
twice.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from contracts.events import Event
from contracts.validation import Invalid, Reader, why
from ingest.stream import DEAD, TAKEN, Mark, Stream
from runtime.broker import Committed, Place

log = logging.getLogger(__name__)

STREAMS = 80
"""Keys that a partition follows at most: the note must stay within the 4,096 bytes that a broker takes."""
IDLE = 100_000
"""Offsets after which a silent key is forgotten: a rebuild reads no more than this."""

Refused = Callable[[Any, Invalid], None]
Traced = Callable[[Any, Event], None]


class Note(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What stands beside a committed offset."""

    v: int = 2
    log: str = ""
    """Which log the offset belongs to: a topic that was made anew has another."""
    since: int = 0
    """Offset from which the windows are rebuilt."""
    counts: dict[str, int] = {}
    marks: dict[str, Mark] = {}
    letters: list[int] = []
    """Next offset of each partition of the dead-letter topic when the note was written."""


class Partition:
    """Streams by key, counts by outcome, and the next offset to apply."""

    def __init__(self, place: Place, offset: int = 0, note: Note | None = None, identity: str = "") -> None:
        self.noted = note is not None
        """Whether it continues a commit of ours; if not, its beginning is committed before anything is applied."""
        note = note or Note(since=offset)
        self.place = place
        self.identity = identity
        self.offset = offset
        """Next offset to apply."""
        self.read_from = min(note.since, offset)
        """Offset to read from so that the windows are whole."""
        self.seen = self.read_from
        """Next offset to read."""
        self.letters = list(note.letters)
        self.counts: Counter[str] = Counter(note.counts)
        self.streams = {key: Stream(mark) for key, mark in note.marks.items()}
        self.taken: list[Event] = []
        """Events that the last `apply` took in, in order."""
        self.last_stamp = 0.0
        """Wall-clock time stamp, in seconds, of the newest record applied."""
        self._decode = Reader(place.topic).decode

    @classmethod
    def restored(
        cls, place: Place, committed: Committed | None, bounds: tuple[int, int], identity: str = ""
    ) -> "Partition":
        """The state that was committed, as far as the log still holds it.

        A committed offset of another log, or outside this one, means that the topic was made anew or expired: what is
        gone is said aloud.
        """
        first, next_ = bounds
        where = {"topic": place.topic, "partition": place.partition}
        if committed is None:
            return cls(place, first, identity=identity)
        note = read_note(committed.note)
        if committed.offset > next_ or (note and note.log != identity):
            log.warning("the log was replaced; beginning anew", extra=where)
            return cls(place, first, identity=identity)
        if committed.offset < first:
            log.error("events expired unread", extra={**where, "events": first - committed.offset})
        partition = cls(place, max(committed.offset, first), note, identity)
        partition.seen = partition.read_from = max(partition.read_from, first)
        return partition

    @property
    def whole(self) -> bool:
        """Whether the windows are rebuilt and new events are being applied."""
        return self.seen >= self.offset

    def apply(self, records: Iterable[Any], refused: Refused, traced: Traced) -> Counter[str]:
        """Apply records in order; how many came out how.

        Args:
            records: what was polled, in order of their offsets.
            refused: called with each record that breaks its contract.
            traced: called with each record that carries headers and its event, after it was applied.
        """
        outcomes: Counter[str] = Counter()
        decode, streams, begin = self._decode, self.streams, self.offset
        self.taken = taken = []
        record = None
        for record in records:
            offset = record.offset
            try:
                event = decode(record.value or b"")
            except msgspec.DecodeError as failure:
                if offset >= begin:
                    outcomes[DEAD] += 1
                    refused(record, why(failure))
                continue
            stream = streams.get(event.key)
            if offset < begin:
                if stream is not None:
                    stream.rebuild(event, event.time.timestamp(), offset, record.timestamp / 1000)
                continue
            if stream is None:
                stream = self._stream(event.key)
            outcome = stream.offer(event, event.time.timestamp(), offset, record.timestamp / 1000)
            outcomes[outcome] += 1
            if outcome in TAKEN:
                taken.append(event)
            if record.headers:
                traced(record, event)
        if record is not None:
            self._passed(record.offset + 1, record.timestamp / 1000, outcomes)
        return outcomes

    def _passed(self, offset: int, stamp: float, outcomes: Counter[str]) -> None:
        self.seen = offset
        if offset > self.offset:
            self.offset = offset
            self.last_stamp = stamp
            self.counts.update(outcomes)

    def _stream(self, key: str) -> Stream:
        if len(self.streams) >= STREAMS:
            quietest = min(self.streams, key=lambda each: self.streams[each].last_offset)
            del self.streams[quietest]
        self.streams[key] = Stream()
        return self.streams[key]

    def note(self, letters: list[int]) -> Committed:
        """What to commit now; its effects are durable, so what only they still needed is let go.

        Args:
            letters: next offset of each partition of the dead-letter topic, at which later letters can stand.
        """
        for key in [key for key, stream in self.streams.items() if stream.last_offset < self.offset - IDLE]:
            del self.streams[key]
        for stream in self.streams.values():
            stream.tidy()
        marks = {key: stream.mark(self.offset) for key, stream in self.streams.items()}
        since = min((mark.first for mark in marks.values()), default=self.offset)
        note = Note(log=self.identity, since=since, counts=dict(self.counts), marks=marks, letters=letters)
        return Committed(self.offset, msgspec.json.encode(note).decode())


def read_note(text: str) -> Note | None:
    """The note in a commit; None where somebody else committed (then windows and counts begin anew at that offset)."""
    try:
        return msgspec.json.decode(text, type=Note)
    except msgspec.DecodeError:
        log.warning("the committed place bears no note of ours", extra={"note": text[:100]})
        return None

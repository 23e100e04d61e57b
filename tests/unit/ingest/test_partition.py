"""A partition's state is a function of its log: a crash anywhere changes nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts import WeatherRead
from contracts.validation import Invalid
from ingest.partition import STREAMS, Note, Partition, read_note
from ingest.stream import APPLIED, DEAD
from runtime.broker import Committed
from unit.ingest.worlds import PLACE, Record, reading, record

NOTE_LIMIT = 4096  # bytes: offset.metadata.max.bytes of a broker


class World:
    """A log, the letters written, and a consumer that may crash."""

    def __init__(self, log: list[Record]) -> None:
        self.log = log
        self.letters: list[int] = []
        self.committed: Committed | None = None
        self.partition = self.restored()

    def restored(self) -> Partition:
        """The partition after a restart, windows rebuilt."""
        partition = Partition.restored(PLACE, self.committed, (0, len(self.log)), "log-1")
        known = set(self.letters)

        def refused(it: Record, _: Invalid) -> None:
            if it.offset not in known:
                self.letters.append(it.offset)

        self.refused = refused
        if not partition.noted:
            self.committed = partition.note([0])
        if rebuilt := self.log[partition.read_from : partition.offset]:
            partition.apply(rebuilt, refused, lambda *_: None)
        return partition

    def apply(self, number: int) -> None:
        """Apply the next records."""
        begin = self.partition.offset
        if batch := self.log[begin : begin + number]:
            self.partition.apply(batch, self.refused, lambda *_: None)

    def commit(self) -> None:
        """Make it durable."""
        self.committed = self.partition.note([0])

    def crash(self) -> None:
        """Lose everything but the log, the letters and the commit."""
        self.partition = self.restored()

    def state(self) -> tuple[object, ...]:
        """Everything that can be asked for."""
        windows = {
            key: (stream.clock, [event.id for event in stream.within(24 * 3600)])
            for key, stream in self.partition.streams.items()
        }
        return self.partition.offset, dict(self.partition.counts), windows, self.letters


events = some.one_of(
    some.builds(
        reading,
        hour=some.integers(0, 90).map(float),
        station=some.sampled_from(["JFK", "LGA", "EWR"]),
    ),
    some.builds(reading, hour=some.integers(90_000, 90_010).map(float), station=some.just("JFK")),
    some.just(b"broken"),
)
steps = some.lists(some.one_of(some.integers(1, 7), some.just("commit"), some.just("crash")), max_size=30)


@given(log=some.lists(events, max_size=60), course=steps)
def test_any_crash_leaves_the_same_state(log: list[WeatherRead | bytes], course: list[int | str]) -> None:
    """However commits and crashes fall, counts, windows and dead letters are those of a run without a crash."""
    records = [record(offset, event, stamp=offset) for offset, event in enumerate(log)]
    calm, rough = World(records), World(records)
    for step in course:
        if isinstance(step, int):
            rough.apply(step)
        elif step == "commit":
            rough.commit()
        else:
            rough.crash()
    rough.apply(len(log))
    calm.apply(len(log))
    assert rough.state() == calm.state()
    assert sum(rough.partition.counts.values()) == len(log)
    assert rough.partition.counts[DEAD] == len(rough.letters) == len(set(rough.letters))


def test_the_note_of_a_full_partition_is_taken_by_a_broker() -> None:
    """The most keys, long figures and times with microseconds stay within what a broker stores."""
    partition = Partition(PLACE, 1_234_567_000, identity="12345678")
    names = [f"{chr(65 + n // 26)}{chr(65 + n % 26)}X" for n in range(STREAMS + 20)]
    batch = [record(1_234_567_000 + n, reading(n + 0.123457891, name), n) for n, name in enumerate(names)]
    partition.apply(batch, lambda *_: None, lambda *_: None)
    partition.counts.update(dict.fromkeys(("late", "duplicate", "stray", "dead"), 1_234_567_890))
    note = partition.note([1_234_567_890])
    assert len(partition.streams) == STREAMS
    assert len(note.note) < NOTE_LIMIT


def test_a_topic_made_anew_is_begun_anew(caplog: pytest.LogCaptureFixture) -> None:
    """A committed offset of another log is not used, even where this log is longer; it is said aloud."""
    committed = Partition(PLACE, 50, Note(log="old"), "old").note([0])
    partition = Partition.restored(PLACE, committed, (0, 100), "new")
    assert (partition.offset, partition.noted) == (0, False)
    assert "the log was replaced" in caplog.text


def test_expired_events_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """What retention took before it was read is an error in the log, with its number."""
    committed = Partition(PLACE, 50, Note(log="it"), "it").note([0])
    partition = Partition.restored(PLACE, committed, (80, 100), "it")
    assert (partition.offset, partition.read_from) == (80, 80)
    assert caplog.records[-1].__dict__["events"] == 30


def test_an_offset_that_somebody_else_set_is_followed() -> None:
    """A group position moved by hand begins there, with empty windows."""
    partition = Partition.restored(PLACE, Committed(7, ""), (0, 100), "it")
    assert (partition.offset, partition.read_from, partition.whole) == (7, 7, True)


def test_a_note_is_read_back() -> None:
    """What is committed is what is restored."""
    partition = Partition(PLACE, identity="it")
    partition.apply([record(0, reading(1))], lambda *_: None, lambda *_: None)
    note = read_note(partition.note([3]).note)
    assert note is not None
    assert (note.log, note.counts, note.letters) == ("it", {APPLIED: 1}, [3])
    assert msgspec.json.encode(note)

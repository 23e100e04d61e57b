"""The label worker reads two topics in the order of the wall clock, and goes on where it was after a restart."""

import datetime as dt
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from contracts import FlightArrived
from contracts.predictions import PredictionMade
from contracts.topics import ARRIVED, PREDICTED
from runtime.broker import Committed, Place
from serving.worker_settings import LabelsSettings
from serving.workers import labelling
from serving.workers.figures import LabelFigures
from serving.workers.labelling import Worker
from serving.workers.labels import COUNTED, Labels
from unit.serving.schedules import DAY

NOW = DAY.timestamp() + 3600
"""The wall clock at which a test begins."""


class Record(NamedTuple):
    """A record, as far as the worker looks at it."""

    offset: int
    timestamp: int
    value: bytes


class Log:
    """Kafka at the wire: partitions, and what a group committed of them.

    Attributes:
        records: by partition.
        positions: next offset to be read.
        group: what was committed.
        held: partitions that are not read.
        most: records that one poll gives of a partition.
    """

    def __init__(self, partitions: int = 2) -> None:
        places = [Place(topic, number) for topic in (PREDICTED, ARRIVED) for number in range(partitions)]
        self.records: dict[Place, list[Record]] = {place: [] for place in places}
        self.positions: dict[Place, int] = dict.fromkeys(places, 0)
        self.group: dict[Place, Committed] = {}
        self.held: AbstractSet[Place] = frozenset()
        self.most = 100
        self.away = False
        self._seen = True

    def predict(self, flight: str, minutes: float, at: float, *, track: str = "stable", partition: int = 0) -> None:
        """Write a prediction that was made so many seconds after the beginning."""
        record = PredictionMade(
            id="q", made_at=dt.datetime.fromtimestamp(NOW + at, dt.UTC), model="m", version="1", track=track,
            mode="online", flight=flight, features=[], prediction=minutes, variant=None, trace=None,
        )  # fmt: skip
        self._write(Place(PREDICTED, partition), at, msgspec.json.encode(record))

    def arrive(self, flight: str, delay: int, at: float, *, partition: int = 0) -> None:
        """Write an arrival, so many seconds after the beginning."""
        event = FlightArrived(
            id=flight, time=DAY, carrier="UA", flight=1, origin="JFK", dest="LAX", scheduled=DAY, delay=delay,
            distance=2475,
        )  # fmt: skip
        self._write(Place(ARRIVED, partition), at, msgspec.json.encode(event))

    def _write(self, place: Place, at: float, value: bytes) -> None:
        stamp = round((NOW + at) * 1000)
        self.records[place].append(Record(len(self.records[place]), stamp, value))

    def again(self) -> None:
        """Let a new member of the group come in place of the old one."""
        self._seen, self.held = True, frozenset()

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Return what is next of each partition."""
        assert seconds > 0
        found = {}
        for place, records in self.records.items():
            if place not in self.held and records[self.positions[place] :]:
                found[place] = records[self.positions[place] :][: self.most]
                self.positions[place] += len(found[place])
        return found

    def changed(self) -> bool:
        """Return whether the member is new."""
        seen, self._seen = self._seen, False
        return seen

    def assigned(self) -> set[Place]:
        """Return all partitions."""
        return set(self.records)

    def committed(self, place: Place) -> Committed | None:
        """Return what was committed."""
        return self.group.get(place)

    def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return first and next offset."""
        return {place: (0, len(self.records[place])) for place in places}

    def seek(self, place: Place, offset: int) -> None:
        """Read on from there."""
        self.positions[place] = offset

    def hold(self, places: AbstractSet[Place]) -> None:
        """Read of all but these."""
        self.held = places

    def written(self, place: Place) -> int | None:
        """Return the next offset to be written."""
        return len(self.records[place])

    def commit(self, places: Mapping[Place, Committed]) -> bool:
        """Make places durable."""
        if not self.away:
            self.group.update(places)
        return not self.away


class Run:
    """One life of a worker."""

    def __init__(self, log: Log) -> None:
        log.again()
        self.labels = Labels(48, 1000)
        self.figures = LabelFigures(self.labels, CollectorRegistry())
        self.worker = Worker(LabelsSettings(commit_seconds=3600), log, self.labels, self.figures)

    def turns(self, at: float, number: int = 6) -> "Run":
        """Let it work at an instant, seconds after the beginning."""
        for _ in range(number):
            self.worker.turn(NOW + at)
        return self

    @property
    def counted(self) -> int:
        """Return how many predictions were counted."""
        return self.labels.outcomes[COUNTED]

    @property
    def errors(self) -> float:
        """Return the sum of all absolute errors."""
        return sum(each.sum for each in self.labels.errors.values())


@pytest.fixture
def log() -> Log:
    """Return an empty log."""
    return Log()


def test_a_label_waits_until_what_was_predicted_before_has_been_read(log: Log) -> None:
    """The arrival is there first; the prediction, which was made before, comes a moment later and is counted."""
    run = Run(log)
    log.arrive("arr-flight-1", 10, at=5)
    run.turns(6)
    log.predict("arr-flight-1", 4, at=4.9)
    assert run.turns(6.5).counted == 0
    assert (run.turns(8).counted, run.errors) == (1, 6)


def test_a_prediction_that_was_made_after_its_label_is_not_counted(log: Log) -> None:
    """It was made when the outcome was known, whatever order they are read in."""
    log.predict("arr-flight-1", 10, at=6)
    log.arrive("arr-flight-1", 10, at=5)
    log.predict("arr-flight-2", 1, at=3, partition=1)
    log.arrive("arr-flight-2", 10, at=5, partition=1)
    run = Run(log).turns(60)
    assert (run.counted, run.errors) == (1, 9)


def test_partitions_that_lag_are_waited_for(log: Log) -> None:
    """With one record a poll, labels never overtake the predictions that were made before them."""
    log.most = 1
    for number in range(30):
        log.predict(f"arr-flight-{number}", 0, at=number, partition=number % 2)
        log.arrive(f"arr-flight-{number}", 1, at=number + 0.5)
    run = Run(log).turns(1000, 80)
    assert (run.counted, run.errors) == (30, 30)
    assert run.worker.caught_up


def test_what_is_far_ahead_waits_in_the_log(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog of one topic does not fill the memory while another is read."""
    monkeypatch.setattr(labelling, "_HELD", 50)
    log.most = 10
    for number in range(300):
        log.predict(f"arr-flight-{number}", 0, at=number)
        log.arrive(f"arr-flight-{number}", 1, at=0.5 + number / 100)
    run = Run(log)
    most = 0
    for _ in range(200):
        most = max(most, len(run.turns(1000, 1).worker._turns))
    assert most < 100
    assert run.counted > 0
    assert all(position == 300 for place, position in log.positions.items() if place.partition == 0)


def test_committed_is_what_nobody_needs_any_more(log: Log) -> None:
    """Predictions from the oldest that waits, arrivals from the oldest that was not taken."""
    log.predict("arr-flight-1", 0, at=0)
    log.predict("arr-flight-2", 0, at=1)
    log.predict("arr-flight-3", 0, at=2)
    log.arrive("arr-flight-1", 0, at=3)
    log.arrive("arr-flight-3", 0, at=3)
    log.arrive("arr-flight-9", 0, at=59)
    run = Run(log).turns(60)
    run.worker.commit()
    assert (log.group[Place(PREDICTED, 0)].offset, log.group[Place(ARRIVED, 0)].offset) == (1, 2)


@pytest.mark.parametrize("life", range(1, 12))
def test_a_restart_neither_loses_nor_doubles(log: Log, life: int) -> None:
    """Ended in order after any number of turns, again and again: each prediction is counted once in all its lives."""
    log.most = 3
    for number in range(40):
        log.predict(f"arr-flight-{number}", 0, at=number, partition=number % 2)
        log.predict(f"arr-flight-{number}", 5, at=number, track="canary", partition=number % 2)
        log.arrive(f"arr-flight-{number}", 2, at=number + 7.5, partition=number % 2)
    counted, errors, pairs = 0, 0.0, 0
    for at in range(0, 120, life):
        run = Run(log).turns(float(at), 8 + life)
        run.worker.commit()
        counted, errors = counted + run.counted, errors + run.errors
        pairs += sum(each.values for each in run.labels.differences.values())
    assert (counted, errors, pairs) == (80, 40 * (2 + 3), 40)


def test_after_a_crash_what_was_not_committed_counts_again_and_nothing_is_lost(log: Log) -> None:
    """At least once."""
    log.predict("arr-flight-1", 0, at=0)
    log.arrive("arr-flight-1", 3, at=1)
    log.away = True
    assert Run(log).turns(60).counted == 1
    log.away = False
    assert Run(log).turns(60).counted == 1
    assert Run(log).turns(60).counted == 0


def test_a_beginning_is_committed_before_anything_is_read(log: Log) -> None:
    """Also of a topic that is empty, or whose every record waits: which topics a group has does not hang on when."""
    Run(log).turns(10)
    places = log.assigned()
    assert {place: log.committed(place) for place in places} == dict.fromkeys(places, Committed(0, ""))


def test_while_kafka_takes_no_commit_work_goes_on(log: Log) -> None:
    """And is committed when it does."""
    log.away = True
    log.predict("arr-flight-1", 0, at=0)
    log.arrive("arr-flight-1", 3, at=1)
    run = Run(log).turns(60)
    run.worker.commit()
    assert (run.counted, log.group) == (1, {})
    log.away = False
    run.worker.commit()
    assert {place: log.group[place].offset for place in (Place(PREDICTED, 0), Place(ARRIVED, 0))} == {
        Place(PREDICTED, 0): 1,
        Place(ARRIVED, 0): 1,
    }


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(log: Log) -> None:
    """A place beyond the end belongs to a topic that is gone."""
    log.group = {Place(PREDICTED, 0): Committed(900, ""), Place(ARRIVED, 0): Committed(900, "")}
    log.predict("arr-flight-1", 0, at=0)
    log.arrive("arr-flight-1", 3, at=1)
    assert Run(log).turns(60).counted == 1


def test_records_that_are_none_are_counted_and_passed(log: Log) -> None:
    """They hold nothing up, and are not read again."""
    log._write(Place(PREDICTED, 0), 0, b"{}")
    log._write(Place(ARRIVED, 0), 0, b"\xff")
    log.predict("arr-flight-1", 0, at=1)
    log.arrive("arr-flight-1", 3, at=2)
    run = Run(log).turns(60)
    run.worker.commit()
    assert (run.counted, run.figures.refused) == (1, 2)
    assert log.group[Place(PREDICTED, 0)].offset == 2

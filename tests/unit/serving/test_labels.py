"""Labels that come later are counted, each prediction once."""

import datetime as dt
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from contracts.predictions import PredictionMade
from serving.workers.figures import LabelFigures
from serving.workers.labels import Labels
from unit.serving.schedules import DAY

FLIGHT = "arr-2013-01-01-UA-1-JFK"
HOURS = 48.0


class World:
    """Labels, what they tell Prometheus, and which predictions still wait."""

    def __init__(self, room: int = 1000) -> None:
        self.labels = Labels(HOURS, room)
        self.registry = CollectorRegistry()
        LabelFigures(self.labels, self.registry)
        self.done: list[str] = []

    def predict(  # noqa: PLR0913  a prediction has so many sides
        self, minutes: float | None, *, flight: str | None = FLIGHT, track: str = "stable", version: str = "1",
        at: float = 0.0, name: str = "", model: str = "delay",
    ) -> None:  # fmt: skip
        """Make a prediction, so many seconds after the beginning."""
        record = PredictionMade(
            id=name or "q", made_at=DAY + dt.timedelta(seconds=at), model=model, version=version, track=track,
            mode="online", flight=flight, features=[], prediction=minutes, variant=None, trace=None,
        )  # fmt: skip
        self.labels.predicted(record, lambda: self.done.append(name))

    def arrive(self, delay: float, *, flight: str = FLIGHT, hour: float = 0.0) -> None:
        """Let a flight arrive, at an hour of event time."""
        self.labels.arrived(flight, DAY.timestamp() + hour * 3600, delay)
        self.labels.expire()

    def told(self, name: str, track: str = "stable", version: str = "1", model: str = "delay") -> float | None:
        """Return a counter of a release."""
        labels = {"model": model, "version": version, "track": track}
        return self.registry.get_sample_value(f"serving_label_{name}_total", labels)

    def outcome(self, name: str) -> float | None:
        """Return how many predictions ended so."""
        return self.registry.get_sample_value("serving_labels_predictions_total", {"outcome": name})


@pytest.fixture
def world() -> World:
    """Return an empty one."""
    return World()


def test_absolute_errors_are_counted_by_model_version_and_track(world: World) -> None:
    """Number, sum and sum of squares, in minutes."""
    world.predict(10)
    world.predict(-5, flight="arr-other-1")
    world.predict(2, version="2", track="canary")
    world.arrive(16)
    world.arrive(-9, flight="arr-other-1")
    assert (world.told("error_values"), world.told("error_sum"), world.told("error_squares")) == (2, 10, 52)
    assert world.told("error_sum", "canary", "2") == 14
    assert world.outcome("counted") == 3


def test_a_flight_that_both_tracks_predicted_is_compared(world: World) -> None:
    """The canary's error minus the stable one's, under the canary's labels: worse is above, better is below."""
    world.predict(10)
    world.predict(30, track="canary", version="2")
    world.arrive(16)  # 14 - 6
    world.predict(0, flight="arr-other-1")
    world.predict(5, flight="arr-other-1", track="canary", version="2")
    world.arrive(10, flight="arr-other-1")  # 5 - 10
    names = ("difference_values", "difference_above", "difference_below", "difference_squares")
    assert [world.told(name, "canary", "2") for name in names] == [2, 8, 5, 89]
    assert [world.told(name) for name in names] == [None] * 4


def test_only_the_same_model_is_compared(world: World) -> None:
    """And only two tracks with each other: neither models nor servers without a track."""
    world.predict(10)
    world.predict(30, track="canary", model="other")
    world.predict(30, track="", version="2")
    world.arrive(16)
    assert world.told("difference_values", "canary", model="other") is None
    assert world.told("error_values", "", "2") == 1


def test_of_several_predictions_of_a_flight_the_newest_counts(world: World) -> None:
    """Once, whatever the order in which they are read."""
    world.predict(10, at=1, name="first")
    world.predict(12, at=3, name="third")
    world.predict(11, at=2, name="second")
    assert world.done == ["first", "second"]
    world.arrive(12)
    assert (world.told("error_values"), world.told("error_sum")) == (1, 0)
    assert world.outcome("superseded") == 2


def test_a_label_counts_once(world: World) -> None:
    """A second arrival of the same flight, as a broker may deliver it, changes nothing."""
    world.predict(10)
    world.arrive(16)
    world.arrive(16)
    assert world.told("error_values") == 1
    assert len(world.labels) == 0


def test_a_prediction_waits_for_hours_of_event_time(world: World) -> None:
    """A flight that never arrives does not stay for ever; what came before any arrival waits from the first one on."""
    world.predict(1, flight="arr-never-1", name="early")
    world.arrive(0, flight="arr-else-1", hour=0)
    world.predict(1, flight="arr-never-2", name="late")
    world.arrive(0, flight="arr-else-2", hour=HOURS - 1)
    assert world.done == []
    for number in range(30):
        world.arrive(0, flight=f"arr-else-{number + 10}", hour=HOURS + 1)
    assert world.done == ["early", "late"]
    assert (world.outcome("expired"), len(world.labels)) == (2, 0)


def test_an_arrival_that_strays_expires_nothing(world: World) -> None:
    """Event time is what most of the last arrivals say."""
    for number in range(30):
        world.arrive(0, flight=f"arr-else-{number}")
    world.predict(1)
    world.arrive(0, flight="arr-stray-1", hour=24 * 365)
    assert len(world.labels) == 1


def test_a_replay_that_begins_anew_forgets_what_waited(world: World) -> None:
    """Its event time goes back; what waited for times to come would wait for a year."""
    for number in range(30):
        world.arrive(0, flight=f"arr-else-{number}", hour=1000)
    world.predict(1, name="before")
    for number in range(30):
        world.arrive(0, flight=f"arr-again-{number}", hour=0)
    assert world.done == ["before"]


def test_memory_is_bounded() -> None:
    """The oldest make room, and are counted."""
    world = World(room=10)
    for number in range(25):
        world.predict(1, flight=f"arr-flight-{number}", name=str(number))
    assert len(world.labels) == 10
    assert world.done == [str(number) for number in range(15)]
    assert world.outcome("crowded-out") == 15
    world.arrive(1, flight="arr-flight-3")
    assert world.told("error_values") is None


def test_what_cannot_be_labelled_does_not_wait(world: World) -> None:
    """Without a flight, or without a number."""
    world.predict(1, flight=None, name="no flight")
    world.predict(None, name="no number")
    assert world.done == ["no flight", "no number"]
    assert world.outcome("nameless") == 2


def test_every_prediction_ends_in_one_way(world: World) -> None:
    """What was taken in is counted, superseded, expired, crowded out, nameless or waits; the figures say so."""
    for number in range(200):
        world.predict(number, flight=f"arr-flight-{number % 70}", at=number, track=("stable", "canary")[number % 2])
        if number % 3 == 0:
            world.arrive(5, flight=f"arr-flight-{number % 50}", hour=number)
    outcomes = Counter({name: world.outcome(name) or 0 for name in world.labels.outcomes})
    waiting = world.registry.get_sample_value("serving_labels_waiting")
    assert outcomes.total() + (waiting or 0) == 200
    assert waiting == len(world.labels)

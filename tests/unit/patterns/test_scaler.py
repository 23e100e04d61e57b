"""The scaler: what need becomes which number of workers, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.kube import Replicas
from patterns.scaler import Cpu, Decision, Lag, Scaler
from patterns.usage import Usage
from unit.patterns.servers import nobody


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The present."""
        return self.now


class Deployment:
    """A Deployment whose pods follow at once."""

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas
        self.reads = 0
        self.orders: list[int] = []

    def get(self) -> Replicas:
        """As the API answers."""
        self.reads += 1
        return Replicas(self.replicas, self.replicas)

    def set(self, replicas: int) -> Replicas:
        """As the API does."""
        self.orders.append(replicas)
        self.replicas = replicas
        return self.get()


def test_a_worker_comes_at_once_and_goes_after_the_cool_down() -> None:
    """From zero to one with the first look that sees work; back to zero only after the cool-down without any."""
    clock = Clock()
    decision = Decision(0, 1, 5, clock)
    assert decision.wanted(2, 0) == 1
    assert decision.wanted(0, 1) == 1
    clock.now += 4.9
    assert decision.wanted(0, 1) == 1
    clock.now += 0.1
    assert decision.wanted(0, 1) == 0


def test_work_during_the_cool_down_starts_it_anew() -> None:
    """One job in the middle of the pause: the pause counts from there."""
    clock = Clock()
    decision = Decision(0, 1, 5, clock)
    decision.wanted(0, 1)
    clock.now += 4
    decision.wanted(1, 1)
    clock.now += 4
    assert decision.wanted(0, 1) == 1
    clock.now += 5
    assert decision.wanted(0, 1) == 0


def test_what_was_scaled_by_hand_beyond_the_most_is_taken_back_at_once() -> None:
    """More replicas than allowed need no cool-down."""
    assert Decision(0, 2, 60, Clock()).wanted(9, 7) == 2


@given(
    low=st.integers(0, 4),
    more=st.integers(0, 4),
    steps=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 8)), max_size=40),
)
def test_the_number_stays_within_its_bounds(low: int, more: int, steps: list[tuple[int, float]]) -> None:
    """Whatever the need and the pauses: between the least and the most, and never fewer within the cool-down."""
    clock = Clock()
    decision, now = Decision(low, low + more, 5, clock), low
    enough_since = clock.now  # since when fewer would have done
    for need, seconds in steps:
        clock.now += seconds
        if need >= now or now == low:
            enough_since = clock.now
        wanted = decision.wanted(need, now)
        assert low <= wanted <= low + more
        assert wanted >= now or clock.now - enough_since >= 5
        now = wanted


def test_the_deployment_is_set_only_when_the_number_changes() -> None:
    """Looks that find nothing new ask the Kubernetes API for nothing; the number read first is trusted for a while."""
    clock, deployment, need = Clock(), Deployment(0), [0]
    scaler = Scaler(deployment, lambda _: need[0], Decision(0, 1, 5, clock), clock)
    for _ in range(3):
        assert not scaler.look()
        clock.now += 1
    assert (deployment.reads, deployment.orders) == (1, [])
    need[0] = 1
    assert scaler.look()
    assert scaler.look()
    assert deployment.orders == [1]
    assert scaler.replicas == Replicas(1, 1)


class Waiting:
    """The broker's word on how many jobs wait."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def lag(self, group: str, topic: str) -> int:
        """Of the one group and topic that the scaler may ask for."""
        assert (group, topic) == ("lab-01-worker", "lab-01.jobs")
        return self.jobs


@pytest.mark.parametrize(("jobs", "workers"), [(0, 0), (1, 1), (50, 1), (51, 2)])
def test_jobs_that_wait_ask_for_workers_even_where_none_runs(jobs: int, workers: int) -> None:
    """One job is enough to ask for a worker, from nothing."""
    lag = Lag(Waiting(jobs))
    assert lag.need(0) == workers
    assert lag.jobs == jobs


def test_cpu_cannot_ask_for_the_first_worker() -> None:
    """No worker, no CPU: the signal asks for none however many jobs wait, and still counts them for the metric."""
    with nobody() as address:
        lag = Lag(Waiting(500))
        assert Cpu(Usage(address), lag).need(0) == 0
        assert lag.jobs == 500

"""The circuit breaker: what it admits, what it learns from, and what it ignores."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.breaker import Breaker, Open, State


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The present."""
        return self.now


class Ill(Exception):
    """The dependency's failure."""


class Mistake(Exception):
    """The caller's own."""


def breaker(clock: Clock, failures: int = 3, pause: float = 2.0, changes: list[State] | None = None) -> Breaker:
    """One that blames `Ill` alone, and tells its changes."""
    told = changes if changes is not None else []
    return Breaker(
        "delays", failures, pause, blames=lambda it: isinstance(it, Ill), changed=told.append, clock=clock
    )  # fmt: skip


def fail(it: Breaker, times: int = 1) -> None:
    """So many calls that the dependency fails."""
    for _ in range(times):
        with pytest.raises(Ill), it.call():
            raise Ill


def succeed(it: Breaker) -> None:
    """A call that goes well."""
    with it.call():
        pass


def test_so_many_failures_in_a_row_open_it_and_then_nothing_is_asked() -> None:
    """Three failures in a row: the fourth call is refused without being made."""
    it = breaker(Clock())
    fail(it, 3)
    assert it.state is State.OPEN
    with pytest.raises(Open), it.call():
        pytest.fail("the call was made")
    assert it.opened == 1


def test_a_success_between_failures_starts_the_count_anew() -> None:
    """Failures that are not in a row never open it."""
    it = breaker(Clock())
    for _ in range(5):
        fail(it, 2)
        succeed(it)
    assert it.state is State.CLOSED


def test_after_the_pause_one_good_call_closes_it() -> None:
    """Open, then half-open after the pause, then closed by one success; each change is told."""
    clock, changes = Clock(), list[State]()
    it = breaker(clock, changes=changes)
    fail(it, 3)
    clock.now += 2.0
    assert it.state.name == "HALF_OPEN"
    succeed(it)
    assert it.state.name == "CLOSED"
    assert changes == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    fail(it, 2)
    assert it.state is State.CLOSED, "it has to count anew"


def test_a_failed_trial_opens_it_for_another_pause() -> None:
    """One failure is enough while it is half-open, and the pause begins again."""
    clock = Clock()
    it = breaker(clock)
    fail(it, 3)
    clock.now += 2.0
    fail(it)
    clock.now += 1.9
    with pytest.raises(Open), it.call():
        pytest.fail("the call was made")
    assert it.opened == 2


def test_while_half_open_only_one_call_at_a_time_may_try() -> None:
    """Of twenty threads that come together after the pause, one is admitted while its call lasts."""
    clock = Clock()
    it = breaker(clock)
    fail(it, 3)
    clock.now += 2.0
    start, leave, outcomes = threading.Barrier(20), threading.Event(), list[str]()

    def come() -> None:
        start.wait()
        try:
            with it.call():
                outcomes.append("asked")
                leave.wait(10)
        except Open:
            outcomes.append("refused")
            if outcomes.count("refused") == 19:
                leave.set()

    threads = [threading.Thread(target=come) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["asked", *["refused"] * 19]
    assert it.state is State.CLOSED


def test_an_outcome_from_before_the_opening_is_ignored() -> None:
    """A call that was admitted while closed and ends well while open does not close it."""
    clock = Clock()
    it = breaker(clock)
    slow = it.call()
    slow.__enter__()
    fail(it, 3)
    slow.__exit__(None, None, None)
    assert it.state is State.OPEN
    clock.now += 2.0
    fail(it)
    assert it.state is State.OPEN


def test_a_callers_mistake_says_nothing_about_the_dependency() -> None:
    """Mistakes never open it, and one in the trial leaves the next call a trial of its own."""
    clock = Clock()
    it = breaker(clock)
    for _ in range(10):
        with pytest.raises(Mistake), it.call():
            raise Mistake
    assert it.state is State.CLOSED
    fail(it, 3)
    clock.now += 2.0
    with pytest.raises(Mistake), it.call():
        raise Mistake
    succeed(it)
    assert it.state is State.CLOSED


def test_with_no_failures_allowed_for_there_is_no_breaker() -> None:
    """0 failures switch it off: it admits every call, whatever happened before."""
    it = breaker(Clock(), failures=0)
    fail(it, 50)
    assert it.state is State.CLOSED
    assert it.opened == 0


@given(
    failures=st.integers(1, 5),
    steps=st.lists(st.one_of(st.just("good"), st.just("bad"), st.floats(0.01, 5)), max_size=60),
)
def test_it_asks_nothing_within_the_pause_whatever_came_before(failures: int, steps: list[str | float]) -> None:
    """After each opening no call is made until the pause is over, in any sequence of calls and waits."""
    clock = Clock()
    it = breaker(clock, failures=failures, pause=2.0)
    opened_at = float("-inf")
    for step in steps:
        if isinstance(step, float):
            clock.now += step
            continue
        opened = it.opened
        if asked(it, well=step == "good"):
            assert clock.now - opened_at >= 2.0
        if it.opened > opened:
            opened_at = clock.now


def asked(it: Breaker, *, well: bool) -> bool:
    """Whether a call that goes so was made at all."""
    try:
        succeed(it) if well else fail(it)
    except Open:
        return False
    return True

"""The bulkhead: who may take a thread of the shared pool, and who is refused at once."""

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from patterns.bulkhead import Bulkhead, Full, Pool

_WAIT = 10  # seconds; a test that needs them has failed


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Four threads."""
    made = Pool(4)
    yield made
    made.close()


class Hanging:
    """Calls that hang until they are let go."""

    def __init__(self, bulkhead: Bulkhead, count: int) -> None:
        self._over = threading.Event()
        self._inside = threading.Semaphore(0)
        self.threads = [threading.Thread(target=bulkhead.run, args=(self._hang,)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _hang(self) -> None:
        self._inside.release()
        self._over.wait(_WAIT)

    def inside(self, count: int) -> None:
        """Wait until so many calls have begun."""
        for _ in range(count):
            assert self._inside.acquire(timeout=_WAIT)

    def let_go(self) -> None:
        """End all of them."""
        self._over.set()
        for thread in self.threads:
            thread.join(_WAIT)


def test_the_call_beyond_the_wall_is_refused_at_once(pool: Pool) -> None:
    """With two places taken the third call is refused, though the pool has threads left; then places are free again."""
    walled = Bulkhead("delays", pool, 2)
    hanging = Hanging(walled, 2)
    hanging.inside(2)
    with pytest.raises(Full, match="delays"):
        walled.run(lambda: pytest.fail("the call was made"))
    hanging.let_go()
    assert walled.run(lambda: "well") == "well"


def test_behind_a_wall_the_others_go_on(pool: Pool) -> None:
    """While one dependency hangs with all its places taken, another one is answered."""
    walled, other = Bulkhead("delays", pool, 2), Bulkhead("weather", pool)
    hanging = Hanging(walled, 2)
    hanging.inside(2)
    assert other.run(lambda: "sunny") == "sunny"
    hanging.let_go()


def test_without_a_wall_a_hanging_dependency_makes_the_others_wait(pool: Pool) -> None:
    """Four hanging calls fill the pool: a call to another dependency is not made until one of them ends."""
    open_, other = Bulkhead("delays", pool), Bulkhead("weather", pool)
    hanging = Hanging(open_, 4)
    hanging.inside(4)
    answered = threading.Event()
    asking = threading.Thread(target=lambda: other.run(answered.set))
    asking.start()
    assert not answered.wait(0.2)
    hanging.let_go()
    assert answered.wait(_WAIT)
    asking.join(_WAIT)


def test_a_failed_call_gives_its_place_back_and_its_reason_on(pool: Pool) -> None:
    """However often a call fails, the place is free for the next one."""
    walled = Bulkhead("delays", pool, 1)

    def broken() -> None:
        raise OSError("broken")

    for _ in range(5):
        with pytest.raises(OSError, match="broken"):
            walled.run(broken)
    assert walled.run(lambda: 1) == 1


def test_a_call_runs_in_the_callers_context(pool: Pool) -> None:
    """What the caller's context holds (its trace) is there in the pool's thread."""
    trace: ContextVar[str] = ContextVar("trace", default="none")
    trace.set("mine")
    assert Bulkhead("delays", pool).run(trace.get) == "mine"

"""Batching: at once when idle, together when busy, refused when it is too much."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from serving.errors import Late, NotComputed, Overloaded
from serving.model.batch import Batcher, Limits, Work
from serving.model.session import Array, Brake, Feed
from serving.tally import Tally

NEVER = Limits(inline_seconds=0)
"""Nothing is run in the loop."""


class Model:
    """In place of onnxruntime: gives back what it is given, when it is let."""

    def __init__(self) -> None:
        self.stacks = True
        self.open = threading.Event()
        self.began = threading.Semaphore(0)
        self.runs: list[list[float]] = []
        self.threads: list[str] = []
        self.seconds = 0.01
        self.takes = 0.0
        self.drops = 0

    def run(self, names: list[str], feed: Feed) -> list[Array]:
        """Run."""
        values = feed["x"]
        self.runs.append(values[:, 0].tolist())
        self.threads.append(threading.current_thread().name)
        time.sleep(self.takes)
        if (values < 0).any():
            raise NotComputed("a negative value", "-")
        return [values[self.drops if len(values) > 1 else 0 :] for _ in names]

    def timed(self, names: list[str], feed: Feed, brake: Brake) -> tuple[list[Array], float]:
        """Run, once it may."""
        self.began.release()
        while not self.open.wait(0.01):
            if brake.pulled:
                raise Late("broken off", "-")
        return self.run(names, feed), self.seconds


Scene = Callable[[Model, Batcher], Coroutine[None, None, None]]
Play = Callable[[Scene, Limits], Tally]


@pytest.fixture
def play() -> Iterator[Play]:
    """Return what plays a scene with a batcher and one worker."""
    pool = ThreadPoolExecutor(1, "worker")

    def played(scene: Scene, limits: Limits) -> Tally:
        model, tally = Model(), Tally("m", "1")
        batcher = Batcher(model, pool, limits, tally)  # type: ignore[arg-type]
        try:
            asyncio.run(asyncio.wait_for(scene(model, batcher), 20))
        finally:
            model.open.set()
        return tally

    yield played
    pool.shutdown()


def rows(*values: float, key: object = "key") -> Work:
    """Return work of so many rows."""
    return Work({"x": np.array([[each] for each in values])}, ["y"], len(values), len(values), key)


def ask(batcher: Batcher, work: Work, seconds: float = 10) -> Awaitable[list[Array]]:
    """Ask, as a request would."""
    return asyncio.ensure_future(batcher.run(work, asyncio.get_running_loop().time() + seconds))


async def busy(model: Model, batcher: Batcher) -> Awaitable[list[Array]]:
    """Have the worker taken by a request."""
    first = ask(batcher, rows(0.0))
    await asyncio.to_thread(model.began.acquire)
    return first


def test_an_idle_model_is_asked_at_once(play: Play) -> None:
    """The first request does not wait for others."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        assert not first.done()  # type: ignore[attr-defined]
        model.open.set()
        assert (await first)[0].tolist() == [[0.0]]

    assert play(scene, NEVER).batches.total == 1


def test_what_comes_while_it_is_busy_goes_together(play: Play) -> None:
    """Each gets its own rows of the common run."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        others = [ask(batcher, rows(1.0)), ask(batcher, rows(2.0, 3.0)), ask(batcher, rows(4.0))]
        await asyncio.sleep(0)
        model.open.set()
        await first
        assert [(await each)[0][:, 0].tolist() for each in others] == [[1.0], [2.0, 3.0], [4.0]]
        assert model.runs == [[0.0], [1.0, 2.0, 3.0, 4.0]]

    tally = play(scene, NEVER)
    assert tally.batches.total == 4
    assert tally.rows == 5


@pytest.mark.parametrize(("room", "runs"), [(128, [[0.0, 1.0, 2.0, 3.0]]), (2, [[0.0, 1.0], [2.0, 3.0]])])
def test_a_run_takes_in_who_is_at_the_door(play: Play, room: int, runs: list[list[float]]) -> None:
    """While each turn of the loop brings another request, the model is not woken for the few that were read so far."""

    async def turns_later(batcher: Batcher, turns: int) -> list[Array]:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await ask(batcher, rows(float(turns)))

    async def scene(model: Model, batcher: Batcher) -> None:
        model.open.set()
        await asyncio.gather(*(turns_later(batcher, turns) for turns in range(4)))
        assert model.runs == runs

    play(scene, Limits(inline_seconds=0, rows=room))


def test_a_run_has_no_more_rows_than_it_may(play: Play) -> None:
    """The rest goes with the next; one request that is larger by itself goes alone."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        others = [ask(batcher, rows(*each)) for each in ([1.0, 1.0], [2.0], [3.0] * 5, [4.0])]
        await asyncio.sleep(0)
        model.open.set()
        await asyncio.gather(first, *others)
        assert model.runs[1:] == [[1.0, 1.0, 2.0], [3.0] * 5, [4.0]]

    play(scene, Limits(inline_seconds=0, rows=3))


def test_what_does_not_stack_is_not_put_together(play: Play) -> None:
    """Requests with other trailing dimensions or outputs have another key; those without one are always alone."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        kinds = ["a", "a", "b", None, None]
        others = [ask(batcher, rows(float(number), key=key)) for number, key in enumerate(kinds)]
        await asyncio.sleep(0)
        model.open.set()
        await asyncio.gather(first, *others)
        assert model.runs[1:] == [[0.0, 1.0], [2.0], [3.0], [4.0]]

    play(scene, NEVER)


def test_a_model_whose_rows_do_not_come_back_is_asked_alone(play: Play) -> None:
    """Whatever it declares: nobody is given somebody else's rows, and it is not tried again."""

    async def scene(model: Model, batcher: Batcher) -> None:
        model.drops = 1
        first = await busy(model, batcher)
        others = [ask(batcher, rows(1.0)), ask(batcher, rows(2.0))]
        await asyncio.sleep(0)
        model.open.set()
        await first
        assert [(await each)[0].tolist() for each in others] == [[[1.0]], [[2.0]]]
        more = [ask(batcher, rows(3.0)), ask(batcher, rows(4.0))]
        await asyncio.gather(*more)
        assert model.runs[1:] == [[1.0, 2.0], [1.0], [2.0], [3.0], [4.0]]

    play(scene, NEVER)


def test_one_that_fails_does_not_spoil_the_others(play: Play) -> None:
    """A common run that fails is run again one by one: only the guilty is told."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        good, bad = ask(batcher, rows(1.0)), ask(batcher, rows(-2.0))
        await asyncio.sleep(0)
        model.open.set()
        await first
        assert (await good)[0].tolist() == [[1.0]]
        with pytest.raises(NotComputed):
            await bad

    play(scene, NEVER)


def test_a_full_queue_refuses_at_once(play: Play) -> None:
    """With the seconds after which to come again; what waits is not harmed."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        waiting = [ask(batcher, rows(1.0)), ask(batcher, rows(2.0))]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refusal:
            await ask(batcher, rows(3.0))
        assert refusal.value.delay >= 1
        model.open.set()
        await asyncio.gather(first, *waiting)

    assert play(scene, Limits(inline_seconds=0, queue=2)).refused == 1


def test_a_wait_that_would_be_too_long_is_refused(play: Play) -> None:
    """The queue is bounded in seconds as well: those that slow runs of this model would take."""

    async def scene(model: Model, batcher: Batcher) -> None:
        batcher.costs.measured(1, 5.0)
        first = await busy(model, batcher)
        with pytest.raises(Overloaded) as refusal:
            await ask(batcher, rows(1.0))
        assert refusal.value.delay == 5
        model.open.set()
        await first

    play(scene, NEVER)


def test_a_request_whose_time_is_over_is_told_and_not_run(play: Play) -> None:
    """It is told while the model is still busy with others."""

    async def scene(model: Model, batcher: Batcher) -> None:
        first = await busy(model, batcher)
        with pytest.raises(Late):
            await ask(batcher, rows(1.0), 0.01)
        model.open.set()
        await first
        await ask(batcher, rows(2.0))
        assert model.runs == [[0.0], [2.0]]

    play(scene, NEVER)


def test_a_run_that_takes_too_long_is_broken_off(play: Play) -> None:
    """The worker is free for the next."""

    async def scene(model: Model, batcher: Batcher) -> None:
        with pytest.raises(Late, match="broken off"):
            await ask(batcher, rows(1.0))
        model.open.set()
        assert (await ask(batcher, rows(2.0)))[0].tolist() == [[2.0]]

    play(scene, Limits(inline_seconds=0, run_seconds=0.05))


def test_a_short_run_happens_in_the_loop_once_it_was_measured(play: Play) -> None:
    """An unknown size goes to the worker; a short one comes back to the loop; another size is unknown again."""

    async def scene(model: Model, batcher: Batcher) -> None:
        model.open.set()
        model.seconds = 0.0001
        for _ in range(3):
            await ask(batcher, rows(1.0))
        await ask(batcher, rows(*[1.0] * 100))
        kinds = ["worker" if each.startswith("worker") else "loop" for each in model.threads]
        assert kinds == ["worker", "loop", "loop", "worker"]

    play(scene, Limits(inline_seconds=0.001))


def test_a_model_that_became_slow_goes_to_the_worker(play: Play) -> None:
    """The mean follows what is measured."""

    async def scene(model: Model, batcher: Batcher) -> None:
        model.open.set()
        batcher.costs.measured(1, 0.0001)
        model.takes = model.seconds = 0.01
        for _ in range(10):
            await ask(batcher, rows(1.0))
        kinds = ["worker" if each.startswith("worker") else "loop" for each in model.threads]
        assert kinds == sorted(kinds)
        assert kinds[0] == kinds[1] == "loop"  # one slow run proves nothing: the core may have been somebody else's
        assert kinds[-1] == "worker"

    play(scene, Limits(inline_seconds=0.001))

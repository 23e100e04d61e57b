"""When a request is run, where, and together with which others.

Three ways, chosen for each request by what its model was measured to need for so many elements:

- *Short* runs happen at once, in the event loop. To hand one to a thread and back costs more than the run itself
  (waking the thread, waiting for the interpreter's lock), and nothing can be gained by waiting: while it runs, what
  comes in waits in the sockets for as long as one run takes.
- *Long* runs, and sizes that were not measured yet, happen in a worker thread: onnxruntime gives up the interpreter's
  lock while it runs, so the loop goes on reading, refusing and answering for other models.
- Whatever arrives while the model's worker is busy waits, and what has gathered when it is free goes as one run, if it
  stacks; so does what is in the sockets already, as waking the worker for less costs everybody a run. An idle model
  never waits for company: the first request after a pause is dispatched as it comes, so batching costs nothing when
  there is no load and grows with it.

Nobody waits in vain: a queue that is too long, in requests or in the seconds it would take, refuses at once and says
when to come again; a request whose time is over is told so, and is not run any more.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.inference import Parameters
from serving.errors import Late, NotComputed, Overloaded
from serving.model.costs import Costs
from serving.model.session import Array, Brake, Feed, Session, stacked
from serving.tally import Tally

log = logging.getLogger(__name__)

_OUTLIER = 2.0
"""Times the seconds of a short run; more is not believed of one run."""


class Work(NamedTuple):
    """What a request wants computed.

    Attributes:
        feed: input -> tensor.
        names: of the outputs that are wanted.
        rows: first dimension of the inputs, 0 where the model does not stack.
        elements: of all inputs together.
        key: what has to be equal for two requests to be one run; None: never.
        parameters: of the request, for compositions that choose by them.
        depth: of the compositions that ask it on.
    """

    feed: Feed
    names: list[str]
    rows: int
    elements: int
    key: object
    parameters: Parameters | None = None
    depth: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far a model may be loaded.

    Attributes:
        inline_seconds: a run that is expected to take less happens in the event loop.
        rows: that one run of several requests may have.
        queue: requests that may wait.
        queue_seconds: that a request may be expected to wait.
        run_seconds: after which a run in a worker thread is broken off.
    """

    inline_seconds: float = 0.001
    rows: int = 128
    queue: int = 256
    queue_seconds: float = 1.0
    run_seconds: float = 30.0


@dataclass(slots=True, eq=False)
class _Waiting:
    work: Work
    answer: asyncio.Future[list[Array]]
    since: float
    timer: asyncio.TimerHandle | None = field(default=None)


class Batcher:
    """Runs the requests of one version of one model.

    Args:
        session: of the version.
        pool: worker threads, shared by all models.
        limits: how far it may be loaded.
        tally: counts what it does.
    """

    members = ()
    """It is made of no others."""

    def __init__(self, session: Session, pool: Executor, limits: Limits, tally: Tally) -> None:
        self._session = session
        self._pool = pool
        self._limits = limits
        self._tally = tally
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        """Rows that wait."""
        self._busy = False
        self._stacks = session.stacks
        self._working: asyncio.Task[None] | None = None
        self.costs = Costs()

    async def run(self, work: Work, deadline: float) -> list[Array]:
        """The outputs that `work` names, in their order.

        Args:
            work: what is to be computed.
            deadline: time of the loop after which nobody waits for it any more.

        Raises:
            Overloaded: too many wait already.
            Late: its time was over before it was computed.
            NotComputed: the model fails on these values.
        """
        if not self._busy and self.costs.expected(work.elements) < self._limits.inline_seconds:
            return self._inline(work)
        return await self._queued(work, deadline)

    def _inline(self, work: Work) -> list[Array]:
        begun = time.perf_counter()
        found = self._session.run(work.names, work.feed)
        # By the wall, which costs a tenth of the thread's own clock; a run in which the core was taken away counts as
        # one that is somewhat too long, so that only several in a row make a short model a long one.
        seconds = min(time.perf_counter() - begun, _OUTLIER * self._limits.inline_seconds)
        self.costs.measured(work.elements, seconds)
        self._tally.ran(1, work.rows, seconds)
        self._tally.predicted(work.names, found)
        return found

    async def _queued(self, work: Work, deadline: float) -> list[Array]:
        self._admit()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(work, loop.create_future(), loop.time())
        waiting.timer = loop.call_at(deadline, self._late, waiting)
        self._queue.append(waiting)
        self._rows += work.rows
        if not self._busy:
            self._busy = True
            self._working = loop.create_task(self._work())
        try:
            return await waiting.answer
        finally:
            waiting.timer.cancel()

    def _admit(self) -> None:
        if not self._busy:
            return
        wait = self._wait()
        if len(self._queue) < self._limits.queue and wait <= self._limits.queue_seconds:
            return
        self._tally.refused += 1
        told = f"model {self._tally.model}: {len(self._queue)} requests wait, for {wait:.3f} s"
        raise Overloaded(told, "try again after the seconds that Retry-After says", max(1.0, wait))

    def _wait(self) -> float:
        """Seconds that the next request would wait."""
        runs = 1 + (self._rows // self._limits.rows if self._stacks else len(self._queue))
        return runs * self.costs.typical

    @staticmethod
    def _late(waiting: _Waiting) -> None:
        if not waiting.answer.done():
            told = "request: its time was over before the model had computed it"
            waiting.answer.set_exception(Late(told, "try again, or allow it more time"))

    async def _work(self) -> None:
        """Run what waits until nothing does."""
        try:
            await self._gathered()
            while batch := self._next():
                await self._together(batch)
                await self._gathered()
        finally:
            self._busy = False

    async def _gathered(self) -> None:
        """Let in who is at the door already: turns of the loop, until one brings nothing more or a run is full."""
        before = -1
        while before < self._rows < self._limits.rows:
            before = self._rows
            await asyncio.sleep(0)

    def _next(self) -> list[_Waiting]:
        """Take the requests that are run next: the oldest, and those after it that stack with it."""
        batch: list[_Waiting] = []
        rows = 0
        while self._queue:
            first = self._queue[0]
            if first.answer.done():  # late, or its caller left
                self._drop()
                continue
            if batch and not self._fits(batch[0].work, first.work, rows):
                break
            rows += first.work.rows
            batch.append(self._drop())
            if first.work.key is None or not self._stacks:
                break
        return batch

    def _drop(self) -> _Waiting:
        self._rows -= self._queue[0].work.rows
        return self._queue.popleft()

    def _fits(self, first: Work, other: Work, rows: int) -> bool:
        return other.key == first.key and rows + other.rows <= self._limits.rows

    async def _together(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._tally.waited(now - each.since for each in batch)
        works = [each.work for each in batch]
        feed = works[0].feed if len(works) == 1 else stacked([each.feed for each in works])
        elements, rows = sum(each.elements for each in works), sum(each.rows for each in works)
        brake = Brake()
        timer = loop.call_later(self._limits.run_seconds, brake.pull)
        try:
            found, seconds = await loop.run_in_executor(self._pool, self._session.timed, works[0].names, feed, brake)
        except (NotComputed, Late) as failure:
            await self._failed(batch, failure)
            return
        finally:
            timer.cancel()
        self.costs.measured(elements, seconds)
        self._tally.ran(len(batch), rows, seconds)
        if len(batch) > 1 and any(len(each) != rows for each in found):
            await self._does_not_stack(batch)
            return
        self._tally.predicted(works[0].names, found)
        if len(batch) == 1:
            _give(batch[0], found)
        else:
            _share(batch, found)

    async def _failed(self, batch: Sequence[_Waiting], failure: NotComputed | Late) -> None:
        """Tell who is at fault: of several requests, each is run again alone."""
        if len(batch) == 1:
            if not batch[0].answer.done():
                batch[0].answer.set_exception(failure)
            return
        await self._alone(batch)

    async def _does_not_stack(self, batch: Sequence[_Waiting]) -> None:
        """Give up batching: the outputs have not a row for each row of the inputs, whatever the model declares."""
        self._stacks = False
        log.warning("model does not stack", extra={"model": self._tally.model, "version": self._tally.version})
        await self._alone(batch)

    async def _alone(self, batch: Sequence[_Waiting]) -> None:
        for each in batch:
            if not each.answer.done():
                await self._together([each])


def _give(waiting: _Waiting, found: list[Array]) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(found)


def _share(batch: Sequence[_Waiting], found: Sequence[Array]) -> None:
    place = 0
    for each in batch:
        _give(each, [output[place : place + each.work.rows] for output in found])
        place += each.work.rows

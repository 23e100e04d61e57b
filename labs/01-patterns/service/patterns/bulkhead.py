"""Bulkhead: calls to all dependencies share one pool of threads; a wall leaves one dependency only some of them.

Without a wall, calls to a dependency that hangs fill the pool, and whoever calls another one waits in line behind them.
With it, a call that finds its dependency's places taken is refused at once, and the rest of the pool stays free.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from runtime.errors import Temporary

T = TypeVar("T")


class Full(Temporary):
    """All places of the dependency are taken; nothing was asked."""


class Pool:
    """Threads that carry out the calls to dependencies.

    Args:
        threads: calls that run at once, in all; further ones wait in line.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, "call")

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Put a call in line, in the caller's context (its trace)."""
        return self._executor.submit(copy_context().run, call)

    def close(self) -> None:
        """Let what runs end by itself, and drop what waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Bulkhead:
    """One dependency's share of a pool; safe to use from several threads.

    Args:
        name: the dependency, for messages.
        pool: the threads that it shares with others.
        places: how many it may have at once; 0: there is no wall.
    """

    def __init__(self, name: str, pool: Pool, places: int = 0) -> None:
        self._name = name
        self._pool = pool
        self.places = places
        self._free = threading.BoundedSemaphore(places) if places else None

    def without_wall(self) -> "Bulkhead":
        """The same threads, all of them."""
        return Bulkhead(self._name, self._pool)

    def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, made in the pool.

        Raises:
            Full: all places are taken.
        """
        if self._free is None:
            return self._pool.submit(call).result()
        if not self._free.acquire(blocking=False):
            raise Full(f"all {self.places} threads for {self._name} are busy: not asked", "ask again later")
        try:
            future = self._pool.submit(call)
        except BaseException:
            self._free.release()
            raise
        # The place is free when the thread is, however long the caller stays.
        future.add_done_callback(lambda _: self._release())
        return future.result()

    def _release(self) -> None:
        if self._free:
            self._free.release()

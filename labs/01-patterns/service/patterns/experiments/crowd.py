"""Callers that act as real ones do: some ask again and again, others come at a steady pace whoever is still waiting."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from runtime.figures import timed
from runtime.process import Stop

T = TypeVar("T")


class Crowd(Generic[T]):
    """Callers who each ask, wait for the answer, pause, and ask again, until told to go home.

    Args:
        ask: one question.
        callers: how many there are.
        pause: seconds that each rests between two questions.
    """

    def __init__(self, ask: Callable[[], T], callers: int, pause: float) -> None:
        self._ask = ask
        self._pause = pause
        self._over = Stop()
        self._lock = threading.Lock()
        self._answers: list[tuple[float, float, T]] = []
        self._pool = ThreadPoolExecutor(callers, "caller")
        self._callers: list[Future[None]] = [self._pool.submit(self._go_on) for _ in range(callers)]

    def _go_on(self) -> None:
        while not self._over:
            begun = time.monotonic()
            took, answer = timed(self._ask)
            with self._lock:
                self._answers.append((begun, took, answer))
            self._over.wait(self._pause)

    def so_far(self) -> list[tuple[float, float, T]]:
        """Each answer there is: when it was asked (monotonic), the seconds that it took, and what it was."""
        with self._lock:
            return list(self._answers)

    def go_home(self) -> None:
        """Ask nothing more, and wait for the answers that are still due."""
        self._over.set()
        self._pool.shutdown()
        for caller in self._callers:
            caller.result()


def steadily(
    ask: Callable[[], T], per_second: float, seconds: float, stop: Stop, then: Callable[[], None] = lambda: None
) -> list[tuple[float, T]]:
    """Ask at a steady pace, each question in a thread of its own; seconds and answer of each, all awaited.

    The pace does not wait for answers: who asked before must not make the next one come later and look faster.

    Args:
        ask: one question.
        per_second: questions begun per second.
        seconds: for how long.
        stop: ends it early.
        then: called once all are asked, before the last answers are awaited.
    """
    count = max(int(per_second * seconds), 1)
    begun = time.monotonic()
    with ThreadPoolExecutor(count, "asker") as pool:
        asked: list[Future[tuple[float, T]]] = []
        for number in range(count):
            if stop.wait(max(begun + number / per_second - time.monotonic(), 0)):
                break
            asked.append(pool.submit(timed, ask))
        then()
        return [each.result() for each in asked]

"""Circuit breaker: whoever has failed several times in a row is left alone for a while, then tried with one call.

    closed      calls go through; `failures` in a row open it
    open        calls are refused at once; after `pause` seconds it is half-open
    half-open   one call at a time may try: if it goes well the breaker closes, if not it opens again

What comes late says nothing: the outcome of a call counts only in the state in which the call was admitted.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from runtime.errors import Temporary


class State(IntEnum):
    """What a breaker does with the next call; the number is the metric's value."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Open(Temporary):
    """The breaker refused the call; nothing was asked."""


class Breaker:
    """Guards the calls to one dependency; safe to use from several threads.

    Args:
        name: the dependency, for messages.
        failures: failures in a row that open it; 0: it never opens.
        pause: seconds that it stays open.
        blames: whether an exception is the dependency's failure; others (a caller's mistake) say nothing.
        changed: told each new state; must not call back.
        clock: seconds that never go back.
    """

    def __init__(  # noqa: PLR0913  each is one property of a breaker
        self,
        name: str,
        failures: int,
        pause: float,
        *,
        blames: Callable[[BaseException], bool] = lambda _: True,
        changed: Callable[[State], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._failures = failures
        self._pause = pause
        self._blames = blames
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._era = 0  # grows with each change of state
        self._row = 0  # failures in a row
        self._until = 0.0  # when an open breaker becomes half-open
        self._trying = False  # the one call of a half-open breaker is under way
        self.opened = 0
        """Times it has opened."""

    @property
    def state(self) -> State:
        """The present state; an open breaker whose pause is over is half-open for the next call."""
        with self._lock:
            over = self._state is State.OPEN and self._clock() >= self._until
            return State.HALF_OPEN if over else self._state

    @contextmanager
    def call(self) -> Iterator[None]:
        """Admit one call, and learn from how it ends.

        Raises:
            Open: it is not admitted.
        """
        era = self._admit()
        try:
            yield
        except BaseException as failure:
            self._end(era, well=None if not self._blames(failure) else False)
            raise
        self._end(era, well=True)

    def _admit(self) -> int:
        with self._lock:
            if self._state is State.OPEN and self._clock() >= self._until:
                self._enter(State.HALF_OPEN)
            if self._state is State.OPEN or (self._state is State.HALF_OPEN and self._trying):
                wait = max(self._until - self._clock(), 0.0)
                raise Open(f"{self._name} failed repeatedly: not asked", "wait until it is well again", delay=wait)
            self._trying = self._state is State.HALF_OPEN
            return self._era

    def _end(self, era: int, *, well: bool | None) -> None:
        with self._lock:
            if era != self._era:
                return
            self._trying = False
            if well:
                self._row = 0
                if self._state is State.HALF_OPEN:
                    self._enter(State.CLOSED)
            elif well is False:
                self._row += 1
                if self._state is State.HALF_OPEN or 0 < self._failures <= self._row:
                    self._until = self._clock() + self._pause
                    self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.opened += state is State.OPEN
        self._state = state
        self._era += 1
        self._row = 0
        self._trying = False
        self._changed(state)

"""A dependency of the gateway: an address behind breaker and bulkhead, each call's outcome as metric and span."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from patterns.breaker import Breaker, Open, State
from patterns.bulkhead import Bulkhead, Full, Pool
from runtime.errors import Temporary
from runtime.peer import Peer, Refused, TimedOut, Unreachable
from runtime.tracing import HEADER, Tracing, headers

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OUTCOMES: tuple[tuple[type[Temporary], str], ...] = (
    (Open, "open"),
    (Full, "full"),
    (TimedOut, "timeout"),
    (Unreachable, "unreachable"),
    (Refused, "refused"),
)
"""Exception -> the outcome that the metric calls it."""


class Meters:
    """The gateway's metrics about its dependencies."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "lab_gateway_calls",
            "Calls to dependencies, by what came of them.",
            ["dependency", "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "lab_gateway_call_seconds",
            "How long a caller waited for a dependency, its refusals included.",
            ["dependency"],
            registry=registry,
            buckets=_BUCKETS,
        )
        self.state = Gauge(
            "lab_gateway_breaker_state",
            "0 closed, 1 half-open, 2 open.",
            ["dependency"],
            registry=registry,
        )
        self.opened = Counter("lab_gateway_breaker_opened", "Times it opened.", ["dependency"], registry=registry)

    def changed(self, dependency: str, state: State) -> None:
        """Note a breaker's new state."""
        self.state.labels(dependency).set(state)
        if state is State.OPEN:
            self.opened.labels(dependency).inc()


class Dependency:
    """One dependency; safe to use from several threads.

    Args:
        name: what metrics and messages call it.
        peer: where it is.
        seconds: how long a call may take.
        breaker: refuses calls to it while it is ill.
        bulkhead: its share of the gateway's threads.
    """

    def __init__(  # noqa: PLR0913  the parts of a guarded call meet here
        self,
        name: str,
        peer: Peer,
        *,
        seconds: float,
        breaker: Breaker,
        bulkhead: Bulkhead,
        meters: Meters,
        tracing: Tracing,
    ) -> None:
        self.name = name
        self.peer = peer
        self.seconds = seconds
        self.breaker = breaker
        self.bulkhead = bulkhead
        self._meters = meters
        self._tracing = tracing

    def through(self, peer: Peer, *, breaker: Breaker | None = None, bulkhead: Bulkhead | None = None) -> "Dependency":
        """The same dependency by another address, or with another guard; all else is shared."""
        return Dependency(
            self.name,
            peer,
            seconds=self.seconds,
            breaker=breaker or self.breaker,
            bulkhead=bulkhead or self.bulkhead,
            meters=self._meters,
            tracing=self._tracing,
        )

    def ask(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """The JSON answer to a GET.

        Raises:
            Open: the breaker is open.
            Full: no thread is left for it.
            PeerFailure: it was asked and did not answer well in time.
        """
        with self._measured(), self.breaker.call():
            return self.bulkhead.run(lambda: self._call(path))

    def _call(self, path: str) -> Any:  # noqa: ANN401  any JSON
        parent = dict(headers(trace.get_current_span())).get(HEADER)
        with self._tracing.continued(f"ask {self.name}", parent, SpanKind.CLIENT, path=path):
            return self.peer.get(path, self.seconds)

    @contextmanager
    def _measured(self) -> Iterator[None]:
        begun, outcome = time.monotonic(), "ok"
        try:
            yield
        except Temporary as failure:
            outcome = outcome_of(failure)
            raise
        finally:
            self._meters.calls.labels(self.name, outcome).inc()
            self._meters.seconds.labels(self.name).observe(time.monotonic() - begun)


class Dependencies:
    """Makes the gateway's dependencies alike: one pool, one kind of breaker, one time limit."""

    def __init__(  # noqa: PLR0913  what all dependencies share
        self, *, pool: Pool, failures: int, pause: float, seconds: float, meters: Meters, tracing: Tracing
    ) -> None:
        self._pool = pool
        self._failures = failures
        self._pause = pause
        self._seconds = seconds
        self._meters = meters
        self._tracing = tracing

    def make(self, name: str, address: str, places: int = 0) -> Dependency:
        """The dependency at `address`, with a wall around `places` threads (0: none)."""
        self._meters.state.labels(name).set(State.CLOSED)
        return Dependency(
            name,
            Peer(address),
            seconds=self._seconds,
            breaker=self.breaker(name),
            bulkhead=Bulkhead(name, self._pool, places),
            meters=self._meters,
            tracing=self._tracing,
        )

    def breaker(self, name: str) -> Breaker:
        """A breaker as all dependencies have it."""
        meters = self._meters
        return Breaker(
            name, self._failures, self._pause, blames=blames, changed=lambda state: meters.changed(name, state)
        )


def blames(failure: BaseException) -> bool:
    """Whether the dependency is to blame: silence, no connection or an error of its own, not a caller's mistake."""
    if isinstance(failure, Refused):
        return failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(failure, TimedOut | Unreachable)


def outcome_of(failure: Temporary) -> str:
    """What came of a call that failed so: open, full, timeout, unreachable or refused."""
    return next((name for kind, name in _OUTCOMES if isinstance(failure, kind)), "error")

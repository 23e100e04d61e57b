"""Event-driven autoscaler: starts workers because something waits, and stops them when nothing has for a while.

The signal is `lag` (jobs in Kafka that nobody has done) or `cpu` (of the workers that run; without one there is none).
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import Gauge

from patterns.broker import Admin
from patterns.kube import ApiFailure, Replicas, Scale
from patterns.usage import Usage
from runtime.errors import Permanent
from runtime.role import Role
from runtime.settings import ServiceSettings, between, choice

log = logging.getLogger(__name__)

GROUP, TOPIC = "lab-01-worker", "lab-01.jobs"
_IDLE, _ACTIVE = 2.0, 0.25  # seconds between two looks
_REFRESH = 5.0  # seconds after which the replicas are read again though nothing is to be changed
_JOBS_PER_WORKER = 50  # jobs that one worker is trusted with before another is started
_CORES_PER_WORKER = 0.5  # CPU that one worker is to use on average


@dataclass(frozen=True, kw_only=True)
class ScalerSettings(ServiceSettings):
    """What the scaler can be told."""

    signal: str = choice("lag", "lag", "cpu")
    """What decides: jobs that wait, or the CPU of the workers that run."""

    min_replicas: int = between(0, 0, 10)
    """Workers at least."""

    max_replicas: int = between(1, 0, 10)
    """Workers at most."""

    cooldown_seconds: float = between(5, 0)
    """Seconds without need before a worker is stopped."""

    worker: str = "http://worker:8080"
    """Where the workers are; each address of the name is one of them."""

    api: str = "https://kubernetes.default.svc"
    """The Kubernetes API."""

    account: str = "/var/run/secrets/kubernetes.io/serviceaccount"
    """Folder of the pod's service account."""


class Scalable(Protocol):
    """Something whose replicas can be read and set."""

    def get(self) -> Replicas:
        """How many there are."""
        ...

    def set(self, replicas: int) -> Replicas:
        """Ask for so many."""
        ...


class Decision:
    """How many replicas there should be, from a need that comes and goes.

    Args:
        low: replicas at least.
        high: replicas at most.
        cooldown: seconds for which a smaller need must last.
        clock: seconds that never go back.
    """

    def __init__(self, low: int, high: int, cooldown: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._low, self._high = low, max(low, high)
        self._cooldown = cooldown
        self._clock = clock
        self._less_since: float | None = None

    def wanted(self, need: int, now: int) -> int:
        """Replicas to have when `need` would do and `now` are there: more at once, fewer after the cool-down."""
        target = min(max(need, self._low), self._high)
        if target >= now:
            self._less_since = None
            return target
        if self._less_since is None:
            self._less_since = self._clock()
        return target if self._clock() - self._less_since >= self._cooldown or now > self._high else now


class Scaler:
    """Looks at the signal and sets the replicas.

    Args:
        scale: the workers' Deployment.
        need: workers that the signal asks for.
        decision: what follows from it.
    """

    def __init__(
        self,
        scale: Scalable,
        need: Callable[[int], int],
        decision: Decision,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scale = scale
        self._need = need
        self._decision = decision
        self._clock = clock
        self._read = float("-inf")
        self.replicas = Replicas(0, 0)

    def look(self) -> bool:
        """Set the replicas once; whether there is work or a worker (look again soon).

        Raises:
            ApiFailure: the replicas can be neither read nor set.
        """
        if self._clock() - self._read >= _REFRESH:
            self._keep(self._scale.get())
        need = self._need(self.replicas.wanted)
        wanted = self._decision.wanted(need, self.replicas.wanted)
        if wanted != self.replicas.wanted:
            log.info("scaling", extra={"from": self.replicas.wanted, "to": wanted, "need": need})
            self._keep(self._scale.set(wanted))
        elif self.replicas.running != self.replicas.wanted:
            self._keep(self._scale.get())
        return need > 0 or self.replicas.running != self.replicas.wanted

    def _keep(self, replicas: Replicas) -> None:
        self.replicas = replicas
        self._read = self._clock()


class Broker(Protocol):
    """Somebody who knows what waits."""

    def lag(self, group: str, topic: str) -> int:
        """Records of `topic` that `group` has not committed."""
        ...


class Lag:
    """Jobs that wait, as a need for workers."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.jobs = 0

    def need(self, _now: int) -> int:
        """Workers that what waits would keep busy."""
        self.jobs = self._broker.lag(GROUP, TOPIC)
        return math.ceil(self.jobs / _JOBS_PER_WORKER)


class Cpu:
    """CPU of the workers that run, as a need for workers; the jobs that wait are counted for the metric alone."""

    def __init__(self, usage: Usage, lag: Lag) -> None:
        self._usage = usage
        self._lag = lag

    def need(self, now: int) -> int:
        """Workers that would share the present load; where none runs there is nothing to measure: none is asked for."""
        self._lag.need(now)
        cores = self._usage.cores()
        return 0 if cores is None else min(math.ceil(cores / _CORES_PER_WORKER), now + 1)


def main(env: Mapping[str, str]) -> None:
    """Run the scaler until it is asked to end."""
    with Role("lab-01-scaler", ScalerSettings, env) as role:
        settings = role.settings
        if settings.min_replicas > settings.max_replicas:
            raise Permanent("TARMAC_MIN_REPLICAS is above TARMAC_MAX_REPLICAS", "let the minimum be the smaller one")
        role.health.wait_for("kafka", "not connected to the broker yet")
        role.health.beat("scaler")
        scale = Scale(settings.api, Path(settings.account), "worker")
        web = role.serve(questions={"state": lambda _: (HTTPStatus.SERVICE_UNAVAILABLE, {"error": "not started yet"})})
        lag = Lag(Admin(settings.kafka, role.stop))
        need = lag.need if settings.signal == "lag" else Cpu(Usage(settings.worker), lag).need
        scaler = Scaler(scale, need, Decision(settings.min_replicas, settings.max_replicas, settings.cooldown_seconds))
        web.questions["state"] = lambda _: (HTTPStatus.OK, _state(settings, scaler, lag))
        _measure(role, scaler, lag)
        role.health.met("kafka")
        while not role.stop:
            role.health.beat("scaler")
            role.stop.wait(_ACTIVE if _looked(scaler) else _IDLE)


def _looked(scaler: Scaler) -> bool:
    try:
        return scaler.look()
    except ApiFailure as failure:
        log.warning(failure.what, extra={"remedy": failure.remedy})
        return False


def _measure(role: Role[ScalerSettings], scaler: Scaler, lag: Lag) -> None:
    replicas = Gauge("lab_scaler_replicas", "Workers that are asked for.", registry=role.registry)
    replicas.set_function(lambda: scaler.replicas.wanted)
    waiting = Gauge("lab_scaler_lag", "Jobs that nobody has done yet.", registry=role.registry)
    waiting.set_function(lambda: lag.jobs)


def _state(settings: ScalerSettings, scaler: Scaler, lag: Lag) -> dict[str, Any]:
    return {
        "replicas": scaler.replicas.wanted,
        "running": scaler.replicas.running,
        "lag": lag.jobs,
        "settings": {
            "signal": settings.signal,
            "min_replicas": settings.min_replicas,
            "max_replicas": settings.max_replicas,
            "cooldown_seconds": settings.cooldown_seconds,
        },
    }

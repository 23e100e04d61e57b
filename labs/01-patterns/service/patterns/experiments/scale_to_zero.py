"""Experiment `scale-to-zero`: jobs arrive where nobody may work; when the first and last are done, and who stays."""

import time
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from opentelemetry import trace

from patterns.experiments.stage import Stage
from patterns.jobs import MONTHS, TOPIC, Job
from patterns.usage import cpu_seconds
from runtime.figures import Result, rounded, row, wait_for
from runtime.peer import PeerFailure, peers
from runtime.tracing import headers

_JOBS = 60
_CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX")
_SECONDS = 2.0  # time limit of one look
_STEP = 0.2  # seconds between two looks
_REST = 15.0  # seconds within which the workers of earlier jobs should be gone
_START = 25.0  # seconds within which a job should be done
_HOPELESS = 8.0  # seconds after which nobody has even been asked for
_SLEEP = 6.0  # seconds beyond the cool-down within which the last worker should be gone


@dataclass
class Watch:
    """What was seen of the workers while the jobs of one run were done."""

    stage: Stage
    run: str
    queued: float = 0.0
    most: int = 0
    used: float = 0.0
    """CPU seconds of the workers that were seen last."""
    times: list[float] = field(default_factory=list)
    """When jobs were done, in seconds since the epoch."""
    state: dict[str, Any] = field(default_factory=dict)
    """The scaler's view."""

    def look(self) -> "Watch":
        """Look once more.

        Raises:
            PeerFailure: the scaler does not answer.
        """
        self.state = self.stage.scaler.get("/state", _SECONDS)
        self.most = max(self.most, self.state["running"])
        found: list[float] = []
        used = 0.0
        for peer in peers(self.stage.worker):
            with suppress(PeerFailure):  # it is being started or ended
                found += peer.get("/counts", _SECONDS)["runs"].get(self.run, [])
                used += cpu_seconds(peer)
        # A worker that was stopped takes its counts along: what was seen once stays seen.
        if len(found) >= len(self.times):
            self.times, self.used = sorted(found), max(used, self.used)
        return self


def scale_to_zero(stage: Stage) -> Result:
    """Queue jobs once the workers of earlier ones are gone, and watch until they are gone again.

    Raises:
        PeerFailure: the scaler does not answer.
        BrokerUnavailable: the jobs cannot be queued.
    """
    watch = Watch(stage, uuid.uuid4().hex[:12])
    settings = watch.look().state["settings"]
    wait_for(lambda: _at_rest(watch, settings["min_replicas"]), _REST + settings["cooldown_seconds"], stage.stop)
    watch.most, watch.used = 0, 0.0
    before, used = watch.look().state["running"], watch.used
    _queue(watch)
    wait_for(lambda: _finished(watch), _START, stage.stop, _STEP)
    drained = watch.times[-1] if len(watch.times) == _JOBS else None
    slept = wait_for(lambda: _asleep(watch), _SLEEP + settings["cooldown_seconds"], stage.stop, _STEP)
    after_last = slept - watch.times[-1] if slept and watch.times else None
    waits = [done - watch.queued for done in watch.times]
    return {
        "settings": settings,
        "replicas_before": before,
        "jobs": _JOBS,
        "done": len(watch.times),
        "cold_start_s": rounded(waits[0]) if waits else None,
        "drained_s": rounded(drained - watch.queued) if drained else None,
        "replicas_most": watch.most,
        "replicas_after": watch.state["running"],
        "slept_s": rounded(after_last),
        "figures": [
            row(
                "scale-to-zero",
                "punctuality",
                seconds=waits,
                throughput=_JOBS / (drained - watch.queued) if drained else None,
                cpu_per_1000=(watch.used - used) / _JOBS * 1000 if drained else None,
                recovery=waits[0] if waits else None,
            )
        ],
    }


def _at_rest(watch: Watch, low: int) -> bool | None:
    state = watch.look().state
    return True if state["lag"] == 0 and state["replicas"] == state["running"] == low else None


def _queue(watch: Watch) -> None:
    """Hand the jobs to Kafka; the clock starts before the first."""
    trail = headers(trace.get_current_span())
    encode = msgspec.json.encode
    with closing(watch.stage.sender()) as sender:
        watch.queued = time.time()
        for number in range(_JOBS):
            carrier, month = _CARRIERS[number % len(_CARRIERS)], MONTHS[number % len(MONTHS)]
            job = Job(id=f"{watch.run}-{number}", run=watch.run, carrier=carrier, month=month)
            sender.send(TOPIC, encode(job), key=job.id.encode(), headers=trail)
        sender.flush(10)


def _finished(watch: Watch) -> bool | None:
    watch.look()
    nobody = watch.state["replicas"] == watch.state["running"] == 0 and not watch.times
    hopeless = nobody and time.time() - watch.queued > _HOPELESS
    return True if len(watch.times) >= _JOBS or hopeless else None


def _asleep(watch: Watch) -> float | None:
    """When the last worker was seen to be gone."""
    return time.time() if watch.look().state["running"] == 0 else None

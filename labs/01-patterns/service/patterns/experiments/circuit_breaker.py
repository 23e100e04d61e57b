"""Experiment `circuit-breaker`: passengers go on asking while `delays` hangs, until it is well again.

`delays` is called by the address of its pods, so that a wrong selector of its Service does not pass for a fault,
and without its wall, so that the breaker alone is measured.
"""

import time

from patterns.breaker import State
from patterns.experiments.crowd import Crowd
from patterns.experiments.faults import calm, hanging, mend
from patterns.experiments.stage import ROUTE, Stage
from patterns.usecases import Json
from runtime.figures import Result, milliseconds, percentile, rounded, row, wait_for

_HANG = 6.0  # seconds
_CALLERS, _PAUSE = 3, 0.05  # passengers, and seconds that each rests between two questions
_OPEN = 3.0  # seconds beyond that within which the breaker should be seen open
_PATIENCE = 15.0  # seconds after the fault within which the breaker has to close

Answers = list[tuple[float, float, Json]]


def circuit_breaker(stage: Stage) -> Result:
    """Let `delays` hang for a while and watch what passengers get, and when all is well again.

    Raises:
        NotCalm: recommendations are not live to begin with.
        PeerFailure: the pods of `delays` cannot be reached.
    """
    delays = stage.cases.delays.through(stage.delays_direct, bulkhead=stage.cases.delays.bulkhead.without_wall())
    calm(stage, delays)
    opened = delays.breaker.opened
    with hanging(stage) as reached:
        crowd = Crowd(lambda: stage.cases.recommend(*ROUTE, delays), _CALLERS, _PAUSE)
        try:
            stage.stop.wait(_HANG)
            # Mended while it is open, where it is ever: a trial that happens to meet the mending would flatter it.
            wait_for(
                lambda: delays.breaker.state is State.OPEN or None, _OPEN if stage.failures else 0, stage.stop, 0.02
            )
            during, met = crowd.so_far(), reached()
            mend(stage)
            healed = time.monotonic()
            recovery = wait_for(lambda: _recovered(crowd.so_far(), healed), _PATIENCE, stage.stop)
        finally:
            mend(stage)
            crowd.go_home()
    opened = delays.breaker.opened - opened
    closed = opened > 0 and recovery is not None and delays.breaker.state is State.CLOSED
    return _result(stage, crowd.so_far(), during, recovery) | {
        "opened": opened,
        "reached": met,
        "closed_again": closed,
    }


def _recovered(answers: Answers, healed: float) -> float | None:
    """Seconds from the fault's end to the first live answer after it."""
    ends = [begun + took - healed for begun, took, answer in answers if answer["source"] == "live"]
    return min((end for end in ends if end >= 0), default=None)


def _result(stage: Stage, answers: Answers, during: Answers, recovery: float | None) -> Result:
    refused = [took for _, took, answer in answers if answer["outcome"] == "open"]
    # Who was still waiting when the fault ended has waited during it.
    waits = [took for _, took, _ in (*during, *(each for each in answers[len(during) :] if each[1] > _PAUSE))]
    return {
        "settings": {
            "failures": stage.failures,
            "pause_seconds": stage.pause_seconds,
            "timeout_seconds": stage.timeout_seconds,
        },
        "calls": len(answers),
        "rejected": len(refused),
        "open_p95_ms": milliseconds(percentile(refused, 0.95)),
        "fallback_answers": sum(answer["source"] == "fallback" for _, _, answer in answers),
        "recovery_s": rounded(recovery),
        "figures": [
            row(
                "circuit-breaker",
                "recommendation",
                seconds=waits,
                recovery=recovery,
            )
        ],
    }

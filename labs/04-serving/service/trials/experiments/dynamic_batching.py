"""Rows of several requests in one run: what a server carries and how long requests wait, under load and when idle."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime.figures import Result, percentile, rounded, row
from trials import graphs, local
from trials.asks import Answer, ask
from trials.caller import Caller
from trials.scrape import Page, mean, scraped
from trials.stage import Stage
from trials.traffic import MOST_RATE, Traffic, seconds

MODEL = "trial-batching"
RUN_SECONDS = 0.010
"""Of one row, on this machine: the model is made as deep as that takes."""
_PROBE, _WIDTH = 200, 32
_ROW = (1.0, 2.0, 3.0, 4.0)
_IDLE, _PAUSE = 25, 0.05
_OVER = 1.6
"""Load, in what the server could do one row after the other."""
_WARM, _SECONDS, _SLICES = 2.0, 12.0, 3


def dynamic_batching(stage: Stage) -> Result:
    """Ask one by one, then more often than single rows could be computed, and see what the server makes of it.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load the model.
        PeerFailure: the server does not answer.
    """
    server, question = stage.settings.server, ask(MODEL, [_ROW])
    with stage.registry() as registry, stage.trial(registry, MODEL, graphs.deep(layers(), _WIDTH)):
        stage.until_ready(server, MODEL)
        stage.until_calm(MODEL)
        first = scraped(server)
        idle = _idle(stage, Caller(server))
        second = scraped(server)
        run = mean(first, second, "serving_run_duration_seconds", model=MODEL) or RUN_SECONDS
        rate = min(_OVER / run, MOST_RATE)
        with Traffic(server, [question], rate) as traffic:
            stage.stop.wait(_WARM)
            begun = time.monotonic()
            stage.stop.wait(_SECONDS)
        answers = traffic.since(begun)
        third = scraped(server)
    return {
        "settings": stage.told(server, "batch_rows"),
        "idle": {
            "seconds_p50": rounded(percentile(seconds(idle), 0.5), 4),
            "run_seconds": rounded(run, 5),
            "waited_seconds": rounded(mean(first, second, "serving_queue_duration_seconds", model=MODEL) or 0.0, 5),
        },
        "load": loaded(answers, rate, 1 / run, batch(second, third)),
        "figures": [
            row("idle", "recommendation", seconds=seconds(idle)),
            row("loaded", "recommendation", seconds=seconds(answers), throughput=len(seconds(answers)) / _SECONDS),
        ],
    }  # fmt: skip


def layers() -> int:
    """How many layers take the time that a run of one row is to take."""
    probed = local.seconds(graphs.deep(_PROBE, _WIDTH), np.array([_ROW], np.float32))
    return round(_PROBE * RUN_SECONDS / probed)


def loaded(answers: Sequence[Answer], rate: float, alone: float, requests: float | None) -> dict[str, Any]:
    """What came of the load.

    Args:
        answers: to its requests.
        rate: requests a second that were sent.
        alone: requests a second that single rows would allow.
        requests: of a run, on the average.
    """
    good = seconds(answers)
    return {
        "offered_per_second": rounded(rate, 1),
        "alone_per_second": rounded(alone, 1),
        "requests": len(answers),
        "answered": len(good),
        "refused": sum(each.status == 429 for each in answers),  # noqa: PLR2004  HTTP's own
        "seconds_p50": rounded(percentile(good, 0.5), 4),
        "seconds_p99": rounded(_late(answers), 4),
        "requests_per_run": rounded(requests, 2),
    }


def _late(answers: Sequence[Answer]) -> float | None:
    """Seconds within which 99 of 100 good ones came, in the middle one of so many slices of the load.

    A queue that grows does so in every slice; a job that takes the cores for a moment, as the lake's does every ten
    minutes, spoils one.
    """
    ordered = sorted(answers, key=lambda each: each.due)
    size = -(-len(ordered) // _SLICES) or 1
    slices = [seconds(ordered[first : first + size]) for first in range(0, len(ordered), size)]
    return percentile([late for each in slices if (late := percentile(each, 0.99)) is not None], 0.5)


def batch(before: Page, after: Page) -> float | None:
    """Requests of a run, on the average between two looks."""
    return mean(before, after, "serving_batch_requests", model=MODEL)


def _idle(stage: Stage, caller: Caller) -> list[Answer]:
    answers = []
    with caller:
        for _ in range(_IDLE):
            answers.append(caller.ask(ask(MODEL, [_ROW])))
            stage.stop.wait(_PAUSE)
    return answers

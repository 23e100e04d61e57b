"""Rows of several requests in one run: what a server carries and how long requests wait, under load and when idle."""

import itertools
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

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
_OVER = 1.4
"""Load, in what the server could do one row after the other."""
_WARM, _SECONDS, _SLICES = 2.0, 12.0, 3
_TRIES = 3
_SLOWER, _LAG = 1.3, 0.1
"""From when on a machine had too much else to do: times that a single run took longer after the load than before it,
and seconds that requests were sent late."""


class Span(NamedTuple):
    """What the server counted of the model between two looks, on the average of its runs."""

    first: Page
    last: Page

    @property
    def run(self) -> float | None:
        """Seconds of a run."""
        return self._mean("serving_run_duration_seconds")

    @property
    def waited(self) -> float:
        """Seconds that a request waited for its run."""
        return self._mean("serving_queue_duration_seconds") or 0.0

    @property
    def together(self) -> float | None:
        """Requests of a run."""
        return self._mean("serving_batch_requests")

    def _mean(self, name: str) -> float | None:
        return mean(self.first, self.last, name, model=MODEL)


class _Turn(NamedTuple):
    """Single rows, then the load, then single rows again."""

    before: list[Answer]
    idle: Span
    load: Span
    after: Span
    rate: float
    answers: list[Answer]
    lag: float

    @property
    def slower(self) -> float:
        """Times that a run of one row took longer after the load than before it; 0 where one of them is not known."""
        return (self.after.run or 0.0) / (self.idle.run or RUN_SECONDS)

    @property
    def steady(self) -> bool:
        """Whether the machine was about as free under the load as when the load was chosen for it."""
        return self.slower <= _SLOWER and self.lag <= _LAG


def dynamic_batching(stage: Stage) -> Result:
    """Ask one by one, then more often than single rows could be computed, and see what the server makes of it.

    Where the machine was busy with something else meanwhile, that says nothing of batching, and it is done again.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load the model.
        PeerFailure: the server does not answer.
    """
    server = stage.settings.server
    with stage.registry() as registry, stage.trial(registry, MODEL, graphs.deep(layers(), _WIDTH)):
        stage.until_ready(server, MODEL)
        stage.until_calm(MODEL)
        turns = [_turn(stage, server)]
        while not turns[-1].steady and len(turns) < _TRIES and not stage.stop:
            turns.append(_turn(stage, server))
    turn = turns[-1]
    good = seconds(turn.answers)
    return {
        "settings": stage.told(server, "batch_rows"),
        "idle": {
            "seconds_p50": rounded(percentile(seconds(turn.before), 0.5), 4),
            "run_seconds": rounded(turn.idle.run or RUN_SECONDS, 5),
            "waited_seconds": rounded(turn.idle.waited, 5),
        },
        "load": loaded(turn.answers, turn.rate, turn.rate / _OVER, turn.load.together),
        "machine": {
            "tries": len(turns), "steady": turn.steady, "run_slower_after": rounded(turn.slower, 2),
            "sent_late_seconds": rounded(turn.lag, 4),
        },
        "figures": [
            row("idle", "recommendation", seconds=seconds(turn.before)),
            row("loaded", "recommendation", seconds=good, throughput=len(good) / _SECONDS),
        ],
    }  # fmt: skip


def _turn(stage: Stage, server: str) -> _Turn:
    pages, caller = [scraped(server)], Caller(server)
    with caller:
        before = _idle(stage, caller)
        pages.append(scraped(server))
        rate = min(_OVER / (Span(*pages).run or RUN_SECONDS), MOST_RATE)
        with Traffic(server, [ask(MODEL, [_ROW])], rate) as traffic:
            stage.stop.wait(_WARM)
            begun = time.monotonic()
            stage.stop.wait(_SECONDS)
        pages.append(scraped(server))
        _idle(stage, caller)
        pages.append(scraped(server))
    idle, load, after = (Span(*two) for two in itertools.pairwise(pages))
    return _Turn(before, idle, load, after, rate, traffic.since(begun), traffic.lag_since(begun))


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
    ordered = sorted(answers, key=lambda each: each.sent)
    size = -(-len(ordered) // _SLICES) or 1
    slices = [seconds(ordered[first : first + size]) for first in range(0, len(ordered), size)]
    return percentile([late for each in slices if (late := percentile(each, 0.99)) is not None], 0.5)


def _idle(stage: Stage, caller: Caller) -> list[Answer]:
    answers = []
    for _ in range(_IDLE):
        answers.append(caller.ask(ask(MODEL, [_ROW])))
        stage.stop.wait(_PAUSE)
    return answers

"""Who still gets a bad version after the alias has moved back: callers of a version number, or callers of an alias."""

import time
from collections.abc import Sequence
from typing import Any

from contracts.models import CHAMPION
from runtime.figures import Result, rounded, row
from trials import graphs
from trials.asks import Answer, ask
from trials.settings import ALIAS, VERSION
from trials.stage import Stage
from trials.traffic import Traffic, seconds

MODEL = "trial-aliases"
ROW = (1.0, 2.0, 3.0, 4.0)
RIGHT = sum(ROW)
_WRONG = 90.0
"""Minutes by which the bad version is wrong."""
_RATE = 40.0
_BEFORE, _BACK, _PATIENCE = 3.0, 20.0, 30.0
"""Seconds: with the bad version as champion, at most until it is not, and at most for what comes after that."""
_AFTER = 60
"""Answers to each kind of caller after the server has followed the alias."""


def model_aliases(stage: Stage) -> Result:
    """Make a bad version champion, move the alias back, and see what each kind of caller gets all the while.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not follow the alias.
    """
    server = stage.settings.server
    asks = [ask(MODEL, [ROW], "2", VERSION), ask(MODEL, [ROW], "", ALIAS)]
    with (
        stage.registry() as registry,
        stage.trial(registry, MODEL, graphs.adding(), graphs.adding(_WRONG), champion="2"),
    ):
        stage.until_ready(server, MODEL, "2")
        stage.until_ready(server, MODEL, CHAMPION)
        with Traffic(server, asks, _RATE) as traffic:
            stage.stop.wait(_BEFORE)
            moved = time.monotonic()
            registry.point(MODEL, CHAMPION, "1")
            stage.until(lambda: _followed(traffic, moved), f"version 1 as {CHAMPION} of {MODEL}", _BACK)
            settled = time.monotonic()
            stage.until(lambda: _enough(traffic, settled), "further answers", _PATIENCE)
    callers = {tag: told(traffic.since(0, tag), moved, settled) for tag in (VERSION, ALIAS)}
    return {
        "settings": {"reference": stage.settings.reference},
        "callers": callers,
        "figures": [
            row(
                f"by {tag}", "recommendation", seconds=seconds(traffic.since(0, tag)),
                recovery=callers[tag]["seconds_to_good"],
            )
            for tag in callers
        ],
    }  # fmt: skip


def told(answers: Sequence[Answer], moved: float, settled: float) -> dict[str, Any]:
    """What one kind of caller got.

    Args:
        answers: to its requests.
        moved: when the alias was moved back.
        settled: when the server had followed it.
    """
    bad = [each for each in answers if is_bad(each)]
    still = [each for each in bad if each.sent >= settled]
    last = max((each.ended for each in bad), default=moved)
    return {
        "answers": len(answers),
        "failed": sum(not each.good for each in answers),
        "bad_before": sum(each.sent < moved for each in bad),
        "bad_after": len(still),
        "answers_after": sum(each.sent >= settled for each in answers),
        "seconds_to_good": None if still else rounded(max(last - moved, 0)),
    }


def is_bad(answer: Answer) -> bool:
    """Whether an answer holds a wrong prediction."""
    return answer.good and any(abs(value - RIGHT) > 1 for value in answer.values)


def _followed(traffic: Traffic, moved: float) -> bool | None:
    """Whether callers of the alias get the good version by now."""
    found = traffic.since(moved, ALIAS)
    return True if any(each.good and not is_bad(each) for each in found) else None


def _enough(traffic: Traffic, settled: float) -> bool | None:
    """Whether there are enough answers to both kinds of callers."""
    return True if all(len(traffic.since(settled, tag)) >= _AFTER for tag in (VERSION, ALIAS)) else None

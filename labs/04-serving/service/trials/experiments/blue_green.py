"""A new version has all requests and is bad: how long each way back takes, and what is lost on it."""

import time
from collections.abc import Sequence
from typing import Any

from contracts.models import CHALLENGER
from runtime.figures import Result, rounded, row
from trials import graphs
from trials.asks import Answer, ask
from trials.registry import Registry
from trials.releasing import MODEL, OFF, Releases, plan, trial
from trials.settings import DEPLOY, ROUTE
from trials.stage import Stage
from trials.traffic import Traffic, seconds

_ROW = (1.0, 2.0, 3.0, 4.0)
_WRONG = 90.0
BAD, AGAIN = "2", "3"
"""Versions: the bad one, and the old one as it is deployed again."""
_SECONDS = 40.0
"""That the version in use is recorded, and that the switch is watched: the time for both ways back."""
_RATE, _SEEN, _WARM, _PATIENCE = 30.0, 15, 6.0, 20.0


def blue_green(stage: Stage) -> Result:
    """Switch to a bad version and go back twice: by deploying the old one anew, and by the route.

    Raises:
        PeerFailure: the controller does not answer, or has another release under way.
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the switch, or a way back, does not come about.
    """
    models = graphs.adding(), graphs.adding(_WRONG), graphs.adding(0.001)
    question = ask(MODEL, [_ROW])
    with stage.registry() as registry, trial(stage, registry, *models) as releases:
        releases.prepared(BAD)
        with Traffic(stage.settings.gateway, [question], _RATE):
            stage.stop.wait(_WARM)  # Prometheus has to have seen the version in use
            releases.begin(plan("blue-green", BAD, OFF, seconds=_SECONDS))
            releases.at("watch", _SECONDS + _PATIENCE)
        try:
            with Traffic(stage.settings.gateway, [question], _RATE) as traffic:
                ways = _ways(stage, registry, releases, traffic)
        finally:
            releases.abort()
    return {
        "settings": {"way_back": stage.settings.way_back},
        "ways": {name: told(each, *span) for name, (each, span) in ways.items()},
        "figures": [
            row(name, "recommendation", seconds=seconds(each), recovery=told(each, *span)["seconds"])
            for name, (each, span) in ways.items()
        ],
    }


Span = tuple[float, float]
"""When a way back was begun, and when it was looked at last."""


def _ways(
    stage: Stage, registry: Registry, releases: Releases, traffic: Traffic
) -> dict[str, tuple[Sequence[Answer], Span]]:
    """Answers from the beginning of each way back, and its span."""
    found: dict[str, tuple[Sequence[Answer], Span]] = {}
    _until_bad(stage, traffic)
    begun = time.monotonic()
    registry.point(MODEL, CHALLENGER, AGAIN)
    _until_good(stage, traffic, begun)
    found[DEPLOY] = traffic.since(begun - 1), (begun, time.monotonic())
    registry.point(MODEL, CHALLENGER, BAD)
    _until_bad(stage, traffic)
    begun = time.monotonic()
    releases.abort()
    _until_good(stage, traffic, begun)
    found[ROUTE] = traffic.since(begun - 1), (begun, time.monotonic())
    return found


def told(answers: Sequence[Answer], begun: float, ended: float) -> dict[str, Any]:
    """What a way back came to.

    Args:
        answers: from a second before it.
        begun: when it was.
        ended: when all was well for some answers.
    """
    span = [each for each in answers if each.sent <= ended]
    bad = [each for each in span if is_bad(each)]
    after = [each.ended for each in bad if each.ended > begun]
    return {
        "bad_before": sum(each.sent < begun for each in bad),
        "bad_after": sum(each.sent >= begun for each in bad),
        "failed": sum(not each.good for each in span),
        "answers": len(span),
        "seconds": rounded(max(after, default=begun) - begun, 2),
    }


def is_bad(answer: Answer) -> bool:
    """Whether an answer holds the bad version's prediction."""
    return answer.good and answer.values[0] > sum(_ROW) + 1


def _until_bad(stage: Stage, traffic: Traffic) -> None:
    begun = time.monotonic()

    def bad() -> bool | None:
        last = traffic.since(begun)[-_SEEN:]
        return True if len(last) == _SEEN and all(is_bad(each) for each in last) else None

    stage.until(bad, "the bad version in all answers", _PATIENCE)


def _until_good(stage: Stage, traffic: Traffic, begun: float) -> None:
    def good() -> bool | None:
        last = traffic.since(begun)[-_SEEN:]
        return True if len(last) == _SEEN and not any(is_bad(each) for each in last) else None

    stage.until(good, "the old version in all answers", _PATIENCE)

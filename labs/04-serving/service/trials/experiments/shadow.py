"""A wrong version meets real requests: as a canary, whose answers are used, and as a shadow, whose answers are not."""

import math
import time
from typing import Any

from runtime.figures import Result, percentile, rounded, row
from trials import graphs
from trials.experiments.canary_steps import questions
from trials.releasing import MODEL, Releases, judged_by, plan, reasons, trial
from trials.scrape import scraped
from trials.settings import CANARY, SHADOW
from trials.stage import Stage
from trials.traffic import Traffic, seconds

_WRONG, _VERSION = 60.0, "2"
_RATE, _WARM, _PATIENCE, _SECONDS = 40.0, 6.0, 50.0, 10.0


def shadow(stage: Stage) -> Result:
    """Release the wrong version both ways, judged by its outputs alone, and see what callers got meanwhile.

    Raises:
        PeerFailure: the controller does not answer, or has another release under way.
        RegistryFailure: MLflow does not answer as it should.
        NotThere: a server does not load a version, or a release does not end.
    """
    criteria = judged_by(["outputs"])
    plans = {
        CANARY: plan("canary", _VERSION, criteria, steps=[{"weight": 50, "seconds": _SECONDS}]),
        SHADOW: plan("shadow", _VERSION, criteria, seconds=_SECONDS),
    }
    with stage.registry() as registry, trial(stage, registry, graphs.adding(), graphs.adding(_WRONG)) as releases:
        ways = {name: _rehearsed(stage, releases, each) for name, each in plans.items()}
    return {
        "settings": {"rehearsal": stage.settings.rehearsal},
        "ways": {name: {key: each[key] for key in each if key != "seconds_each"} for name, each in ways.items()},
        "figures": [
            row(name, "recommendation", seconds=each["seconds_each"], recovery=each["seconds"])
            for name, each in ways.items()
        ],
    }


def _rehearsed(stage: Stage, releases: Releases, told: dict[str, Any]) -> dict[str, Any]:
    releases.prepared(_VERSION)
    before = _requests(stage)
    with Traffic(stage.settings.gateway, questions(), _RATE) as traffic:
        stage.stop.wait(_WARM)
        usual = seconds(traffic.since(0))
        begun = time.monotonic()
        releases.begin(told)
        try:
            status = releases.over(_PATIENCE)
        finally:
            releases.abort()
        ended = time.monotonic()
    answers = traffic.since(begun)
    wrong = [each for each in answers if each.good and not math.isclose(each.values[0], float(each.tag), abs_tol=0.5)]
    outputs = [each["figures"] for each in status["findings"] if each["criterion"] == "outputs"]
    return {
        "phase": status["phase"],
        "why": reasons(status),
        "seconds": rounded(ended - begun, 1),
        "requests": len(answers),
        "failed": sum(not each.good for each in answers),
        "hurt": len(wrong),
        "seen_by_new": _requests(stage) - before,
        "index": rounded(outputs[0].get("index")) if outputs else None,
        "seconds_p95": rounded(percentile(seconds(answers), 0.95), 4),
        "seconds_p95_before": rounded(percentile(usual, 0.95), 4),
        "seconds_each": seconds(answers),
    }


def _requests(stage: Stage) -> int:
    """Requests that the new version was given so far, copies among them."""
    return round(scraped(stage.settings.canary).total("serving_requests_total", model=MODEL, version=_VERSION))

"""Three bad versions and a good one, released by a plan: which of them are let through, and who is hurt before."""

import math
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from runtime.errors import BadSetting
from runtime.figures import Result, rounded, row
from runtime.seeds import order
from trials import graphs, local
from trials.asks import Answer, Ask, ask
from trials.releasing import MODEL, Releases, judged_by, plan, reasons, trial
from trials.stage import Stage
from trials.traffic import Traffic, seconds

EXERCISE = "canary-steps"
KINDS = ("failing", "slow", "wrong", "good")
"""What is the matter with each candidate; they are versions 2 to 5, version 1 is in use."""
CRITERIA = ("errors", "latency", "outputs")
_FAILS_ABOVE, _WRONG = 7.0, 60.0
_SLOW_RUN, _PROBE, _WIDTH = 0.025, 20, 512
"""Seconds of a run of the slow version; wide layers, as a graph of ten thousands would take the server's memory."""
_SLOW = 0.012
"""Seconds of an answer beyond those of the version in use, from which on somebody was kept waiting."""
_RATE, _WARM, _PATIENCE = 50.0, 6.0, 52.0
_STEP = 5.0
"""Seconds that a step lasts at least."""
_ROWS = 400


def canary_steps(stage: Stage) -> Result:
    """Release each candidate by the trainee's plan under the same traffic through the gateway.

    Raises:
        BadSetting: the steps or the criteria cannot be read.
        PeerFailure: the controller does not answer, refuses the plan, or has another release under way.
        RegistryFailure: MLflow does not answer as it should.
        NotThere: a server does not load a version, or a release does not end.
    """
    steps, criteria = weights(stage.settings.canary_steps), chosen(stage.settings.criteria)
    names = named(stage.settings.seed)
    models = [graphs.adding(), *(_model(kind) for kind in names.values())]
    with stage.registry() as registry, trial(stage, registry, *models) as releases:
        told = {
            name: _released(stage, releases, str(version), steps, criteria) for version, name in enumerate(names, 2)
        }
    return {
        "settings": {
            "canary_steps": stage.settings.canary_steps,
            "criteria": stage.settings.criteria,
            "seed": stage.settings.seed,
        },
        "candidates": {name: {key: each[key] for key in each if key != "seconds_each"} for name, each in told.items()},
        "figures": [
            row(f"{name}: {each['phase']}", "recommendation", seconds=each["seconds_each"], recovery=each["seconds"])
            for name, each in told.items()
        ],
    }


def named(seed: str) -> dict[str, str]:
    """The candidates in the order of their versions: name -> what is the matter with it.

    Args:
        seed: the trainee's, by which the names tell nothing; empty: each is called what it is.
    """
    if not seed:
        return {kind: kind for kind in KINDS}
    return {f"v{version}": kind for version, kind in enumerate(order(seed, EXERCISE, KINDS), 2)}


def _model(kind: str) -> bytes:
    """model.onnx of a candidate."""
    if kind == "slow":
        return graphs.deep(_layers(), _WIDTH)
    return {"failing": graphs.failing(_FAILS_ABOVE), "wrong": graphs.adding(_WRONG), "good": graphs.deep(2, 32)}[kind]


def _layers() -> int:
    """How many layers take the time that a run of the slow version is to take."""
    question = np.array([_row(Random(0))], np.float32)  # noqa: S311  any row will do
    probed = local.seconds(graphs.deep(_PROBE, _WIDTH), question)
    return round(_PROBE * _SLOW_RUN / probed)


def weights(text: str) -> list[int]:
    """The weights that a list names.

    Raises:
        BadSetting: they are none.
    """
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        told = f"environment variable TARMAC_CANARY_STEPS={text!r} cannot be read"
        raise BadSetting(told, "give it whole numbers, per cent, separated by commas") from None


def chosen(text: str) -> list[str]:
    """The criteria that a list names.

    Raises:
        BadSetting: it names one that there is not.
    """
    names = [name for each in text.split(",") if (name := each.strip())]
    unknown = [name for name in names if name not in CRITERIA]
    if unknown:
        told = f"environment variable TARMAC_CRITERIA={text!r} names {', '.join(unknown)}"
        raise BadSetting(told, f"give it some of {', '.join(CRITERIA)}, separated by commas")
    return names


def questions() -> list[Ask]:
    """The same requests at every run: of each the right answer is the sum, from -20 to 60 minutes."""
    draw = Random(13)  # noqa: S311  the same rows at every run
    return [ask(MODEL, [each], tag=str(sum(each))) for each in (_row(draw) for _ in range(_ROWS))]


def _row(draw: Random) -> list[float]:
    """The first value decides whether the failing version fails, one time in five."""
    first = draw.uniform(0, 10)
    return [round(first, 3), round(draw.gauss(15, 12) - first, 3), round(draw.gauss(0, 5), 3), 0.0]


def _released(
    stage: Stage, releases: Releases, version: str, steps: Sequence[int], criteria: Sequence[str]
) -> dict[str, Any]:
    releases.prepared(version)
    with Traffic(stage.settings.gateway, questions(), _RATE) as traffic:
        stage.stop.wait(_WARM)  # Prometheus has to have seen the version in use
        usual = traffic.since(0)
        begun = time.monotonic()
        told = plan(
            "canary", version, judged_by(criteria), steps=[{"weight": each, "seconds": _STEP} for each in steps]
        )
        releases.begin(told)
        try:
            status = releases.over(_PATIENCE)
        except BaseException:
            releases.abort()
            raise
        ended = time.monotonic()
    answers = traffic.since(begun)
    return {
        "phase": status["phase"],
        "seconds": rounded(ended - begun, 1),
        "requests": len(answers),
        "canary_requests": sum(each.version == version for each in answers),
        "hurt": hurt(answers, usual),
        "why": reasons(status),
        "seconds_each": seconds(answers),
    }


def hurt(answers: Sequence[Answer], usual: Sequence[Answer]) -> int:
    """How many answers were none, wrong, or slow: the new version's, or those of requests that failed.

    Args:
        answers: during the release; each tag is the right answer.
        usual: before it.
    """
    quick = sorted(seconds(usual)) or [0.0]
    bound = quick[math.ceil(0.9 * len(quick)) - 1] + _SLOW
    return sum(
        not each.good
        or not math.isclose(each.values[0], float(each.tag), abs_tol=0.5)
        or (each.version != "1" and each.seconds > bound)
        for each in answers
    )

"""A small model first, a big one where it matters: how many rows the big one gets, and what the error is then."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime.figures import Result, rounded, row
from trials.asks import binary
from trials.caller import Caller
from trials.held_out import Vector, flights, registered, rmse
from trials.local import Local, Matrix
from trials.stage import NotThere, Stage

SMALL, BIG = "delay-linear", "delay-boosting"
BOUNDS = (-1000.0, -15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 1000.0)
"""Minutes that are tried besides the one that was chosen."""
_MOST, _BATCH = 8_000, 500


def cascade(stage: Stage) -> Result:
    """Let the server answer flights by both models, and see what each bound makes of the two answers.

    Raises:
        NotRegistered: the training has not registered one of the models.
        NotThere: the server does not load one of them, or does not answer.
    """
    server, minutes = stage.settings.server, stage.settings.cascade_minutes
    with stage.registry() as registry:
        small, big = registered(registry, SMALL), registered(registry, BIG)
        rows = flights(registry, small, _MOST)
    answers = {}
    for each in (small, big):
        stage.until_ready(server, each.name, each.version)
        answers[each.name] = asked(server, each.name, rows.features)
    first, then = answers[SMALL], answers[BIG]
    cost = {each.name: Local(each.content).seconds(rows.features[:1]) for each in (small, big)}
    return {
        "settings": {"cascade_minutes": minutes},
        "rows": len(rows.label),
        "rmse": {SMALL: rounded(rmse(first, rows.label)), BIG: rounded(rmse(then, rows.label))},
        "milliseconds": {name: rounded(1000 * each, 4) for name, each in cost.items()},
        "chosen": outcome(first, then, rows.label, minutes),
        "bounds": [outcome(first, then, rows.label, each) for each in BOUNDS],
        "figures": [row(name, "recommendation", seconds=[each]) for name, each in cost.items()],
    }


def asked(address: str, model: str, rows: Matrix) -> Vector:
    """What a server predicts for rows.

    Raises:
        NotThere: it does not.
    """
    parts: list[Sequence[float]] = []
    with Caller(address) as caller:
        for begin in range(0, len(rows), _BATCH):
            answer = caller.ask(binary(model, rows[begin : begin + _BATCH]))
            if not answer.good:
                raise NotThere(f"model {model} at {address} answered {answer.status}", "see the server's log")
            parts.append(answer.values)
    return np.concatenate([np.array(each) for each in parts])


def outcome(first: Vector, then: Vector, label: Vector, minutes: float) -> dict[str, Any]:
    """What a bound makes of the answers of both models.

    `gain` is the part of the way from the small model's squared error to the big one's. Rows that are drawn by chance
    gain as much as their share, on the average: a bound is worth what it gains beyond that.

    Args:
        first: predictions of the small model.
        then: predictions of the big one.
        label: what came.
        minutes: from which on the big one answers.
    """
    passed = ~(first < minutes)
    predicted = np.where(passed, then, first)
    squared = [float(np.mean((each - label) ** 2)) for each in (first, then, predicted)]
    way = squared[0] - squared[1]
    return {
        "minutes": minutes,
        "share": rounded(float(passed.mean())),
        "rmse": rounded(rmse(predicted, label)),
        "gain": rounded((squared[0] - squared[2]) / way) if way else None,
    }

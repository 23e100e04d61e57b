"""Variants of the network: what each saves in bytes and time, and what it costs in accuracy."""

import zlib
from typing import Any

import numpy as np

from runtime.errors import BadSetting
from runtime.figures import Result, rounded, row
from trials.asks import binary
from trials.caller import Caller
from trials.held_out import Flights, Registered, flights, registered, rmse
from trials.local import Local
from trials.stage import Stage

VARIANTS = ("delay-network", "delay-network-int8", "delay-network-pruned")
_MANY = 256
"""Rows of a larger request."""
_CALLS = 300


def quantised_model(stage: Stage) -> Result:
    """Judge each variant by the same flights, and ask the server for the one that was chosen.

    Raises:
        BadSetting: there is no such variant.
        NotRegistered: the training has not registered one of them.
        NotThere: the server does not load the chosen one.
    """
    chosen = stage.settings.variant
    if chosen not in VARIANTS:
        told = f"environment variable TARMAC_VARIANT={chosen!r} is none of the variants"
        raise BadSetting(told, f"give it one of {', '.join(VARIANTS)}")
    with stage.registry() as registry:
        found = [registered(registry, name) for name in VARIANTS]
        rows = flights(registry, found[0])
    judged = {each.name: judge(each, rows) for each in found}
    return {
        "settings": {"variant": chosen},
        "rows": len(rows.label),
        "baseline_rmse": rounded(rmse(np.full_like(rows.label, rows.label.mean()), rows.label)),
        "variants": judged,
        "served": _served(stage, next(each for each in found if each.name == chosen), rows),
        "figures": [
            row(name, "recommendation", seconds=[each["milliseconds"] / 1000],
                throughput=_MANY / each["milliseconds_many"] * 1000)
            for name, each in judged.items()
        ],
    }  # fmt: skip


def judge(model: Registered, rows: Flights) -> dict[str, Any]:
    """A variant's size, speed and accuracy, here and on one thread."""
    local = Local(model.content)
    return {
        "version": model.version,
        "bytes": len(model.content),
        "bytes_packed": len(zlib.compress(model.content, 9)),
        "milliseconds": rounded(1000 * local.seconds(rows.features[:1], _CALLS), 4),
        "milliseconds_many": rounded(1000 * local.seconds(rows.features[:_MANY], _CALLS), 4),
        "rmse": rounded(rmse(local(rows.features), rows.label)),
    }


def _served(stage: Stage, model: Registered, rows: Flights) -> dict[str, Any]:
    """What the server says of some flights, beside what the variant says here."""
    stage.until_ready(stage.settings.server, model.name, model.version)
    some = rows.features[:_MANY]
    with Caller(stage.settings.server) as caller:
        answer = caller.ask(binary(model.name, some))
    there, here = np.array(answer.values), Local(model.content)(some)
    return {
        "version": answer.version,
        "same": answer.good and len(there) == len(here) and bool(np.allclose(there, here, atol=0.01)),
    }

"""What a request costs besides the prediction: connecting each time or once, and large inputs as text or as bytes."""

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from runtime.figures import Result, percentile, rounded, row
from trials import graphs
from trials.asks import Ask, ask, binary
from trials.settings import BINARY, EACH, JSON, KEPT
from trials.stage import Stage

SMALL, LARGE = "trial-small", "trial-large"
_COLUMNS, _ROWS = 1024, 32
"""128 KB of float32."""
_WARM, _MANY, _FEW = 10, 200, 40
_SECONDS = 10


class Round(NamedTuple):
    """What some requests came to.

    Attributes:
        seconds: of each.
        opened: connections.
        values: that the last one predicted.
        failed: requests without a prediction.
    """

    seconds: list[float]
    opened: int
    values: list[float]
    failed: int


def connection_reuse(stage: Stage) -> Result:
    """Ask with a connection for each request and with one for all, and send large inputs as JSON and in binary.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load the models.
    """
    server = stage.settings.server
    rows = np.random.default_rng(0).normal(0, 30, (_ROWS, _COLUMNS)).astype(np.float32)
    large = {JSON: ask(LARGE, rows.tolist()), BINARY: binary(LARGE, rows)}
    with (
        stage.registry() as registry,
        stage.trial(registry, SMALL, graphs.adding()),
        stage.trial(registry, LARGE, graphs.adding(columns=_COLUMNS)),
    ):
        stage.until_ready(server, SMALL)
        stage.until_ready(server, LARGE)
        stage.until_calm(SMALL, LARGE)
        small = ask(SMALL, [[1, 2, 3, 4]])
        asked(server, small, _WARM, kept=True)
        connections = {name: asked(server, small, _MANY, kept=name == KEPT) for name in (EACH, KEPT)}
        tensors = {name: asked(server, each, _FEW, kept=True) for name, each in large.items()}
    return {
        "settings": {"connections": stage.settings.connections, "tensors": stage.settings.tensors},
        "connections": {name: told(each) for name, each in connections.items()},
        "tensors": {name: {**told(each), "bytes": len(large[name].body)} for name, each in tensors.items()},
        "same": alike([each.values for each in tensors.values()]),
        "figures": [
            *(row(f"connection: {name}", "recommendation", seconds=each.seconds) for name, each in connections.items()),
            *(row(f"128 KB as {name}", "punctuality", seconds=each.seconds) for name, each in tensors.items()),
        ],
    }


def asked(address: str, question: Ask, count: int, *, kept: bool) -> Round:
    """Ask several times, one after the other.

    Args:
        address: of the server.
        question: each time the same.
        count: how often.
        kept: whether all go over one connection.
    """
    parts = urlsplit(address)
    connection: http.client.HTTPConnection | None = None
    made = Round([], 0, [], 0)
    opened = failed = 0
    values: list[float] = []
    for _ in range(count):
        begun = time.perf_counter()
        try:
            if connection is None:
                connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)
                opened += 1
            connection.request("POST", question.path, question.body, dict(question.headers))
            values = list(json.loads(connection.getresponse().read())["outputs"][0]["data"])
            made.seconds.append(time.perf_counter() - begun)
            broken = False
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            failed, broken = failed + 1, True
        if connection and (broken or not kept):
            connection.close()
            connection = None
    if connection:
        connection.close()
    return made._replace(opened=opened, values=values, failed=failed)


def told(made: Round) -> dict[str, Any]:
    """A round's figures."""
    return {
        "requests": len(made.seconds) + made.failed,
        "failed": made.failed,
        "opened": made.opened,
        "seconds_p50": rounded(percentile(made.seconds, 0.5), 5),
        "seconds_p99": rounded(percentile(made.seconds, 0.99), 5),
    }


def alike(predictions: Sequence[Sequence[float]]) -> bool:
    """Whether all predicted the same."""
    first, *others = (np.array(each, np.float32) for each in predictions)
    return bool(len(first)) and all(np.array_equal(first, each) for each in others)

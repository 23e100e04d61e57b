"""A server that lives through everything that a module of tests sends to it, and the way to see that it has."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from integration.serving.processes import Server
from unit.patterns.servers import Reply, serving
from unit.serving.features import ADDRESS, FeatureService, put_known
from unit.serving.graphs import gathering, identity, linear, mixed, point, put
from unit.serving.schedules import timetable
from unit.serving.test_session import KINDS

GOOD = {"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 4]}]}
BODY = json.dumps(GOOD).encode()
INFER = "/v2/models/m/infer"
OURS = ("request failed", "call failed", "Exception in ASGI", "Traceback", "Unexpected <class")
"""What the log would say of a failure that nobody named."""


class Victim(Server):
    """The server, and what it had to do with before anything bad came."""

    def __init__(self, models: Path, log: Path, **settings: str) -> None:
        super().__init__(models, log, **settings)
        try:
            self.until("/readyz")
            self.until(f"{INFER.removesuffix('/infer')}/ready")
        except BaseException:
            self.end()
            raise

    def unharmed(self) -> None:
        """Hold it to being the same process, answering with the right number, and having nothing to explain."""
        assert self.process.poll() is None, self.said()[-2000:]
        status, told = self.ask("POST", INFER, BODY)
        assert (status, told["outputs"][0]["data"]) == (200, [7.0])
        said = self.said()
        assert not [each for each in OURS if each in said], said[-4000:]


def few(models: Path) -> None:
    """Write a model, and one whose features can be looked up."""
    put(models, "m", "1", linear())
    point(models, "m", champion="1")
    put_known(models, "known", "1")


def several(models: Path) -> None:
    """Write models of several kinds, an alias that points nowhere, and a version that is none."""
    few(models)
    put(models, "m", "2", linear(factor=10))
    point(models, "m", champion="1", challenger="2", lost="9")
    put(models, "spare", "1", linear())
    put(models, "mixed", "1", mixed())
    put(models, "gather", "1", gathering())
    put(models, "texts", "1", identity(KINDS["BYTES"]))
    put(models, "broken", "1", b"\x80\x04.")


@contextlib.contextmanager
def victim(folder: Path, write: Callable[[Path], None] = several, **settings: str) -> Iterator[Victim]:
    """Return a server over models that are written for it."""
    write(folder / "models")
    timetable(folder)
    told = {"TARMAC_DEFAULT_MODEL": "known", "TARMAC_TIMETABLE": str(folder / "timetable.gz"), **settings}
    running = Victim(folder / "models", folder / "log", **told)
    try:
        yield running
    finally:
        code = running.end()
    assert code == 0


@contextlib.contextmanager
def features() -> Iterator[str]:
    """Return where a feature service answers."""
    known = FeatureService()

    def answer(method: str, path: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
        found = known._answer(httpx.Request(method, ADDRESS + path, json=body))
        return found.status_code, found.text

    with serving(answer) as running:
        yield running.address

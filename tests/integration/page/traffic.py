"""Two versions of a model under load, as Prometheus sees them: the services' own figures, counted up by a thread."""

from __future__ import annotations

import random
import threading
from http import HTTPStatus
from typing import Self

import numpy as np
from prometheus_client import CollectorRegistry

from releases import figures, machine
from releases.route import weights
from runtime import metrics
from runtime.health import Health
from runtime.web import Web
from serving.figures import Figures
from unit.releases.cluster import RULES
from unit.releases.worlds import plan

MODEL = "delay-boosting"
_STEP = 0.1
_FAILED = HTTPStatus.INTERNAL_SERVER_ERROR


class Traffic:
    """A stable server (version 3), a canary (version 4, one request in four fails), and a release controller."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._figures = {"stable": Figures(), "canary": Figures()}
        registries = {name: each.registry for name, each in self._figures.items()}
        registries["releases"] = _released()
        self._webs = {name: Web(0, Health(), each, host="127.0.0.1") for name, each in registries.items()}
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    @property
    def ports(self) -> dict[str, int]:
        """Return where each tells its figures."""
        return {name: web.port for name, web in self._webs.items()}

    def __enter__(self) -> Self:
        for web in self._webs.values():
            web.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for web in self._webs.values():
            web.close()

    def _run(self) -> None:
        draw = random.Random(7)  # noqa: S311  figures, not secrets
        while not self._stop.wait(_STEP):
            self._served("stable", "3", [HTTPStatus.OK] * 9, draw)
            self._served("canary", "4", [HTTPStatus.OK] * 3 + [_FAILED], draw)

    def _served(self, track: str, version: str, statuses: list[HTTPStatus], draw: random.Random) -> None:
        tally = self._figures[track].tally(MODEL, version)
        tally.watch("prediction")
        for status in statuses:
            tally.answered(int(status), draw.uniform(0.001, 0.01))
            tally.predicted(["prediction"], [np.array([[draw.gauss(8, 15)]], np.float32)])


def _released() -> CollectorRegistry:
    """Return the figures of a controller in the middle of a release."""
    made = metrics.registry()
    shown = figures.Figures(made)
    state, _ = machine.start(plan(), 1000.0)
    shown.show(state)
    stable = RULES[0]["backendRefs"][0]
    refs = [{**stable, "weight": 75}, {**stable, "name": "serving-canary", "weight": 25}]
    shown.dealt(weights([{**RULES[0], "backendRefs": refs}]))
    return made

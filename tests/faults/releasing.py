"""Releases on the cluster as a route keeps them, and the plan by which the tests release.

The plan is that of a real canary, with short intervals: both tracks are read every second meanwhile (`quick`), and a
look follows every three.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from driver import Driver
from faults.load import Ask, infer

TRACKS = ("stable", "canary")
INTERVAL, THRESHOLD = 3, 3
"""Seconds between two looks, and looks without metrics after which a release goes back."""
STEPS = (40, 60)
"""Per cent of the requests that the canary gets."""
OVER = ("promoted", "rolled back")
_ANNOTATION = "tarmac.dev/release"
_ROWS = 400
_BOUND = 10
"""Above every first value of a row."""


def plan(model: str, version: str) -> dict[str, Any]:
    """Return a plan for a version; a step takes as many looks as a bad canary may have."""
    seconds = (THRESHOLD + 1) * INTERVAL
    return {
        "strategy": "canary",
        "model": model,
        "version": version,
        "steps": [{"weight": weight, "seconds": seconds} for weight in STEPS],
        "criteria": {
            "interval": INTERVAL,
            "threshold": THRESHOLD,
            "patience": 20,
            "requests": 20,
            # What a minute of requests can show.
            "errors": {"margin": 0.05},
            "latency": {"margin": 0.2},
            "labels": {"need": "off"},
        },
    }


def questions(model: str) -> list[Ask]:
    """Return rows to ask a model about, the same at every run: sums from -20 to 60, first values from 0 to 10."""
    draw = random.Random(f"{model} 13")  # noqa: S311  rows, not secrets
    rows = []
    for _ in range(_ROWS):
        first = draw.uniform(0, _BOUND)
        rows.append([round(first, 3), round(draw.gauss(15, 12) - first, 3), round(draw.gauss(0, 5), 3), 0.0])
    return [infer(model, row, tag=model) for row in rows]


@dataclass(frozen=True)
class Kept:
    """A release as its route keeps it.

    Attributes:
        state: all that a controller that starts anew goes on with.
        shares: Service -> per cent of the requests that the route sends there.

    """

    state: dict[str, Any]
    shares: dict[str, int]

    @classmethod
    def of(cls, route: dict[str, Any]) -> Kept:
        """Return the release of a route, as Kubernetes gives it."""
        state = json.loads(route["metadata"].get("annotations", {}).get(_ANNOTATION, '{"phase": "none"}'))
        (rule,) = route["spec"]["rules"]
        return cls(state, {each["name"]: each["weight"] for each in rule["backendRefs"]})

    @property
    def phase(self) -> str:
        """Return where it is in its life."""
        return str(self.state["phase"])

    @property
    def verdicts(self) -> list[str]:
        """Return what was decided, one after the other."""
        return [each["verdict"] for each in self.state["decisions"]]

    @property
    def why(self) -> str:
        """Return the reasons of the last decision."""
        return "; ".join(each["en"] for each in self.state["decisions"][-1]["reasons"])

    @property
    def looks(self) -> int:
        """Return the looks at the present stage."""
        return int(self.state["looks"])


def kept(lab: Driver, route: str = "serving") -> Kept:
    """Return the release of a route."""
    return Kept.of(json.loads(lab.kubectl("get", "httproute", route, "-n", "chain", "-o", "json")))


@contextmanager
def quick(lab: Driver) -> Iterator[None]:
    """Have both tracks read every second, with room for many models; and nobody else load those of the tests."""
    env = {"TARMAC_MODELS_LIMIT": "64", "TARMAC_WATCH_SECONDS": "2", "TARMAC_LOG_RATIO": "0.05"}
    container = {"name": "server", "env": [{"name": name, "value": value} for name, value in env.items()]}
    template = {"metadata": {"annotations": {"prometheus.io/interval": "1s"}}, "spec": {"containers": [container]}}
    words = ("-n", "chain", "-p", json.dumps({"spec": {"template": template}}))
    lab.kubectl("scale", "deployment/server", "-n", "lab-04", "--replicas=0")
    try:
        for track in TRACKS:
            lab.kubectl("patch", f"deployment/serving-{track}", *words)
        for track in TRACKS:
            lab.kubectl("rollout", "status", f"deployment/serving-{track}", "-n", "chain", "--timeout=240s")
        yield
    finally:
        for track in TRACKS:
            lab.kubectl("rollout", "undo", f"deployment/serving-{track}", "-n", "chain")
        lab.kubectl("scale", "deployment/server", "-n", "lab-04", "--replicas=1")

"""How often the diagnosis is right: every fault on every lab's recorded states, and healthy states that vary."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.diagnose.causes import root
from lab.diagnose.faults import FAULTS, Fault
from lab.diagnose.faults.harmless import varied
from lab.diagnose.faults.healthy import clone, completed
from lab.diagnose.faults.world import CRASH, UNREADY, WARN, World
from lab.spec import Course
from lab.state.health import Declared

Json = dict[str, Any]


@dataclass
class Accuracy:
    """What a measurement counted.

    Attributes:
        faults: names of the faults that were simulated.
        tried: simulated states.
        right: those of which the first cause was the one, at its object.
        wrong: those of which it was not: what was expected, and what was found.
        healthy: healthy states.
        blamed: those that were blamed all the same, with what was found.

    """

    faults: set[str] = field(default_factory=set)
    tried: int = 0
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    healthy: int = 0
    blamed: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Return the share of faults that were found."""
        return self.right / self.tried if self.tried else 0.0

    def write(self, file: Path) -> None:
        """Keep the figures for documents."""
        file.parent.mkdir(parents=True, exist_ok=True)
        figures = {
            "faults": len(self.faults), "states": self.tried, "right": self.right, "share": round(self.share, 4),
            "healthy": self.healthy, "blamed": len(self.blamed), "wrong": self.wrong,
        }  # fmt: skip
        file.write_text(json.dumps(figures, indent=1) + "\n")


def accuracy(course: Course, variations: int = 20) -> Accuracy:
    """Measure the diagnosis over all labs of a course that have recorded states.

    Args:
        course: whose labs.
        variations: harmless ones of each recorded state.

    """
    counted = Accuracy()
    for name, recorded, state in healthy(course):
        for number in range(variations):
            _judged(counted, f"{name}, variation {number}", varied(state, random.Random(number)))  # noqa: S311  no secret
        for each in (recorded, state):
            _judged(counted, name, each)
        components = state["health"]["declared"]["components"]
        for fault in FAULTS:
            if fault.fits(components):
                for severity in (WARN, UNREADY, CRASH):
                    draw = random.Random(f"{name} {fault.name} {severity}")  # noqa: S311  no secret
                    # Two of three times on a cluster with a past: restarts, old warnings, claims that wait.
                    begun = state if severity == WARN else varied(state, draw)
                    _diagnosed(counted, f"{name}, {fault.name}, severity {severity}", begun, fault, severity)
    return counted


def healthy(course: Course) -> Iterator[tuple[str, Json, Json]]:
    """Go through the recorded states of all labs: name, as it was recorded, completed."""
    for code in course.codes():
        declared = Declared.of(course, course.lab(code), {}, {})
        for file in sorted((course.folder(code) / "bundles").glob("*.json")):
            recorded = json.loads(file.read_text("utf-8"))
            yield f"{code} {file.stem}", recorded, completed(recorded, declared)


def broken(state: Json, fault: Fault, severity: int) -> Json:
    """Return a copy of a completed healthy state with a fault in it."""
    world = World(clone(state), severity)
    fault.simulate(world)
    return world.state


def _judged(counted: Accuracy, name: str, state: Json) -> None:
    counted.healthy += 1
    if found := root(state):
        counted.blamed.append(f"{name}: {found.told().en}")


def _diagnosed(counted: Accuracy, name: str, state: Json, fault: Fault, severity: int) -> None:
    found = root(broken(state, fault, severity))
    counted.faults.add(fault.name)
    counted.tried += 1
    if found and found.cause.code == fault.code and fault.where in found.where:
        counted.right += 1
    else:
        counted.wrong.append(f"{name}: {fault.code} {fault.where}, found {found.told().en if found else 'nothing'}")

"""How often the diagnosis is right about cases of authors who had not read it, one round for each author."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import CRASH, UNREADY, WARN
from lab.spec import Course
from unit.diagnose.independent import chain, clusters, harmless, reached, workloads
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import Scene
from unit.diagnose.second import chain as second_chain
from unit.diagnose.second import clusters as second_clusters
from unit.diagnose.second import harmless as second_harmless
from unit.diagnose.second import workloads as second_workloads
from unit.diagnose.third import chain as third_chain
from unit.diagnose.third import clusters as third_clusters
from unit.diagnose.third import harmless as third_harmless
from unit.diagnose.third import models, runs, starts, volumes


@dataclass(frozen=True, slots=True)
class Round:
    """The cases of one author.

    Attributes:
        name: of the round, and of its record in the figures.
        faults: cases with a cause that has to be found.
        harmless: cases without one.
        first: the figures of the first run, before anybody mended a cause for it: a fact of that day, which no later
            run changes. Of the cases that were not right then (`wrong`), some had expected the wrong thing
            (`corrected`; beside these cases it is said why); for the others the causes were mended.
        file: the name of the record that is kept for documents.

    """

    name: str
    faults: tuple[Case, ...]
    harmless: tuple[Case, ...]
    first: Mapping[str, float]
    file: str

    @property
    def cases(self) -> dict[str, Case]:
        """Return all cases by name."""
        return {case.name: case for case in (*self.faults, *self.harmless)}


FIRST = Round(
    "independent",
    (*clusters.CASES, *workloads.CASES, *reached.CASES, *chain.CASES),
    harmless.CASES,
    {
        "faults": 102, "faults_right": 92, "states": 1398, "right": 1266, "share": 0.9056, "harmless": 31,
        "quiet": 156, "blamed": 6, "wrong": 11, "corrected": 2,
    },
    "diagnosis-independent.json",
)  # fmt: skip
SECOND = Round(
    "second",
    (*second_clusters.CASES, *second_chain.CASES, *second_workloads.CASES),
    second_harmless.CASES,
    {
        "faults": 83, "faults_right": 71, "states": 954, "right": 816, "share": 0.8553, "harmless": 38,
        "quiet": 184, "blamed": 6, "wrong": 14, "corrected": 2,
    },
    "diagnosis-second.json",
)  # fmt: skip
THIRD = Round(
    "third",
    (*third_clusters.CASES, *volumes.CASES, *third_chain.CASES, *models.CASES, *starts.CASES, *runs.CASES),
    third_harmless.CASES,
    {
        "faults": 120, "faults_right": 101, "states": 1308, "right": 1135, "share": 0.8677, "harmless": 31,
        "quiet": 136, "blamed": 0, "wrong": 19, "corrected": 0,
    },
    "diagnosis-third.json",
)  # fmt: skip
ROUNDS = (FIRST, SECOND, THIRD)
"""Each author wrote when the causes had been mended by what the one before had found."""


@dataclass
class Counted:
    """What a measurement counted.

    Attributes:
        of: the round that was measured.
        states: simulated, of all cases with a fault.
        right: of these, whose one cause was the expected one, at its object.
        wrong: case -> what was found, and in how many states.
        quiet: simulated states without a fault.
        blamed: those that were blamed all the same: case -> with what.

    """

    of: Round
    states: int = 0
    right: int = 0
    wrong: dict[str, dict[str, int]] = field(default_factory=dict)
    quiet: int = 0
    blamed: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Return the share of faults that were found."""
        return self.right / self.states if self.states else 0.0

    def write(self, folder: Path) -> Path:
        """Keep the figures for documents in a folder; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / self.of.file
        faults = len(self.of.faults)
        figures = {
            "faults": faults, "faults_right": faults - len(self.wrong), "states": self.states,
            "right": self.right, "share": round(self.share, 4), "harmless": len(self.of.harmless), "quiet": self.quiet,
            "blamed": sum(sum(each.values()) for each in self.blamed.values()), "wrong": self.wrong,
            "first": self.of.first,
        }  # fmt: skip
        file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        return file


def measured(course: Course, of: Round) -> Counted:
    """Diagnose every case of a round in every recorded state that it fits; neighbours take it more or less hard."""
    counted = Counted(of)
    for lab, state in _states(course):
        components = state["health"]["declared"]["components"]
        for case in of.faults:
            if case.fits(lab, components):
                for severity in (WARN, UNREADY, CRASH):
                    _found(counted, case, played(case, state, severity))
        for case in of.harmless:
            if case.fits(lab, components):
                _quiet(counted, case, played(case, state, WARN))
    return counted


def played(case: Case, state: Any, severity: int) -> Any:  # noqa: ANN401  JSON
    """Return a copy of a healthy state with a case in it."""
    scene = Scene(clone(state), severity)
    case.play(scene)
    return scene.state


def _states(course: Course) -> Iterator[tuple[str, Any]]:
    for name, _recorded, state in healthy(course):
        yield name.split()[0], state


def _found(counted: Counted, case: Case, state: Any) -> None:  # noqa: ANN401  JSON
    found = root(state)
    counted.states += 1
    if found and found.cause.code == case.code and case.where in found.where:
        counted.right += 1
        return
    told = f"{found.cause.code} {found.where}" if found else "nothing"
    kinds = counted.wrong.setdefault(f"{case.name}: {case.code} {case.where}".strip(), {})
    kinds[told] = kinds.get(told, 0) + 1


def _quiet(counted: Counted, case: Case, state: Any) -> None:  # noqa: ANN401  JSON
    counted.quiet += 1
    if found := root(state):
        kinds = counted.blamed.setdefault(case.name, {})
        told = f"{found.cause.code} {found.where}"
        kinds[told] = kinds.get(told, 0) + 1

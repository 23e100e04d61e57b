"""Figures of a lab's checks: what they catch, what they accept, and how long they take over a recorded state."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from lab import files
from lab.authoring.folder import Folder
from lab.checks import runner
from lab.state import bundle

MOST_SECONDS = 0.2
"""That all checks of one lab may take over a recorded state, from its file to the verdicts."""
_TIMES = 5


class Quality(TypedDict):
    """Figures of one lab.

    Attributes:
        checks: exercises with a check.
        conditions: of all checks together.
        mutants: mistakes that were made on the solution.
        killed: of them, by any condition of the right check.
        killed_by_the_right_condition: of them, by the one that they were made for, alone.
        alternatives: other right solutions.
        accepted: of them, by every check.
        done_at_start: exercises whose check passes before anybody did anything.
        seconds: reading a recorded state and judging it by all checks, median of several times.

    """

    checks: int
    conditions: int
    mutants: int
    killed: int
    killed_by_the_right_condition: int
    alternatives: int
    accepted: int
    done_at_start: list[str]
    seconds: float


def measure(lab: Folder) -> Quality:
    """Return the figures of a lab's checks.

    Raises:
        BadInput: a part of the lab cannot be read.

    """
    proof = lab.proof
    fates = proof.mutants.fates
    return {
        "checks": len(lab.checks),
        "conditions": sum(len(verdict.findings) for verdict in lab.verdicts(lab.solved).values()),
        "mutants": len(fates),
        "killed": sum(bool(fate.failed) for fate in fates),
        "killed_by_the_right_condition": sum(fate.killed for fate in fates),
        "alternatives": len(proof.alternatives),
        "accepted": sum(each.accepted for each in proof.alternatives),
        "done_at_start": list(proof.done_at_start),
        "seconds": round(statistics.median(_seconds(lab) for _ in range(_TIMES)), 4),
    }


def publish(file: Path, labs: Mapping[str, Quality]) -> None:
    """Write the figures of labs, by number, as JSON."""
    whole = {"most_seconds": MOST_SECONDS, "labs": dict(labs)}
    files.write(file, json.dumps(whole, indent=2, sort_keys=True) + "\n")


def _seconds(lab: Folder) -> float:
    """Return how long `lab check --state` takes for its own work: from the file to all verdicts."""
    begun = time.perf_counter()
    state = bundle.read(lab.path / "bundles/solved.json", lab.spec.code)
    runner.run(lab.spec.exercises, lab.checks, state)
    return time.perf_counter() - begun

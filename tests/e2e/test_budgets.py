"""What each lab takes while it comes up: held to what it declares, and kept for docs/quality.md and the guides."""

from __future__ import annotations

import pytest

from driver import Driver, taken

pytestmark = pytest.mark.cluster

FIGURES = ("peak_mib", "cpu_seconds", "disk_mib", "images_mib", "seconds")
_BEFORE = {"02": "01", "04": "02"}
"""Lab -> the one that it comes up on."""


@pytest.mark.parametrize(
    "code",
    [
        "01",
        pytest.param("02", marks=pytest.mark.stands("02")),
        pytest.param("04", marks=[pytest.mark.stands("04"), pytest.mark.timeout(2400)]),
    ],
)
def test_a_lab_keeps_its_budget(lab: Driver, code: str) -> None:
    """Nothing exceeds, and nothing went unmeasured."""
    lab.run("up", code)
    told = lab.json("budget", code, code=None)
    if told["figures"]["seconds"]["verdict"] == "unmeasured":
        # Its images had to be built first: now that they are there, once more.
        lab.run(*(["down"] if code == "01" else ["reset", _BEFORE[code]]))
        lab.run("up", code)
        told = lab.json("budget", code, code=None)
    taken(code, told)
    assert {name: figure["verdict"] for name, figure in told["figures"].items()} == dict.fromkeys(FIGURES, "within")

"""The guides' commands, run as a trainee would paste them, from the start to a lab that passes every check."""

from __future__ import annotations

import subprocess

import pytest

from driver import ROOT, Driver
from guide_blocks import blocks, script

pytestmark = pytest.mark.cluster


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "folder",
    [
        "01-patterns",
        pytest.param("02-pipelines", marks=pytest.mark.stands("02")),
        pytest.param("04-serving", marks=[pytest.mark.stands("04"), pytest.mark.long]),
    ],
)
def test_the_guide_leads_from_the_start_to_the_solution(lab: Driver, folder: str) -> None:
    """Every bash block works as printed; afterwards every exercise is done, and a reset leaves nothing of it."""
    code = folder[:2]
    lab.run("reset", code)
    parts = blocks(ROOT / "labs" / folder / "guide.md")
    assert len(parts) >= 10
    done = subprocess.run(
        ["bash", "-c", script(parts)], env=lab.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert lab.json("check", code)["passed"] is True
    told = lab.json("reset", code)
    assert told["verdict"] == "clean"
    assert any(f"lab-{code}" in line for line in told["removed"])

"""The guide's commands, run as a trainee would paste them, from the start to a lab that passes every check."""

from __future__ import annotations

import subprocess

import pytest

from driver import ROOT, Driver
from guide_blocks import blocks, script

pytestmark = pytest.mark.cluster

_GUIDE = ROOT / "labs/01-patterns/guide.md"


@pytest.mark.timeout(1500)
def test_the_guide_leads_from_the_start_to_the_solution(lab: Driver) -> None:
    """Every bash block works as printed, in order, and afterwards every exercise is done."""
    lab.run("reset", "01")
    parts = blocks(_GUIDE)
    assert len(parts) >= 10
    done = subprocess.run(
        ["bash", "-c", script(parts)], env=lab.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert lab.json("check", "01")["passed"] is True

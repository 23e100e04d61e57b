"""The guides' commands, run as a trainee would paste them, from the start to a lab that passes every check."""

from __future__ import annotations

import json

import pytest

from driver import ROOT, Driver

pytestmark = pytest.mark.cluster


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("01", marks=pytest.mark.turn(0)),
        pytest.param("02", marks=[pytest.mark.stands("02"), pytest.mark.long]),
        pytest.param("04", marks=[pytest.mark.stands("04"), pytest.mark.long]),
    ],
)
def test_the_guide_leads_from_the_start_to_the_solution(lab: Driver, code: str) -> None:
    """Every bash block works and prints what both guides show; then every exercise is done, and a reset undoes it."""
    lab.run("reset", code)
    lab.run("docs", "run", code)
    for language in ("en", "fr"):
        told = json.loads((ROOT / f"build/guides/{code}.{language}.json").read_text("utf-8"))
        assert sum(bool(block["lines"]) for block in told) >= 10
    assert lab.json("check", code)["passed"] is True
    told = lab.json("reset", code)
    assert told["verdict"] == "clean"
    assert any(f"lab-{code}" in line for line in told["removed"])

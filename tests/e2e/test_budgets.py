"""What each lab takes while it comes up: held to what it declares, and kept for docs/quality.md and the guides."""

from __future__ import annotations

import pytest

from driver import Driver, taken

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(
    "code",
    [
        "01",
        pytest.param("02", marks=pytest.mark.stands("02")),
        pytest.param("04", marks=[pytest.mark.stands("04"), pytest.mark.timeout(2400)]),
    ],
)
def test_a_lab_keeps_its_budget(lab: Driver, code: str) -> None:
    """Nothing exceeds, and nothing went unmeasured but the time of a lab whose images had to be built first."""
    lab.run("up", code)
    told = lab.json("budget", code, code=None)
    taken(code, told)
    verdicts = {name: figure["verdict"] for name, figure in told["figures"].items()}
    late = {"seconds"} if any(told["built"].values()) else set()
    assert {name for name, verdict in verdicts.items() if verdict != "within"} <= late, told["figures"]
    assert "exceeded" not in verdicts.values(), told["figures"]

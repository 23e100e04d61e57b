"""States that `lab support` recorded whole, health included, from a cluster on which all stood."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from lab.diagnose.accuracy import broken, healthy
from lab.diagnose.causes import root
from lab.diagnose.faults import FAULTS
from lab.diagnose.faults.harmless import varied
from lab.diagnose.faults.world import CRASH, UNREADY, WARN
from lab.spec import Course

_COURSE = Course(Path(__file__).resolve().parents[3], drafts=False)
_WHOLE = {name: recorded for name, recorded, _ in healthy(_COURSE) if "health" in recorded}


@pytest.fixture(params=_WHOLE)
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a recorded state."""
    return _WHOLE[request.param]


def test_what_stood_is_not_blamed(recorded: dict[str, Any]) -> None:
    """As it was recorded, and with what happens on any cluster: restarts that are over, old warnings."""
    assert root(recorded) is None
    for number in range(20):
        assert root(varied(recorded, random.Random(number))) is None  # noqa: S311  no secret


@pytest.mark.parametrize("severity", [WARN, UNREADY, CRASH])
def test_the_root_cause_is_found_in_it(recorded: dict[str, Any], severity: int) -> None:
    """Every fault that this lab can have, among all that a real state holds besides."""
    components = recorded["health"]["declared"]["components"]
    wrong = []
    for fault in FAULTS:
        if fault.fits(components):
            found = root(broken(recorded, fault, severity))
            if found is None or found.cause.code != fault.code or fault.where not in found.where:
                wrong.append(f"{fault.name}: {found.told().en if found else 'nothing'}")
    assert wrong == []


def test_lab_04_was_recorded_whole() -> None:
    """Else these tests would test nothing."""
    assert {"04 start", "04 solved"} <= set(_WHOLE)

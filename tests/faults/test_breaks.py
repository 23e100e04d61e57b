"""Faults done to the cluster itself, as a trainee gets them: named, answered, mended by the command that is told.

The simulations (unit/diagnose) hold every cause over recorded states. Here each lab gets some of the many faults that
`lab break` draws from, others each day: lab 04, whose chain is the whole one, a first one in each run of the tests, and
the rest are long tests.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from typing import Any

import pytest

from driver import ROOT, Driver, broken, until
from lab.diagnose import challenge
from lab.spec import Course

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]

LABS = ("01", "02", "04")
WHOLE = "04"
"""The lab whose first fault is no long test."""
FAULTS = int(os.environ.get("LAB_TEST_FAULTS", "7"))
"""Of each lab, a day; LAB_TEST_FAULTS=100 takes all there are."""
_SEEDS = 1000
_REACTS_SECONDS = 150
"""That the chain has to show a fault: a container is started again and again only after a while."""
_SLOWLY = {"stale-features": 480}
"""That features take to count as old."""
_HEALS_SECONDS = 240
"""From the end of the command that mends it until nobody is blamed: a container that fell waits before it is begun."""
_LASTING = ("lag", "poisoned-events")
"""What was sent stays in the log: the lab has to be reset, not mended."""


def _drawn(code: str) -> list[tuple[int, str, str]]:
    """Return seed, name and code of a lab's faults of the day."""
    lab = Course(ROOT).lab(code)
    found: dict[str, tuple[int, str, str]] = {}
    for seed in range(_SEEDS):
        fault = challenge.draw(lab, seed)
        found.setdefault(fault.name, (seed, fault.name, fault.code))
    every = [each for name, each in sorted(found.items()) if name not in _LASTING]
    day = random.Random(dt.datetime.now(dt.UTC).toordinal())  # noqa: S311  no secret
    return day.sample(every, min(FAULTS, len(every)))


def _marks(code: str, number: int) -> list[pytest.MarkDecorator]:
    long = [] if code == WHOLE and number == 0 else [pytest.mark.long]
    return [pytest.mark.stands(code), *long]


_CASES = [
    pytest.param(code, seed, name, cause, id=f"{code}-{name}", marks=_marks(code, number))
    for code in LABS
    for number, (seed, name, cause) in enumerate(_drawn(code))
]


@pytest.mark.parametrize(("code", "seed", "name", "cause"), _CASES)
def test_a_fault_is_named_answered_and_mended(lab: Driver, code: str, seed: int, name: str, cause: str) -> None:
    """A lab that stands blames nobody; broken, it is told the one cause; the command told with it puts it right."""
    lab.run("up", code)
    assert not _blamed(lab, code)
    lab.run("break", code, "--seed", str(seed))
    try:
        told: list[str] = []
        blamed: Any = None
        begun = time.monotonic()
        most = _SLOWLY.get(name, _REACTS_SECONDS)
        while (not told or told[-1] != cause) and time.monotonic() < begun + most:
            if blamed := _blamed(lab, code):
                told.append(str(blamed["code"]))
            else:
                time.sleep(2)
        seconds = time.monotonic() - begun
        record = {"cause": cause, "told": told, "seconds": round(seconds, 1)}
        broken(code, name, record)
        assert told, f"nobody is blamed after {seconds:.0f} s"
        assert told[-1] == cause, told
        assert cause in lab.run("break", code, "--answer", cause).stdout
        begun = time.monotonic()
        lab.shell(blamed["mend"])
        until(lambda: not _blamed(lab, code), f"`{blamed['mend']}` mends it", _HEALS_SECONDS, 2)
        record |= {"mend": blamed["mend"], "mended": round(time.monotonic() - begun, 1)}
        broken(code, name, record)
    finally:
        lab.run("break", code, "--mend", code=None)
    lab.run("up", code)
    assert not _blamed(lab, code)


def _blamed(lab: Driver, code: str) -> Any:  # noqa: ANN401  JSON
    return lab.json("doctor", code, "--deep", code=None)["cause"]

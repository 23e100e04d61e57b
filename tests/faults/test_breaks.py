"""Faults done to the cluster itself, as a trainee gets them: named, answered, taken back.

The simulations (unit/diagnose) hold every cause over recorded states. Here each lab gets some of the many faults that
`lab break` draws from, others each day. They are long tests: not each of them has been done to a cluster yet, and CI is
not where one finds out.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time

import pytest

from driver import ROOT, Driver, broken
from lab.diagnose import challenge
from lab.spec import Course

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1200)]

LABS = ("01", "02", "04")
FAULTS = int(os.environ.get("LAB_TEST_FAULTS", "7"))
"""Of each lab, a day; LAB_TEST_FAULTS=100 takes all there are."""
_SEEDS = 1000
_REACTS_SECONDS = 150
"""That the chain has to show a fault: a container is started again and again only after a while."""
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


_CASES = [
    pytest.param(code, seed, name, cause, id=f"{code}-{name}", marks=pytest.mark.stands(code))
    for code in LABS
    for seed, name, cause in _drawn(code)
]


@pytest.mark.parametrize(("code", "seed", "name", "cause"), _CASES)
def test_a_fault_is_named_answered_and_taken_back(lab: Driver, code: str, seed: int, name: str, cause: str) -> None:
    """A lab that stands blames nobody; broken, it is told the one cause; mended, it stands as before."""
    lab.run("up", code)
    assert _blamed(lab, code) is None
    lab.run("break", code, "--seed", str(seed))
    try:
        told: list[str] = []
        begun = time.monotonic()
        while (not told or told[-1] != cause) and time.monotonic() < begun + _REACTS_SECONDS:
            if (blamed := _blamed(lab, code)) is not None:
                told.append(blamed)
            else:
                time.sleep(2)
        seconds = time.monotonic() - begun
        broken(code, name, {"cause": cause, "told": told, "seconds": round(seconds, 1)})
        assert told, f"nobody is blamed after {seconds:.0f} s"
        assert told[-1] == cause, told
        assert cause in lab.run("break", code, "--answer", cause).stdout
    finally:
        lab.run("break", code, "--mend", code=None)
    lab.run("up", code)
    assert _blamed(lab, code) is None


def _blamed(lab: Driver, code: str) -> str | None:
    cause = lab.json("doctor", code, "--deep", code=None)["cause"]
    return str(cause["code"]) if cause else None

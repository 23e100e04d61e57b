"""From the solution of any lab to the start of any other: nothing of the first is left in the second."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from driver import Driver, measured

pytestmark = [pytest.mark.cluster, pytest.mark.stands("04"), pytest.mark.long, pytest.mark.timeout(3600)]

LABS = ("01", "02", "04")


@pytest.fixture(scope="module")
def differences(lab: Driver) -> Callable[[str], list[str]]:
    """Return what compares what stands with a lab's start, as it was the first time."""
    starts = {}
    for code in LABS:
        lab.run("reset", code)
        starts[code] = lab.json("fingerprint", code)
    return lambda code: lab.differences(code, starts[code])


@pytest.mark.parametrize(("first", "second"), list(itertools.product(LABS, LABS)))
def test_nothing_of_one_lab_is_left_in_another(
    lab: Driver, differences: Callable[[str], list[str]], first: str, second: str
) -> None:
    """A solved lab, a reset to the other: its exercises are open, and it holds what its start held the first time."""
    jumped = lab.json("goto", first, "--state", "solved")
    measured(first, "goto-solved" if jumped["checkpoint"] else "solve", jumped["seconds"])
    assert lab.json("check", first)["passed"]
    told = lab.json("reset", second)
    measured(second, "reset-kept" if second == "04" else "reset", told["seconds"])
    assert told["residue"] == []
    assert lab.json("check", second, code=1)["done"] == 0
    assert differences(second) == []

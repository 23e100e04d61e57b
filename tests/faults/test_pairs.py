"""From the solution of any lab to the start of any other: nothing of the first is left in the second.

Of the nine ordered pairs `make test` walks one, another each day; `make test-long` walks the rest. A pair that failed
is walked again by its name: `pytest -k "02-04"`.
"""

from __future__ import annotations

import pytest

import turns
from driver import Driver, measured

pytestmark = [pytest.mark.cluster, pytest.mark.stands("04"), pytest.mark.timeout(3600)]

LABS = ("01", "02", "04")
_PAIRS = [
    pytest.param(
        first, LABS[(at + steps) % len(LABS)], id=f"{first}-{LABS[(at + steps) % len(LABS)]}",
        marks=pytest.mark.turn(at) if steps == turns.ROUND else pytest.mark.long,
    )
    for steps in range(len(LABS))
    for at, first in enumerate(LABS)
]  # fmt: skip
"""Every ordered pair, each of them every ninth day."""


class Walk:
    """The test cluster, and what each lab held the first time: at its start, and with its solution.

    Args:
        lab: the cluster.

    """

    def __init__(self, lab: Driver) -> None:
        self.lab = lab
        self._starts: dict[str, object] = {}
        self._solutions: dict[str, object] = {}

    def see(self, code: str) -> None:
        """Look at a lab's start, once."""
        if code not in self._starts:
            self.lab.run("reset", code)
            self._starts[code] = self.lab.json("fingerprint", code)

    def solve(self, code: str) -> None:
        """Jump to a lab's solution: it passes its checks, and holds what it held the first time."""
        told = self.lab.json("goto", code, "--state", "solved")
        measured(code, "goto-solved" if told["checkpoint"] else "solve", told["seconds"])
        assert self.lab.json("check", code)["passed"]
        if code in self._solutions:
            assert told["checkpoint"], "a solution that was measured is kept"
            assert self.lab.differences(code, self._solutions[code]) == []
        else:
            self._solutions[code] = self.lab.json("fingerprint", code)

    def reset(self, code: str) -> None:
        """Reset to a lab: its exercises are open, and it holds what its start held the first time."""
        told = self.lab.json("reset", code)
        measured(code, "reset-kept" if code == "04" else "reset", told["seconds"])
        assert told["residue"] == []
        assert self.lab.json("check", code, code=1)["done"] == 0
        assert self.lab.differences(code, self._starts[code]) == []


@pytest.fixture(scope="module")
def walk(lab: Driver) -> Walk:
    """Return the cluster."""
    return Walk(lab)


@pytest.mark.parametrize(("first", "second"), _PAIRS)
def test_nothing_of_one_lab_is_left_in_another(walk: Walk, first: str, second: str) -> None:
    """A lab is solved, and another one reset to."""
    walk.see(second)
    walk.solve(first)
    walk.reset(second)


@pytest.mark.parametrize("code", [pytest.param(each, marks=pytest.mark.turn(at)) for at, each in enumerate(LABS)])
def test_a_solution_that_was_measured_comes_back(walk: Walk, code: str) -> None:
    """From another lab, with nothing measured anew, and equal to what was replayed."""
    walk.solve(code)

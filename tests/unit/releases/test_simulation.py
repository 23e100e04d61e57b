"""The design, measured: how often good canaries are rolled back, and how soon bad ones are."""

from collections import Counter
from dataclasses import dataclass

import pytest

from releases.state import Phase
from unit.releases.worlds import Version, World, lived, plan

GOOD, BAD = 200, 50
"""Releases of each kind."""


@dataclass(frozen=True)
class Measured:
    """How releases of one kind ended.

    Attributes:
        ends: how many ended in each phase.
        slowest: looks at the canary until the last of them ended.
        mean: looks on average.
    """

    ends: Counter[Phase]
    slowest: int
    mean: float


def measured(kind: Version, releases: int, seed: int = 0) -> Measured:
    """Ends of so many canary releases with the plan as it is by default."""
    lives = [lived(plan(), World(seed + number, kind)) for number in range(releases)]
    looks = [count for _, count in lives]
    return Measured(Counter(state.phase for state, _ in lives), max(looks), sum(looks) / releases)


def test_no_good_canary_is_rolled_back() -> None:
    """Of 200 canaries that are as good as what is in use, none is rolled back, and all are promoted."""
    assert measured(Version(), GOOD).ends == {Phase.PROMOTED: GOOD}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(Version(errors=0.2), id="one request in five fails"),
        pytest.param(Version(slower=2.0), id="twice as slow"),
        pytest.param(Version(shift=30.0), id="half an hour too late"),
        pytest.param(Version(spread=0.0), id="always the same answer"),
        pytest.param(Version(seen=False), id="no metrics"),
    ],
)
def test_every_bad_canary_is_rolled_back_in_time(kind: Version) -> None:
    """All 50 canaries of each kind are rolled back within threshold + 1 looks at them."""
    found = measured(kind, BAD)
    assert found.ends == {Phase.ROLLED_BACK: BAD}
    assert found.slowest <= plan().criteria.threshold + 1

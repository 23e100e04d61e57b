"""Comparing shares again and again: exact where it can be checked, and never crying wolf more often than allowed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, nchypergeom_fisher  # type: ignore[import-untyped]  # has no types of its own

from releases.samples import Share
from releases.statistics.experiment import requests_needed
from releases.statistics.proportions import Odds, bounds, log_probability, most_difference

LOOKS = 30


@given(st.integers(1, 40), st.integers(1, 200), st.integers(0, 60), st.floats(0.1, 10, allow_nan=False), st.data())
def test_chances_are_those_of_fishers_distribution(
    canary: int, stable: int, both: int, ratio: float, data: st.DataObject
) -> None:
    """The chance of each way of dealing the failures equals scipy's noncentral hypergeometric distribution."""
    both = min(both, canary + stable)
    hits = data.draw(st.integers(max(0, both - stable), min(both, canary)))
    expected = nchypergeom_fisher.pmf(hits, canary + stable, both, canary, ratio)
    assert math.exp(log_probability(hits, canary, stable, both, ratio)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 42))
def test_evidence_is_worth_one_on_average_if_both_are_equal(canary: int, stable: int, both: int) -> None:
    """Over all ways of dealing the failures the evidence has mean 1: nobody gains by looking once more."""
    both = min(both, canary + stable)
    ways = range(max(0, both - stable), min(both, canary) + 1)
    chances = [math.exp(log_probability(hits, canary, stable, both, 1.0)) for hits in ways]
    worth = [math.exp(Odds().plus(Share(hits, canary), Share(both - hits, stable)).worse) for hits in ways]
    assert sum(chance * each for chance, each in zip(chances, worth, strict=True)) == pytest.approx(1.0)


def _sequence(draw: np.random.Generator, ours: float, theirs: float) -> list[tuple[Share, Share]]:
    """Thirty intervals of 300 requests, a tenth of them the canary's."""
    return [
        (Share(int(draw.binomial(30, ours)), 30), Share(int(draw.binomial(270, theirs)), 270)) for _ in range(LOOKS)
    ]


def test_looking_thirty_times_alarms_no_more_often_than_allowed() -> None:
    """With 5 % allowed over all looks, fewer than 5 % of 400 equal pairs ever raise an alarm.

    A chi-square test that is looked at as often does so for more than twice as many.
    """
    draw = np.random.default_rng(1)
    alarms = naive = 0
    for _ in range(400):
        odds, crossed, fooled = Odds(), False, False
        for canary, stable in _sequence(draw, 0.05, 0.05):
            odds = odds.plus(canary, stable)
            crossed = crossed or odds.worse >= math.log(20)
            fooled = fooled or _chi_square(odds)
        alarms += crossed
        naive += fooled
    assert alarms / 400 <= 0.05
    assert naive / 400 > 0.1


def _chi_square(odds: Odds) -> bool:
    """One-sided at 5 %, as if this were the only look."""
    table = [[side.hits, side.total - side.hits] for side in (odds.canary, odds.stable)]
    if 0 in np.sum(table, axis=0):
        return False
    return odds.canary.rate > odds.stable.rate and chi2_contingency(table, correction=False).pvalue < 0.1


def test_a_rate_that_moves_for_both_is_no_evidence() -> None:
    """An outage that fails half of everybody's requests in one interval leaves the canary where it was."""
    calm = Odds().plus(Share(1, 100), Share(9, 900))
    assert calm.plus(Share(50, 100), Share(450, 900)).worse < math.log(20)


def test_nothing_is_learnt_where_nothing_fails() -> None:
    """No failures, only failures, or one side without requests: the evidence stays as it was."""
    for canary, stable in (
        (Share(0, 100), Share(0, 900)),
        (Share(100, 100), Share(900, 900)),
        (Share(0, 0), Share(9, 900)),
    ):
        assert Odds().plus(canary, stable).logs == Odds().logs


def test_what_is_tolerated_is_no_alarm() -> None:
    """Twice the errors are shown where none is tolerated, and not where three times as many are."""
    canary, stable = Share(60, 1000), Share(270, 9000)
    assert Odds(1.0).plus(canary, stable).worse > math.log(1000)
    assert Odds(3.0).plus(canary, stable).worse < 0
    assert Odds(3.0).plus(canary, stable).better > 0


def test_bounds_hold_at_all_looks_together() -> None:
    """Of 300 sequences of 30 looks, with 5 % allowed, fewer than 5 % ever leave their bounds."""
    draw = np.random.default_rng(2)
    left = 0
    for _ in range(300):
        hits = np.cumsum(draw.binomial(30, 0.03, LOOKS))
        found = [bounds(Share(int(it), 30 * (at + 1)), 0.05) for at, it in enumerate(hits)]
        left += any(not low <= 0.03 <= high for low, high in found)
    assert left / 300 <= 0.05


@pytest.mark.parametrize(("share", "low", "high"), [(Share(0, 0), 0.0, 1.0), (Share(5, 5), None, 1.0)])
def test_bounds_at_the_edges(share: Share, low: float | None, high: float) -> None:
    """Nothing counted says nothing; all hits leave no room above."""
    found = bounds(share, 0.05)
    assert found[1] == high
    assert low is None or found[0] == low


def test_more_requests_narrow_the_difference() -> None:
    """What the canary may be worse by at most shrinks with the requests, without a single error as well."""
    few = most_difference(Share(0, 50), Share(0, 450), 0.05)
    many = most_difference(Share(0, 1000), Share(0, 9000), 0.05)
    assert many < 0.01 < few


def test_the_size_of_a_test_is_enough() -> None:
    """With the requests that are said to be needed for 8 % against 5 %, about 80 % of 100 tests see it."""
    needed = requests_needed(0.05, 0.08, 0.5, 0.05, 0.8)
    draw = np.random.default_rng(3)
    each = needed // 60
    found = 0
    for _ in range(100):
        odds = Odds()
        for _ in range(LOOKS):
            odds = odds.plus(Share(int(draw.binomial(each, 0.08)), each), Share(int(draw.binomial(each, 0.05)), each))
            if odds.worse >= math.log(20):
                found += 1
                break
    assert found >= 70
    assert needed < 10000

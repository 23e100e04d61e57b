"""Quality of predictions whose labels came later: the difference of the mean absolute errors, with its bounds.

The bounds are an asymptotic confidence sequence: a normal-mixture boundary (Robbins 1970) around the running mean, with
the variance as estimated so far; it holds at all looks together once there are enough values.
Source: I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences", Ann. Statist. 52 (2024), theorem 2.2 and the choice of rho in its appendix.
Arrival delays have heavy tails: with fewer than a hundred values no bounds are given.
"""

import math

import msgspec

from releases.samples import Moments

FEWEST = 100
"""Values (pairs, or on each side) below which nothing is said."""
_BEST = 1000  # values at which the bounds are tightest


class Difference(msgspec.Struct, frozen=True):
    """The canary's mean absolute error minus the stable's, in the label's unit.

    Attributes:
        estimate: as measured.
        low: at least so much; minus infinity where there are too few values.
        high: at most so much; infinity as above.
        values: pairs, or the smaller side's count.
    """

    estimate: float
    low: float
    high: float
    values: int


def paired(differences: Moments, alpha: float) -> Difference:
    """From predictions that both versions made (shadow): each flight is its own control, so that few are needed."""
    error = math.sqrt(differences.variance / max(differences.count, 1))
    return _bounded(differences.mean, error, differences.count, differences.count, alpha)


def split(canary: Moments, stable: Moments, alpha: float) -> Difference:
    """From predictions of which each version made its own (canary, A/B)."""
    fewer = min(canary.count, stable.count)
    error = math.sqrt(canary.variance / max(canary.count, 1) + stable.variance / max(stable.count, 1))
    worth = canary.count * stable.count / max(canary.count + stable.count, 1)
    return _bounded(canary.mean - stable.mean, error, worth, fewer, alpha)


def _bounded(estimate: float, error: float, worth: float, values: int, alpha: float) -> Difference:
    if values < FEWEST:
        return Difference(estimate, -math.inf, math.inf, values)
    half = error * _widening(worth, alpha)
    return Difference(estimate, estimate - half, estimate + half, values)


def _widening(count: float, alpha: float) -> float:
    """How many standard errors the bounds lie from the mean after `count` values."""
    heavy = -2 * math.log(alpha)
    grown = count * (heavy + math.log(heavy + 1)) / _BEST
    return math.sqrt(2 * (grown + 1) / grown * math.log(math.sqrt(grown + 1) / alpha))

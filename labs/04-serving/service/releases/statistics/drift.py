"""Drift of outputs: the population stability index (PSI) of two histograms, with the noise of small samples taken off.

Two samples of one distribution have a PSI above zero by chance alone: about (1/n + 1/m) times a chi-square variable
with one degree of freedom less than there are buckets. The usual bounds of 0.1 and 0.25 forget that: with 60 values in
ten buckets chance alone gives 0.2. Here the expected noise is taken off the index, and what is left counts only where
chance would hardly bring it about.
Source: B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", J. Risk Model Validation 14
(2020). Looks are accounted for by alpha spending: the k-th look may use alpha / (k (k + 1)), which adds up to alpha.
What it cannot see: outputs that are wrong one by one but of the usual distribution; labels show those.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri  # type: ignore[import-untyped]  # has no types of its own

from releases.samples import Histogram, same_buckets

_EXPECTED = 5.0  # values that each side must expect in a bucket; sparser ones are merged (W. Cochran 1954)
_SMOOTH = 0.5  # added to each count, so that an empty bucket has a logarithm
_BOUND = 0.95  # of the noise, above which the index is not expected


class Drift(msgspec.Struct, frozen=True):
    """How far two distributions are apart.

    Attributes:
        index: the PSI as measured.
        excess: what is left of it without the noise to be expected, never below 0.
        most: excess and noise together: the most that the true index is likely to be.
        chance: of an index this large if both were one distribution.
        buckets: that were compared, after merging.
        values: of the canary.
    """

    index: float
    excess: float
    most: float
    chance: float
    buckets: int
    values: int


def drift(canary: Histogram, stable: Histogram) -> Drift | None:
    """How far the canary's outputs are from the stable's; None while there are too few values for two buckets.

    Raises:
        NoMetrics: their buckets differ.
    """
    same_buckets(canary, stable)
    ours, theirs = _merged(np.array(canary.counts, float), np.array(stable.counts, float))
    if len(ours) < 2:  # noqa: PLR2004  one bucket holds everything on both sides
        return None
    noise, freedom = float(1 / ours.sum() + 1 / theirs.sum()), len(ours) - 1
    index = _index(ours, theirs)
    excess = max(index - noise * freedom, 0.0)
    most = excess + noise * (float(chdtri(freedom, 1 - _BOUND)) - freedom)
    return Drift(index, excess, most, float(chdtrc(freedom, index / noise)), len(ours), canary.total)


def spent(alpha: float, look: int) -> float:
    """What the look of that number (from 1) may use of `alpha`."""
    return alpha / (look * (look + 1))


def _index(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    p = (ours + _SMOOTH) / (ours.sum() + _SMOOTH * len(ours))
    q = (theirs + _SMOOTH) / (theirs.sum() + _SMOOTH * len(theirs))
    return float(((p - q) * np.log(p / q)).sum())


def _merged(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Neighbouring buckets put together until both sides expect enough in each; what is left over joins the last."""
    pooled = ours + theirs
    smaller = min(ours.sum(), theirs.sum()) / max(pooled.sum(), 1.0)
    groups: list[list[int]] = [[]]
    for bucket in range(len(pooled)):
        groups[-1].append(bucket)
        if pooled[groups[-1]].sum() * smaller >= _EXPECTED:
            groups.append([])
    rest = groups.pop()
    if groups:
        groups[-1] += rest
    return np.array([ours[each].sum() for each in groups]), np.array([theirs[each].sum() for each in groups])


def enough(found: Drift | None, limit: float) -> bool:
    """Whether there are enough values to tell an index of `limit` from none."""
    return found is not None and math.isfinite(found.most) and found.most - found.excess < limit

"""Shares of two sides, compared sequentially: failed requests, slow requests, conversions.

**The comparison** is a conditional likelihood-ratio test martingale with a mixture over odds ratios. Within an interval
requests are dealt to the two sides by chance, so that, if both are equal, each way of dealing the failed ones is
equally likely: given both totals and the number of failures, the canary's failures follow the hypergeometric
distribution, and Fisher's noncentral one where the canary's odds are w times the stable's. The ratio of the two
probabilities has expectation 1 under equality, whatever the rate of failures is, and however it moves from one
interval to the next; the product over the intervals is a martingale, and by Ville's inequality it ever reaches 1/alpha
with a probability of at most alpha. No normal approximation is made, which would not hold at two errors in a hundred.
The mixture over a grid of w takes the place of knowing how bad the canary is.
Sources: A. Wald, "Sequential Analysis" (1947; weight functions); H. Robbins, "Statistical methods related to the law
of the iterated logarithm", Ann. Math. Statist. 41 (1970); R. Turner, A. Ly, P. Grünwald, "Generic E-variables for exact
sequential k-sample tests that allow for optional stopping", J. Statist. Plann. Inference 230 (2024).

**The bound of one share** is the confidence sequence of the Beta-binomial mixture (Robbins 1970, as above; S. Howard,
A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann. Statist. 49
(2021)).
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln  # type: ignore[import-untyped]  # has no types of its own

from releases.samples import Share

_SIDE = 10
_RATIOS = 2.0 ** (np.arange(-_SIDE, _SIDE + 1) / 2)
"""Odds ratios of the mixture, times what is tolerated: from 1/32 to 32 in steps of 1.41, ten on each side of 1."""
_PRIOR = 0.5  # both parameters of the Beta mixture: Jeffreys', which is at home at small rates
_EDGE = 1e-12  # how near to 0 and 1 a share is looked for


class Odds(msgspec.Struct, frozen=True):
    """Evidence about the odds of a hit on the canary against the stable side, gathered interval by interval.

    Attributes:
        tolerated: odds ratio up to which the canary counts as not worse; 1: none is tolerated.
        canary: hits of the canary in all.
        stable: hits of the stable version in all.
        logs: log likelihood ratio of each odds ratio of the mixture against the tolerated one.
    """

    tolerated: float = 1.0
    canary: Share = Share()
    stable: Share = Share()
    logs: tuple[float, ...] = (0.0,) * len(_RATIOS)

    def plus(self, canary: Share, stable: Share) -> "Odds":
        """The evidence with one more interval."""
        gained = _log_ratios(canary, stable, self.tolerated)
        logs = tuple(round(old + new, 9) for old, new in zip(self.logs, gained.tolist(), strict=True))
        return Odds(self.tolerated, self.canary.plus(canary), self.stable.plus(stable), logs)

    @property
    def worse(self) -> float:
        """Log evidence that the odds ratio is above the tolerated one."""
        return float(np.logaddexp.reduce(self.logs[_SIDE + 1 :])) - math.log(_SIDE)

    @property
    def better(self) -> float:
        """Log evidence that it is below."""
        return float(np.logaddexp.reduce(self.logs[:_SIDE])) - math.log(_SIDE)


def log_probability(hits: int, canary: int, stable: int, both: int, ratio: float) -> float:
    """Natural logarithm of the chance of `hits` on the canary's side.

    Args:
        hits: of the canary.
        canary: its requests.
        stable: the stable version's requests.
        both: hits of the two together.
        ratio: odds of a hit on the canary, times those on the stable side.
    """
    possible = _possible(canary, stable, both)
    weights = _log_ways(possible, canary, stable, both)
    here = weights[hits - possible[0]] + hits * math.log(ratio)
    return float(here - np.logaddexp.reduce(weights + possible * math.log(ratio)))


def _log_ratios(canary: Share, stable: Share, tolerated: float) -> NDArray[np.float64]:
    both = canary.hits + stable.hits
    if both == 0 or not canary.total or not stable.total or both == canary.total + stable.total:
        return np.zeros(len(_RATIOS))  # nothing hit, or everything, or nothing to compare with: no news
    possible = _possible(canary.total, stable.total, both)
    ways = _log_ways(possible, canary.total, stable.total, both)
    log_odds = np.log(_RATIOS * tolerated)
    told: NDArray[np.float64] = canary.hits * log_odds - np.logaddexp.reduce(
        ways + log_odds[:, None] * possible, axis=1
    )
    gained: NDArray[np.float64] = told - told[_SIDE]
    return gained


def _possible(canary: int, stable: int, both: int) -> NDArray[np.int64]:
    return np.arange(max(0, both - stable), min(both, canary) + 1)


def _log_ways(possible: NDArray[np.int64], canary: int, stable: int, both: int) -> NDArray[np.float64]:
    return _log_choose(canary, possible) + _log_choose(stable, both - possible)


def _log_choose(total: int, some: NDArray[np.int64]) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = gammaln(total + 1) - gammaln(some + 1) - gammaln(total - some + 1)
    return chosen


def bounds(share: Share, alpha: float) -> tuple[float, float]:
    """Between what the true share lies, with a chance of 1 - alpha at all looks together."""
    hits, total = share.hits, share.total
    if total == 0:
        return 0.0, 1.0
    # Imported here: it takes longer than all else that the controller needs to start.
    from scipy.optimize import brentq  # type: ignore[import-untyped]  # noqa: PLC0415  has no types of its own

    mixed = float(betaln(_PRIOR + hits, _PRIOR + total - hits) - betaln(_PRIOR, _PRIOR))

    def beyond(rate: float) -> float:
        return mixed - hits * math.log(rate) - (total - hits) * math.log1p(-rate) + math.log(alpha)

    seen = min(max(hits / total, _EDGE), 1 - _EDGE)
    low = float(brentq(beyond, _EDGE, seen)) if hits and beyond(_EDGE) > 0 else 0.0
    high = float(brentq(beyond, seen, 1 - _EDGE)) if hits < total and beyond(1 - _EDGE) > 0 else 1.0
    return low, high


def most_difference(canary: Share, stable: Share, alpha: float) -> float:
    """By how much the canary's share is above the stable's at most, with a chance of 1 - alpha at all looks."""
    return bounds(canary, alpha / 2)[1] - bounds(stable, alpha / 2)[0]

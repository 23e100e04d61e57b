"""A/B tests: who gets what, and how many requests a test needs.

Who gets B is a pattern of units (contracts/units.py), not a list: the gateway's route can hold it, so that every caller
is dealt alike and none has to know that there is a test.

The test itself is that of statistics/proportions.py and statistics/labels.py, which may be looked at at any time. It
takes requests as independent: where a few units ask most of the time, it is too sure of itself.
"""

import hashlib
import math
import re
from functools import lru_cache

from scipy.special import ndtri  # type: ignore[import-untyped]  # has no types of its own

from contracts.units import DIGITS, unit

_DRAWN = 3
"""Digits of a unit that a test looks at: shares are whole 4096ths."""
_ANY = "[0-9a-f]"
_PLACES = 32
"""Where these may be: before half of the digits, so that the pattern stays below the size that Envoy takes unasked."""
_RATIOS = 10  # odds ratios that the mixture of statistics/proportions.py is spread over, on one side


@lru_cache(maxsize=64)
def dealt(experiment: str, share: float) -> str:
    """The pattern of the units that get B, which Envoy (RE2) and Python read alike.

    The same unit gets the same answer everywhere, without anything being stored; a larger share keeps all who had B
    already; another experiment deals anew, so that no unit is always the one that things are tried on: it looks at
    other digits of the unit, and orders their values otherwise.

    Args:
        experiment: name of the test.
        share: of the units that get B; at least one 4096th, and at least one less than all.
    """
    left = min(max(round(share * len(DIGITS) ** _DRAWN), 1), len(DIGITS) ** _DRAWN - 1)
    place = int(unit(experiment), 16) % _PLACES
    ways, before = [], ""
    for at in range(_DRAWN):
        # Units are ordered by their drawn digits, as numbers are; those before the share's own digits get B.
        order, behind = _order(experiment, at), _DRAWN - at - 1
        whole, left = divmod(left, len(DIGITS) ** behind)
        if whole:
            ways.append(f"{before}[{''.join(sorted(order[:whole]))}]{_ANY * behind}")
        before += order[whole]
    return f"{_ANY}{{{place}}}(?:{'|'.join(ways)}){_ANY}*"


def assigned(who: str, experiment: str, share: float) -> bool:
    """Whether one who asks gets B.

    Args:
        who: id of what is assigned: a user, an airline, a plane.
        experiment: name of the test.
        share: of the units that get B, from 0 to 1.
    """
    return re.fullmatch(dealt(experiment, share), unit(who)) is not None


def _order(experiment: str, at: int) -> list[str]:
    """The digits in an order of the experiment's own, for one of the digits that it looks at."""
    return sorted(DIGITS, key=lambda digit: hashlib.sha256(f"{experiment}\0{at}\0{digit}".encode()).digest())


def requests_needed(base: float, other: float, share: float, alpha: float, power: float) -> int:
    """Requests of both sides together after which the sequential test has seen a difference, with a chance of `power`.

    Each request adds to the log evidence: on average the information it carries about its side, g, with a variance v.
    The evidence has to reach log(1/alpha) and what the mixture costs; n solves n g - z sqrt(n v) = that.

    Args:
        base: rate of hits on A, from 0 to 1.
        other: rate on B that is to be seen; not equal to `base`.
        share: of the requests that B gets.
        alpha: chance of seeing a difference that is none.
        power: chance of seeing this one.
    """
    target = math.log(1 / alpha) + math.log(_RATIOS)
    gain, variance = _information(base, other, share)
    reach = float(ndtri(power)) * math.sqrt(variance)
    root = (reach + math.sqrt(reach * reach + 4 * gain * target)) / (2 * gain)
    return math.ceil(root * root)


def _information(base: float, other: float, share: float) -> tuple[float, float]:
    """Mean and variance of the log likelihood ratio of one request: its side's rate against the pooled one."""
    pooled = (1 - share) * base + share * other
    cases = []
    for side, rate in ((1 - share, base), (share, other)):
        cases.append((side * rate, math.log(rate / pooled)))
        cases.append((side * (1 - rate), math.log((1 - rate) / (1 - pooled))))
    mean = sum(chance * told for chance, told in cases)
    return mean, sum(chance * told * told for chance, told in cases) - mean * mean

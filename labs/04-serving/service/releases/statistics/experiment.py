"""A/B tests: who gets what, and how many requests a test needs.

The test itself is that of statistics/proportions.py and statistics/labels.py, which may be looked at at any time. It
takes requests as independent: where a few units ask most of the time, it is too sure of itself.
"""

import hashlib
import math

from scipy.special import ndtri  # type: ignore[import-untyped]  # has no types of its own

_SCALE = 2.0**64
_RATIOS = 10  # odds ratios that the mixture of statistics/proportions.py is spread over, on one side


def assigned(unit: str, experiment: str, share: float) -> bool:
    """Whether `unit` gets B.

    The same unit gets the same answer in every process, without anything being stored; a larger share keeps all who
    had B already; another experiment deals anew, so that no unit is always the one that things are tried on.

    Args:
        unit: id of what is assigned: a user, an airline, a flight.
        experiment: name of the test.
        share: of the units that get B, from 0 to 1.
    """
    drawn = hashlib.blake2b(f"{experiment}\0{unit}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") / _SCALE < share


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

"""Latency from histogram buckets: the share of requests above a bucket bound, which is a share like that of errors.

A mean hides the slow few, and a percentile cannot be added up over pods and intervals. Counts above a fixed bound can,
and they are compared exactly (statistics/proportions.py). The bound of each interval is chosen by the interval before
it, from the stable version alone. So it follows the load, which makes both versions slower or faster; and it is not
chosen by the data that it is tested on, which would be no test. A bound that was chosen once, in an hour that was
rougher than the rest, was measured to let slow versions pass.
"""

from releases.samples import Histogram

SLOW = 0.1
"""Share of the stable version's requests that are to lie above the bound, at most: few enough that a shift shows at
once, and enough of them that a handful more does not."""


def slow_bound(stable: Histogram) -> float:
    """The least bucket bound, in seconds, that at most a tenth of the stable version's requests exceed."""
    return next((bound for bound in stable.bounds if stable.above(bound).rate <= SLOW), stable.bounds[-1])

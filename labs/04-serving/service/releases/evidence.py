"""What has been seen of a release so far: everything that its verdict rests on, and nothing else.

It is kept as JSON in the release's state, so that a controller that starts in the middle of a step goes on with it.
"""

import msgspec

from releases.criteria import Criteria
from releases.plan import AB, Plan
from releases.samples import Histogram, Moments, Observation, Sample, Share, same_buckets
from releases.statistics.latency import slow_bound
from releases.statistics.proportions import Odds


class Evidence(msgspec.Struct, frozen=True):
    """What both sides did since the canary got its first request.

    Attributes:
        looks: intervals that are in it.
        errors: failed requests.
        goal: the same with nothing tolerated, which is what an A/B test asks; None for other plans.
        slow: requests above `bound`.
        bound: seconds, for the next look, chosen by the one before it; None: latency is not measured.
        limit: the canary's requests above its absolute bound.
        outputs: predictions of the canary and of the stable version; None: not measured.
        canary_labels: absolute errors of the canary.
        stable_labels: absolute errors of the stable version.
        pairs: the canary's absolute error minus the stable's, where both predicted.
    """

    looks: int = 0
    errors: Odds = Odds()
    goal: Odds | None = None
    slow: Odds = Odds()
    bound: float | None = None
    limit: Share = Share()
    outputs: tuple[Histogram, Histogram] | None = None
    canary_labels: Moments = Moments()
    stable_labels: Moments = Moments()
    pairs: Moments = Moments()


def begun(plan: Plan, stable: Sample) -> Evidence:
    """Nothing seen yet; what has to be fixed beforehand is taken from the stable version's `stable` sample."""
    criteria = plan.criteria
    return Evidence(
        errors=Odds(criteria.errors.tolerated),
        goal=Odds() if isinstance(plan, AB) else None,
        slow=Odds(criteria.latency.tolerated),
        bound=criteria.latency.seconds or _bound(stable),
    )


def with_interval(before: Evidence, seen: Observation, criteria: Criteria) -> Evidence:
    """The evidence with one more interval, in which both sides were seen.

    Raises:
        NoMetrics: histograms of the two sides have different buckets.
    """
    canary, stable = seen.canary or Sample(), seen.stable or Sample()
    return Evidence(
        looks=before.looks + 1,
        errors=before.errors.plus(canary.answers, stable.answers),
        goal=before.goal and before.goal.plus(canary.answers, stable.answers),
        slow=_slow(before, canary, stable),
        bound=criteria.latency.seconds or _bound(stable) or before.bound,  # for the look after this one
        limit=_limit(before, canary, criteria),
        outputs=_outputs(before, canary, stable),
        canary_labels=before.canary_labels.plus(canary.labels),
        stable_labels=before.stable_labels.plus(stable.labels),
        pairs=before.pairs.plus(seen.pairs),
    )


def _bound(stable: Sample) -> float | None:
    return slow_bound(stable.latency) if stable.latency and stable.latency.total else None


def _slow(before: Evidence, canary: Sample, stable: Sample) -> Odds:
    if before.bound is None or canary.latency is None or stable.latency is None:
        return before.slow
    same_buckets(canary.latency, stable.latency)
    return before.slow.plus(canary.latency.above(before.bound), stable.latency.above(before.bound))


def _limit(before: Evidence, canary: Sample, criteria: Criteria) -> Share:
    seconds = criteria.latency.limit_seconds
    return before.limit.plus(canary.latency.above(seconds)) if seconds and canary.latency else before.limit


def _outputs(before: Evidence, canary: Sample, stable: Sample) -> tuple[Histogram, Histogram] | None:
    if canary.outputs is None or stable.outputs is None:
        return before.outputs
    same_buckets(canary.outputs, stable.outputs)
    if before.outputs is None:
        return canary.outputs, stable.outputs
    return before.outputs[0].plus(canary.outputs), before.outputs[1].plus(stable.outputs)

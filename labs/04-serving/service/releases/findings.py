"""One finding for each criterion: what the evidence shows of it so far."""

import math
from collections.abc import Iterator

from releases.criteria import Criteria
from releases.evidence import Evidence
from releases.plan import AB, Plan
from releases.samples import Share
from releases.statistics.drift import Drift, drift, enough, spent
from releases.statistics.labels import Difference, paired, split
from releases.statistics.outcome import Finding, Outcome
from releases.statistics.proportions import Odds, bounds, most_difference

_CRITERIA = 6
"""Criteria that may each raise an alarm; they share what the plan allows (Bonferroni)."""


def findings(evidence: Evidence, plan: Plan) -> tuple[Finding, ...]:
    """What is shown of each criterion that the plan looks at.

    Raises:
        NoMetrics: histograms of the two sides have different buckets.
    """
    return tuple(_findings(evidence, plan))


def needed(plan: Plan) -> tuple[str, ...]:
    """Criteria that must be shown good before a promotion."""
    criteria = plan.criteria
    asked = {
        "errors": criteria.errors.need,
        "slow": criteria.latency.need,
        "limit": criteria.latency.need if criteria.latency.limit_seconds else "off",
        "outputs": criteria.outputs.need,
        "labels": criteria.labels.need,
        "goal": "required" if isinstance(plan, AB) else "off",
    }
    return tuple(criterion for criterion, need in asked.items() if need == "required")


def _findings(evidence: Evidence, plan: Plan) -> Iterator[Finding]:
    criteria = plan.criteria
    alarm, doubt = criteria.alarm / _CRITERIA, criteria.doubt
    if criteria.errors.need != "off":
        yield _compared("errors", evidence.errors, criteria.errors.margin, alarm, doubt)
    if criteria.latency.need != "off":
        yield _compared("slow", evidence.slow, criteria.latency.margin, alarm, doubt, bound=evidence.bound or 0.0)
        if criteria.latency.limit_seconds:
            yield _limited(evidence.limit, criteria, alarm)
    if criteria.outputs.need != "off":
        yield _drifted(evidence, criteria, alarm)
    if criteria.labels.need != "off":
        yield _labelled("labels", evidence, criteria.labels.margin, alarm, doubt)
    if isinstance(plan, AB):
        yield _goal(evidence, plan, alarm, doubt)


def _compared(criterion: str, odds: Odds, margin: float, alarm: float, doubt: float, **more: float) -> Finding:
    most = most_difference(odds.canary, odds.stable, doubt)
    figures = {**_rates(odds), "evidence": odds.worse, "needed": math.log(1 / alarm), "most": most, "margin": margin}
    if odds.worse >= math.log(1 / alarm):
        return Finding(criterion, Outcome.WORSE, {**figures, **more})
    outcome = Outcome.BETTER if most <= margin else Outcome.UNDECIDED
    return Finding(criterion, outcome, {**figures, **more})


def _rates(odds: Odds) -> dict[str, float]:
    return {
        "canary": odds.canary.rate,
        "canary_hits": odds.canary.hits,
        "canary_requests": odds.canary.total,
        "stable": odds.stable.rate,
        "stable_hits": odds.stable.hits,
        "stable_requests": odds.stable.total,
    }


def _limited(slow: Share, criteria: Criteria, alarm: float) -> Finding:
    limit = criteria.latency.limit_share
    low = bounds(slow, alarm)[0]
    high = bounds(slow, criteria.doubt)[1]
    figures = {
        "canary": slow.rate,
        "canary_requests": slow.total,
        "low": low,
        "high": high,
        "limit": limit,
        "seconds": criteria.latency.limit_seconds or 0.0,
    }
    outcome = Outcome.WORSE if low > limit else Outcome.BETTER if high <= limit else Outcome.UNDECIDED
    return Finding("limit", outcome, figures)


def _drifted(evidence: Evidence, criteria: Criteria, alarm: float) -> Finding:
    found = drift(*evidence.outputs) if evidence.outputs else None
    if found is None:
        values = evidence.outputs[0].total if evidence.outputs else 0
        return Finding("outputs", Outcome.UNDECIDED, {"values": values, "limit": criteria.outputs.limit})
    outcome = _drift_outcome(found, criteria.outputs.limit, spent(alarm, max(evidence.looks, 1)))
    figures = {
        "index": found.index,
        "excess": found.excess,
        "most": found.most,
        "chance": found.chance,
        "buckets": found.buckets,
        "values": found.values,
        "limit": criteria.outputs.limit,
    }
    return Finding("outputs", outcome, figures)


def _drift_outcome(found: Drift, limit: float, allowed: float) -> Outcome:
    if found.excess > limit and found.chance < allowed:
        return Outcome.WORSE
    return Outcome.BETTER if enough(found, limit) and found.most <= limit else Outcome.UNDECIDED


def _difference(evidence: Evidence, alpha: float) -> Difference:
    """From pairs where there are any (shadow), otherwise from what each version predicted by itself."""
    if evidence.pairs.count:
        return paired(evidence.pairs, alpha)
    return split(evidence.canary_labels, evidence.stable_labels, alpha)


def _labelled(criterion: str, evidence: Evidence, margin: float, alarm: float, doubt: float) -> Finding:
    strict, lenient = _difference(evidence, alarm), _difference(evidence, doubt)
    allowed = margin * evidence.stable_labels.mean
    figures = {"difference": strict.estimate, "values": strict.values, "allowed": allowed}
    figures |= {"stable": evidence.stable_labels.mean}
    if not math.isfinite(strict.low):
        return Finding(criterion, Outcome.UNDECIDED, figures)
    figures |= {"low": strict.low, "high": lenient.high}
    outcome = Outcome.WORSE if strict.low > allowed else Outcome.UNDECIDED
    return Finding(criterion, Outcome.BETTER if lenient.high <= allowed else outcome, figures)


def _goal(evidence: Evidence, plan: AB, alarm: float, doubt: float) -> Finding:
    if plan.goal == "labels":
        return _labelled("goal", evidence, 0.0, alarm, doubt)
    odds = evidence.goal or Odds()
    figures = {**_rates(odds), "evidence": odds.better, "needed": math.log(1 / doubt), "evidence_worse": odds.worse}
    if odds.worse >= math.log(1 / alarm):
        return Finding("goal", Outcome.WORSE, figures)
    return Finding("goal", Outcome.BETTER if odds.better >= math.log(1 / doubt) else Outcome.UNDECIDED, figures)

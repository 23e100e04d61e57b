"""The quality gate: a pure function of what is known of a candidate and of the champion.

Better by luck is not better. Both are held against the same rows, which neither has seen. Flights of one day share
their weather and their jams, so whole days are drawn, with replacement; the candidate has to win in nearly all draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from training.dataset import Days, Vector
from training.evaluation import Quality

DRAWS = 2000
SEED = 2013
CLOSEST = 0.95
"""A feature whose correlation with the label is beyond this is the label, under another name."""


@dataclass(frozen=True)
class Budgets:
    """What a candidate must keep to.

    Attributes:
        days: that the held-out rows have at least.
        confidence: share of the draws in which it has to win.
        calibration: mean distance over deciles, as a share of the label's spread.
        size: bytes of model.onnx.
        latency: milliseconds of a prediction of one row, median.
    """

    days: int = 14
    confidence: float = 0.95
    calibration: float = 0.15
    size: int = 4_000_000
    latency: float = 2.0


@dataclass(frozen=True)
class Candidate:
    """What is known of the version that wants through.

    Attributes:
        predicted: float64 [N], minutes.
        quality: its figures on these rows.
        leaks: features that are known too late, or that the feature service does not have.
        closest: the feature that goes most with the label, and its correlation.
        broken: what ONNX' checker has against it; empty: nothing.
        size: bytes of model.onnx.
        latency: milliseconds of a prediction of one row, median.
    """

    predicted: Vector
    quality: Quality
    leaks: tuple[str, ...]
    closest: tuple[str, float]
    broken: str
    size: int
    latency: float


@dataclass(frozen=True)
class Rival:
    """What the candidate has to beat.

    Attributes:
        name: for the verdict.
        predicted: float64 [N], minutes.
        seen_until: latest instant that it learnt from, as text that sorts by time; empty: none.
    """

    name: str
    predicted: Vector
    seen_until: str = ""


@dataclass(frozen=True)
class Held:
    """The rows of the judgement: labels float64 [N] in minutes, days int64 [N], and the first instant as text."""

    label: Vector
    days: Days
    begin: str = ""


@dataclass(frozen=True)
class Condition:
    """One thing that a candidate must meet, with the reason and the figures."""

    name: str
    met: bool
    reason: str
    figures: dict[str, float]


def judge(candidate: Candidate, rival: Rival, held: Held, budgets: Budgets) -> tuple[Condition, ...]:
    """Every condition; the candidate is through where all are met."""
    return tuple(_conditions(candidate, rival, held, budgets))


def _conditions(candidate: Candidate, rival: Rival, held: Held, budgets: Budgets) -> Iterator[Condition]:
    yield _unseen(rival, held, budgets)
    yield _better(candidate, rival, held, budgets)
    yield _calibrated(candidate, budgets)
    yield _honest(candidate)
    yield Condition("checker", not candidate.broken, candidate.broken or "ONNX' checker has nothing against it", {})
    yield _within("size", candidate.size, budgets.size, "bytes")
    yield _within("latency", candidate.latency, budgets.latency, "ms for one row")


def _unseen(rival: Rival, held: Held, budgets: Budgets) -> Condition:
    days = len(np.unique(held.days))
    fair = not (held.begin and rival.seen_until > held.begin)
    reason = f"{len(held.label)} rows of {days} days, seen by neither"
    if not fair:
        reason = f"{rival.name} learnt until {rival.seen_until}, the held-out rows begin at {held.begin}"
    elif days < budgets.days:
        reason = f"{days} days are held out, {budgets.days} are needed to tell skill from luck"
    figures = {"rows": float(len(held.label)), "days": float(days)}
    return Condition("held_out", fair and days >= budgets.days, reason, figures)


def _better(candidate: Candidate, rival: Rival, held: Held, budgets: Budgets) -> Condition:
    ours, theirs = (np.square(each.predicted - held.label) for each in (candidate, rival))
    wins, low = drawn(theirs - ours, held.days, budgets.confidence)
    errors = {"rmse": _root(ours), "rival_rmse": _root(theirs)}
    told = f"RMSE {errors['rmse']:.3f} min, {rival.name} {errors['rival_rmse']:.3f} min; better in {wins:.1%} of draws"
    figures = {**errors, "wins": wins, "gain_low": low}
    return Condition("better", wins >= budgets.confidence, f"{told}, {budgets.confidence:.1%} are needed", figures)


def _root(squares: Vector) -> float:
    return float(np.sqrt(squares.mean()))


def drawn(gain: Vector, days: Days, confidence: float) -> tuple[float, float]:
    """How often the mean gain is above zero when days are drawn anew, and what it is at least with that confidence.

    Args:
        gain: by row; above zero where the candidate is better.
        days: the day of each row.
        confidence: of the lower bound.
    """
    _, day = np.unique(days, return_inverse=True)
    sums, counts = np.bincount(day, weights=gain), np.bincount(day)
    chosen = np.random.default_rng(SEED).integers(0, len(counts), (DRAWS, len(counts)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return float((means > 0).mean()), float(np.quantile(means, 1 - confidence))


def _calibrated(candidate: Candidate, budgets: Budgets) -> Condition:
    quality = candidate.quality
    share = quality.calibration / quality.spread if quality.spread else np.inf
    worst = max(quality.parts, key=lambda each: each.error)
    reason = (
        f"deciles lie {quality.calibration:.2f} min from what was seen, {share:.1%} of the spread, "
        f"{budgets.calibration:.1%} allowed; worst: {worst.predicted:.1f} predicted, {worst.seen:.1f} seen"
    )
    figures = {"calibration": quality.calibration, "share": float(share), "worst": worst.error, "bias": quality.bias}
    return Condition("calibrated", share <= budgets.calibration, reason, figures)


def _honest(candidate: Candidate) -> Condition:
    name, closeness = candidate.closest
    reason = f"no feature is known too late; {name} goes most with the label: {closeness:.2f}"
    if candidate.leaks:
        reason = f"{', '.join(candidate.leaks)}: known too late, or no feature of the service"
    elif closeness > CLOSEST:
        reason = f"{name} goes with the label by {closeness:.3f}: it is the label under another name"
    met = not candidate.leaks and closeness <= CLOSEST
    return Condition("no_leaks", met, reason, {"leaks": float(len(candidate.leaks)), "closest": closeness})


def _within(name: str, value: float, most: float, unit: str) -> Condition:
    reason = f"{round(value, 4):,} {unit}, {most:,} allowed"
    return Condition(name, value <= most, reason, {"value": float(value), "most": float(most)})

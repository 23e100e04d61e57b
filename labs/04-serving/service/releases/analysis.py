"""One verdict from everything that is known of a release, with reasons in plain words.

In this order: without metrics nothing is decided for the canary (pause, then back); what has been shown to be worse
goes back at once; what somebody has paused does not go on; without enough data nothing happens; at the end everything
required must have been shown good; what could not be shown within the plan's patience goes back.
"""

from enum import StrEnum

import msgspec

from releases import reasons
from releases.findings import needed
from releases.plan import Plan, Stage
from releases.statistics.outcome import Finding, Outcome
from releases.words import Words


class Verdict(StrEnum):
    """What is to become of the release now."""

    PROMOTE = "promote"
    """Go on: to the next stage, after the last one to everybody."""
    HOLD = "hold"
    """Stay, and look again."""
    ROLL_BACK = "roll back"
    """Give the canary no more requests; the release has ended."""
    PAUSE = "pause"
    """Stay because nothing can be seen; only metrics that come back end it well."""


class Progress(msgspec.Struct, frozen=True):
    """Where the release stands in its stage.

    Attributes:
        looks: at this stage, this one included.
        blind: looks in a row without metrics, this one included.
        seconds: since the stage began.
        canary: requests of the canary in this stage.
        stable: requests of the stable version in this stage.
        missing: what is missing and why, where `blind` is not 0.
        halted: whether somebody has paused the release.
    """

    looks: int = 0
    blind: int = 0
    seconds: float = 0.0
    canary: int = 0
    stable: int = 0
    missing: str = ""
    halted: bool = False


class Assessment(msgspec.Struct, frozen=True):
    """A verdict with its reasons and the findings behind them."""

    verdict: Verdict
    reasons: tuple[Words, ...]
    findings: tuple[Finding, ...] = ()


def assessed(plan: Plan, stage: Stage, progress: Progress, findings: tuple[Finding, ...]) -> Assessment:
    """What follows from the findings at this point of the plan."""
    if progress.blind:
        return _unseen(plan, progress, findings)
    bad = [each for each in findings if each.outcome is Outcome.WORSE]
    if bad:
        return Assessment(Verdict.ROLL_BACK, tuple(map(reasons.worse, bad)), findings)
    if progress.halted:
        return Assessment(Verdict.HOLD, (reasons.halted(),), findings)
    open_ = _open(plan, stage, progress, findings)
    if not open_:
        return Assessment(Verdict.PROMOTE, _good(stage, progress, findings, needed(plan)), findings)
    if _tired(plan, stage, progress):
        return Assessment(Verdict.ROLL_BACK, (reasons.patience(progress.looks), *open_), findings)
    return Assessment(Verdict.HOLD, open_, findings)


def _unseen(plan: Plan, progress: Progress, findings: tuple[Finding, ...]) -> Assessment:
    threshold = plan.criteria.threshold
    verdict = Verdict.ROLL_BACK if progress.blind >= threshold else Verdict.PAUSE
    return Assessment(verdict, (reasons.blind(progress.missing, progress.blind, threshold),), findings)


def _open(plan: Plan, stage: Stage, progress: Progress, findings: tuple[Finding, ...]) -> tuple[Words, ...]:
    """What is still to be had before the stage can be left for the next."""
    least = plan.criteria.requests
    missing = []
    if progress.seconds < stage.seconds:
        missing.append(reasons.early(progress.seconds, stage.seconds))
    sides = {"stable": progress.stable} if stage.name == "baseline" else {"canary": progress.canary}
    if stage.name not in ("baseline", "watch"):
        sides["stable"] = progress.stable
    missing += [reasons.few(side, seen, least) for side, seen in sides.items() if seen < least]
    if stage.final:
        told = {each.criterion: each for each in findings}
        missing += [reasons.unshown(told[it]) for it in needed(plan) if told[it].outcome is not Outcome.BETTER]
    return tuple(missing)


def _good(stage: Stage, progress: Progress, findings: tuple[Finding, ...], asked: tuple[str, ...]) -> tuple[Words, ...]:
    if stage.name == "baseline":
        return (reasons.seen(progress.stable),)
    if not stage.final:
        return (reasons.no_worse(progress.canary),)
    return tuple(reasons.better(each) for each in findings if each.criterion in asked)


def _tired(plan: Plan, stage: Stage, progress: Progress) -> bool:
    """Whether the stage has had its time; a recorded baseline is used up after as many looks as it had."""
    recorded = stage.seconds // plan.criteria.interval
    return progress.looks >= (max(recorded, 1) if stage.recorded else plan.criteria.patience)

"""One verdict from everything: nothing blind, nothing bad, nothing without enough data."""

import re
from typing import Any

import pytest

from releases.analysis import Assessment, Progress, Verdict, assessed
from releases.evidence import Evidence, begun, with_interval
from releases.findings import findings
from releases.samples import Histogram, Moments, Observation, Sample, Share
from releases.statistics.outcome import Outcome
from unit.releases.worlds import LATENCY, OUTPUTS, plan

CALM = Histogram(LATENCY, (0, 20, 300, 500, 100, 50, 30, 0, 0, 0))
SLOW = Histogram(LATENCY, (0, 0, 0, 100, 100, 100, 400, 300, 0, 0))
USUAL = Histogram(OUTPUTS, (30, 80, 180, 130, 130, 220, 150, 75, 5, 0))
SHIFTED = Histogram(OUTPUTS, (0, 0, 0, 30, 30, 100, 140, 400, 300, 0))
ALL = Progress(looks=5, seconds=60, canary=1000, stable=1000)


def side(**changed: Any) -> Sample:  # noqa: ANN401  fields of a sample
    """A thousand requests as they usually are."""
    return Sample(**{"answers": Share(10, 1000), "latency": CALM, "outputs": USUAL, **changed})


def judged(canary: Sample, progress: Progress | None = None, *, last: bool = True, **changed: Any) -> Assessment:  # noqa: ANN401
    """The verdict on a canary after one interval, at the last or the first step."""
    what = plan(**changed)
    evidence = begun(what, side())
    for _ in range(2):
        evidence = with_interval(evidence, Observation(canary, side(), Moments()), what.criteria)
    stage = what.stages()[-1 if last else 1]
    progress = progress or Progress(looks=5, seconds=stage.seconds, canary=1000, stable=1000)
    return assessed(what, stage, progress, findings(evidence, what))


def test_a_good_canary_is_promoted_with_reasons() -> None:
    """Everything required has been shown: promote, and each reason gives figures in both languages."""
    found = judged(side())
    assert found.verdict is Verdict.PROMOTE
    assert len(found.reasons) == 3
    assert "20 of 2000 (1.0 %)" in found.reasons[0].en
    assert "20 sur 2000 (1,0 %)" in found.reasons[0].fr


@pytest.mark.parametrize(
    ("canary", "words"),
    [
        (side(answers=Share(100, 1000)), "failed requests: worse; canary 200 of 2000"),
        (side(latency=SLOW), "slow requests: worse"),
        (side(outputs=SHIFTED), "distribution of the predictions: worse"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_what_is_shown_to_be_bad_goes_back(canary: Sample, words: str, *, last: bool) -> None:
    """One bad criterion is enough, at any step, and it is the one that is named."""
    found = judged(canary, last=last)
    assert found.verdict is Verdict.ROLL_BACK
    assert [reason.en[: len(words)] for reason in found.reasons] == [words]


def test_worse_labels_go_back() -> None:
    """Predictions that turn out worse roll back even though labels are not required."""
    what = plan()
    good, bad = Moments.of([10.0, 12.0, 14.0] * 200), Moments.of([20.0, 24.0, 28.0] * 200)
    seen = Observation(side(labels=bad), side(labels=good))
    evidence = with_interval(begun(what, side()), seen, what.criteria)
    found = assessed(what, what.stages()[1], ALL, findings(evidence, what))
    assert found.verdict is Verdict.ROLL_BACK
    assert found.reasons[0].en.startswith("errors of the predictions: worse; mean absolute error 12.00 above")


def test_an_absolute_limit_holds_whatever_the_stable_version_does() -> None:
    """Where both are slow alike, the canary is still beyond its own limit."""
    limited = {"latency": {"limit_seconds": 0.05, "limit_share": 0.05}}
    found = judged(side(), criteria=limited)
    assert found.verdict is Verdict.ROLL_BACK
    assert "beyond the time limit" in found.reasons[0].en


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(looks=1, seconds=15, canary=1000, stable=1000), "15 of 60 s"),
        (Progress(looks=5, seconds=60, canary=49, stable=1000), "the canary had 49 requests"),
        (Progress(looks=5, seconds=60, canary=1000, stable=49), "the stable version had 49 requests"),
    ],
)
def test_without_enough_data_nothing_happens(progress: Progress, words: str) -> None:
    """Too early, or too few requests on either side: hold, and say what is missing."""
    found = judged(side(), progress)
    assert found.verdict is Verdict.HOLD
    assert words in found.reasons[0].en


def test_what_is_not_shown_is_not_promoted() -> None:
    """At the last step with too little evidence: hold, and name each criterion that is open."""
    few = Sample(Share(0, 30), Histogram(LATENCY, (0,) * 9 + (0,)), Histogram(OUTPUTS, (0,) * 10))
    found = judged(few)
    assert found.verdict is Verdict.HOLD
    assert [re.split(":", reason.en)[0] for reason in found.reasons] == [
        "failed requests",
        "slow requests",
        "distribution of the predictions",
    ]


def test_patience_ends() -> None:
    """What could not be shown within the plan's patience goes back, with what was missing."""
    few = Sample(Share(0, 30), CALM, USUAL)
    found = judged(few, Progress(looks=40, seconds=600, canary=1000, stable=1000))
    assert found.verdict is Verdict.ROLL_BACK
    assert "after 40 looks" in found.reasons[0].en


@pytest.mark.parametrize(("blind", "verdict"), [(1, Verdict.PAUSE), (2, Verdict.PAUSE), (3, Verdict.ROLL_BACK)])
def test_nothing_is_promoted_blind(blind: int, verdict: Verdict) -> None:
    """Without metrics: pause, and after the threshold back, however good the canary was before."""
    found = judged(side(), Progress(looks=9, blind=blind, seconds=600, canary=1000, stable=1000, missing="gone"))
    assert found.verdict is verdict
    assert "gone" in found.reasons[0].en


class TestGoal:
    """A/B: B has to be better, not merely no worse."""

    def verdict(self, canary: Sample, goal: str) -> Verdict:
        """After one interval of a thousand requests each."""
        return judged(canary, strategy="ab", goal=goal).verdict

    def test_an_equal_b_is_not_promoted(self) -> None:
        """No worse is enough for a canary, and not for B."""
        assert self.verdict(side(), "errors") is Verdict.HOLD

    def test_a_better_b_is_promoted(self) -> None:
        """No failures against one in a hundred."""
        assert self.verdict(side(answers=Share(0, 1000)), "errors") is Verdict.PROMOTE

    def test_a_worse_b_goes_back(self) -> None:
        """Three times the failures are beyond what is tolerated."""
        assert self.verdict(side(answers=Share(50, 1000)), "errors") is Verdict.ROLL_BACK


def test_pairs_are_preferred() -> None:
    """Where both versions predicted the same flights, their differences are what counts."""
    what = plan(strategy="shadow")
    pairs = Moments.of([3.0, 4.0, 5.0] * 100)
    same = Moments.of([10.0, 12.0] * 300)
    seen = Observation(side(labels=same), side(labels=same), pairs)
    evidence = with_interval(begun(what, side()), seen, what.criteria)
    found = {each.criterion: each for each in findings(evidence, what)}["labels"]
    assert found.outcome is Outcome.WORSE
    assert found.figures["difference"] == 4.0


def test_the_slow_bound_is_chosen_before_it_is_used() -> None:
    """Each interval is judged by a bound from the stable version's interval before it; one that is given stays."""
    what = plan()
    rough = Observation(side(latency=SLOW), side(latency=SLOW))
    first = with_interval(begun(what, side()), rough, what.criteria)
    assert first.slow.canary == SLOW.above(0.075)
    second = with_interval(first, rough, what.criteria)
    assert second.slow.canary.hits - first.slow.canary.hits == SLOW.above(0.5).hits
    fixed = plan(criteria={"latency": {"seconds": 0.1}})
    assert with_interval(begun(fixed, side()), rough, fixed.criteria).bound == 0.1
    assert Evidence().bound is None

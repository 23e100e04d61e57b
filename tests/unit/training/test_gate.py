"""The gate lets a better, honest model through, and says of each condition why it is met or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.dataset import Days, Vector
from training.evaluation import evaluate
from training.gate import Budgets, Candidate, Condition, Held, Rival, drawn, judge

COUNT, PER_DAY = 3000, 100
BUDGETS = Budgets()


def world(seed: int = 1) -> tuple[Vector, Vector, Days]:
    """What can be known (minutes), what came of it, and the day of each row."""
    random = np.random.default_rng(seed)
    known = random.normal(10, 15, COUNT)
    return known, known + random.normal(0, 10, COUNT), np.arange(COUNT) // PER_DAY


def candidate(predicted: Vector, label: Vector) -> Candidate:
    """One that only its predictions can fail."""
    return Candidate(predicted, evaluate(predicted, label), (), ("origin_congestion", 0.4), "", 10_000, 0.05)


def conditions(
    ours: Candidate, theirs: Vector, label: Vector, days: Days, budgets: Budgets = BUDGETS
) -> dict[str, Condition]:
    """The verdict by name, against a champion that learnt from what came before."""
    rival = Rival("champion", theirs, "2013-02-01T00:00:00Z")
    found = judge(ours, rival, Held(label, days, "2013-02-01T00:00:00Z"), budgets)
    return {each.name: each for each in found}


def unmet(found: dict[str, Condition]) -> list[str]:
    """Names of what is not met."""
    return [each.name for each in found.values() if not each.met]


def test_a_better_model_comes_through() -> None:
    """Given one that knows what can be known against one that says the mean, then every condition is met."""
    known, label, days = world()
    found = conditions(candidate(known, label), np.full(COUNT, label.mean()), label, days)
    assert unmet(found) == []
    assert list(found) == ["held_out", "better", "calibrated", "no_leaks", "checker", "size", "latency"]
    assert found["better"].figures["rmse"] < found["better"].figures["rival_rmse"]
    assert found["better"].figures["gain_low"] > 0
    assert all(each.reason for each in found.values())


def test_the_same_model_again_is_not_better() -> None:
    """A draw is no win: the champion stays."""
    known, label, days = world()
    assert unmet(conditions(candidate(known, label), known.copy(), label, days)) == ["better"]


def test_luck_is_not_enough() -> None:
    """Given two models that differ by noise alone, then hardly any candidate comes through, though half are ahead."""
    ahead, through = 0, 0
    for seed in range(60):
        known, label, days = world(seed)
        random = np.random.default_rng(1000 + seed)
        ours, theirs = (known + random.normal(0, 3, COUNT) for _ in range(2))
        found = conditions(candidate(ours, label), theirs, label, days)["better"]
        ahead += found.figures["rmse"] < found.figures["rival_rmse"]
        through += found.met
    assert 15 <= ahead <= 45
    assert through <= 8


def test_one_lucky_day_is_not_enough() -> None:
    """Given a gain that comes from one day of thirty, then it is no proof, however many rows that day has."""
    gain, days = np.zeros(COUNT) - 0.01, np.arange(COUNT) // PER_DAY
    gain[days == 3] = 5.0
    wins, low = drawn(gain, days, 0.95)
    assert gain.mean() > 0
    assert wins < 0.95
    assert low < 0
    assert drawn(gain, np.arange(COUNT), 0.95)[0] > wins  # as if every row were a day of its own


def test_the_same_judgement_twice_is_the_same() -> None:
    """The draws are those of a fixed seed."""
    known, label, days = world()
    theirs = np.full(COUNT, label.mean())
    assert conditions(candidate(known, label), theirs, label, days) == conditions(
        candidate(known, label), theirs, label, days
    )


def test_a_model_that_exaggerates_is_not_calibrated() -> None:
    """Given the right order and the wrong size, then it is refused although it beats the mean."""
    known, label, days = world()
    ours = label.mean() + 1.5 * (known - known.mean())
    found = conditions(candidate(ours, label), np.full(COUNT, label.mean() + 30), label, days)
    assert unmet(found) == ["calibrated"]
    assert "predicted" in found["calibrated"].reason


def test_a_model_that_is_off_by_a_fixed_amount_is_not_calibrated() -> None:
    """Ten minutes too many everywhere show in every decile."""
    known, label, days = world()
    found = conditions(candidate(known + 10, label), np.full(COUNT, 100.0), label, days)
    assert unmet(found) == ["calibrated"]
    assert found["calibrated"].figures["bias"] == pytest.approx(10, abs=1)


class TestEachCondition:
    """A candidate that fails in one thing is refused for that one, with the figures."""

    @pytest.mark.parametrize(
        ("change", "name", "told"),
        [
            ({"leaks": ("arrival_delay",)}, "no_leaks", "arrival_delay"),
            ({"closest": ("tail_last_arrival_delay", 0.99)}, "no_leaks", "under another name"),
            ({"broken": "node 3 has no input"}, "checker", "node 3"),
            ({"size": 40_000_000}, "size", "40,000,000 bytes"),
            ({"latency": 7.5}, "latency", "7.5 ms"),
        ],
    )
    def test_it_is_named(self, change: dict[str, object], name: str, told: str) -> None:
        """The reason says what was found."""
        known, label, days = world()
        ours = replace(candidate(known, label), **change)  # type: ignore[arg-type]
        found = conditions(ours, np.full(COUNT, label.mean()), label, days)
        assert unmet(found) == [name]
        assert told in found[name].reason

    def test_few_days_give_no_verdict(self) -> None:
        """Given thirteen days where fourteen are needed, then even a far better model does not come through."""
        known, label, days = world()
        few = days < 13
        ours = candidate(known[few], label[few])
        found = conditions(ours, np.full(int(few.sum()), label.mean()), label[few], days[few])
        assert unmet(found) == ["held_out"]
        assert found["held_out"].figures["days"] == 13

    def test_a_champion_that_has_seen_the_rows_is_no_fair_rival(self) -> None:
        """Nobody is judged by what the other has learnt by heart."""
        known, label, days = world()
        rival = Rival("champion", np.full(COUNT, label.mean()), "2013-03-01T00:00:00Z")
        found = judge(candidate(known, label), rival, Held(label, days, "2013-02-01T00:00:00Z"), BUDGETS)
        assert [each.name for each in found if not each.met] == ["held_out"]
        assert "learnt until 2013-03-01" in found[0].reason

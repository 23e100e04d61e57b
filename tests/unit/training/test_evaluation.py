"""Figures of predictions, by hand where that can be done."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation import evaluate, parts


def test_figures_are_those_that_can_be_reckoned_by_hand() -> None:
    """Errors of 1, -1, 3 and -3 minutes."""
    seen = np.array([10.0, 20.0, 30.0, 40.0])
    found = evaluate(seen + np.array([1.0, -1.0, 3.0, -3.0]), seen)
    assert (found.mae, found.bias, found.rows) == (2.0, 0.0, 4)
    assert found.rmse == pytest.approx(np.sqrt(5))
    assert found.r2 == pytest.approx(1 - 20 / 500)
    # Too early by 1 and 3 costs 0.9 a minute, too late 0.1.
    assert found.pinball == pytest.approx((0.9 * 4 + 0.1 * 4) / 4)
    assert found.spread == pytest.approx(np.sqrt(125))


def test_deciles_are_ten_equal_parts_in_order_of_the_prediction() -> None:
    """Given a prediction that is twice what is seen, then each decile shows it."""
    predicted = np.random.default_rng(1).permutation(np.arange(1000.0))
    found = parts(predicted, predicted / 2)
    assert [each.rows for each in found] == [100] * 10
    assert [each.predicted for each in found] == [49.5 + 100 * number for number in range(10)]
    assert [each.error for each in found] == [each.predicted / 2 for each in found]


def test_a_calibrated_prediction_is_off_by_nothing_though_it_errs() -> None:
    """Noise around the truth leaves every decile where it is; a constant on top shows in full."""
    random = np.random.default_rng(2)
    predicted = random.normal(10, 20, 50_000)
    seen = predicted + random.normal(0, 10, 50_000)
    assert evaluate(predicted, seen).calibration < 0.5
    assert evaluate(predicted + 5, seen).calibration == pytest.approx(5, abs=0.5)


def test_all_figures_have_a_name_and_are_finite() -> None:
    """As they stand in the card; a prediction that never changes is no trouble."""
    figures = evaluate(np.full(7, 3.0), np.arange(7.0)).figures()
    assert set(figures) == {"rows", "mae", "rmse", "r2", "pinball_90", "bias", "spread", "calibration"}
    assert all(np.isfinite(value) for value in figures.values())

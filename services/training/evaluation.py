"""How good predictions are: errors, and whether they mean what they say.

A model is calibrated where flights that it gives 20 minutes are 20 minutes late on average. Rows are put in order of
their prediction and cut into ten parts; in each the mean of what was predicted stands beside the mean of what was seen.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from training.dataset import Vector

PARTS = 10
QUANTILE = 0.9
"""Of the pinball loss: too early costs nine times what too late does."""


@dataclass(frozen=True)
class Part:
    """A tenth of the rows.

    Attributes:
        rows: how many.
        predicted: mean of the predictions, minutes.
        seen: mean of the labels, minutes.
    """

    rows: int
    predicted: float
    seen: float

    @property
    def error(self) -> float:
        """Distance between the two, minutes."""
        return abs(self.predicted - self.seen)


@dataclass(frozen=True)
class Quality:
    """Figures of one model on some rows; minutes, but for r2.

    Attributes:
        rows: how many.
        mae: mean absolute error.
        rmse: root of the mean squared error.
        r2: share of the variance that is explained.
        pinball: pinball loss at QUANTILE.
        bias: mean of prediction less label.
        spread: standard deviation of the labels.
        parts: the deciles, smallest predictions first.
    """

    rows: int
    mae: float
    rmse: float
    r2: float
    pinball: float
    bias: float
    spread: float
    parts: tuple[Part, ...]

    @property
    def calibration(self) -> float:
        """Mean distance between predicted and seen over the deciles, weighted by their rows, minutes."""
        return sum(each.rows * each.error for each in self.parts) / self.rows

    def figures(self) -> dict[str, float]:
        """By name, as they stand in the card and in MLflow."""
        return {
            "rows": float(self.rows), "mae": self.mae, "rmse": self.rmse, "r2": self.r2, "pinball_90": self.pinball,
            "bias": self.bias, "spread": self.spread, "calibration": self.calibration,
        }  # fmt: skip


def evaluate(predicted: Vector, seen: Vector) -> Quality:
    """Figures of predictions.

    Args:
        predicted: float64 [N], minutes, finite.
        seen: float64 [N], minutes.
    """
    return Quality(
        rows=len(seen),
        mae=float(mean_absolute_error(seen, predicted)),
        rmse=float(root_mean_squared_error(seen, predicted)),
        r2=float(r2_score(seen, predicted)),
        pinball=float(mean_pinball_loss(seen, predicted, alpha=QUANTILE)),
        bias=float(np.mean(predicted - seen)),
        spread=float(np.std(seen)),
        parts=parts(predicted, seen),
    )


def parts(predicted: Vector, seen: Vector) -> tuple[Part, ...]:
    """The deciles by prediction; equal predictions keep the order of their rows."""
    order = np.argsort(predicted, kind="stable")
    pieces = [piece for piece in np.array_split(order, PARTS) if len(piece)]
    return tuple(Part(len(each), float(predicted[each].mean()), float(seen[each].mean())) for each in pieces)

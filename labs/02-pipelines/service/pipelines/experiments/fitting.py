"""Training rows and later ones, a linear model and its error: just enough to tell one training set from another."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from lake import training
from lake.availability import PREDICTED
from lake.store import Lake
from pipelines.scratch import BEGIN
from runtime.errors import Permanent

Numbers: TypeAlias = npt.NDArray[np.float64]

LEAD = 60
"""Minutes between a prediction and the scheduled departure."""
TRAINING, HELD_OUT = (8, 19), (19, 21)
"""Days after the beginning of the year: the first one, and the one after the last."""
LABEL = "label"
_SAME = 1e-9
"""Relative spread below which a column counts as one value: what is left is the rounding of its mean."""
_COLLINEAR = 1e-8
"""Share of the greatest singular value below which columns say the same: they then share their weight."""


class TextColumn(Permanent):
    """A column holds text, and a linear model needs numbers."""


@dataclass(frozen=True)
class Model:
    """A linear model.

    Attributes:
        columns: what it reads, in order.
        means: their means in training, which also stand in for what is missing.
        scales: their standard deviations in training.
        weights: the intercept, then one for each column.
    """

    columns: tuple[str, ...]
    means: Numbers
    scales: Numbers
    weights: Numbers

    def predicted(self, rows: pl.DataFrame) -> Numbers:
        """The label of each row, as the model expects it."""
        given: Numbers = _scaled(_numbers(rows, self.columns), self.means, self.scales) @ self.weights
        return given


def sets(lake: Lake, service: str, extra: tuple[str, ...] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training rows and held-out ones, as `lake.training` makes them.

    Args:
        lake: where the tables are.
        service: whose features the rows have.
        extra: further columns of silver/flights, also such as are known too late.
    """

    def made(days: tuple[int, int]) -> pl.DataFrame:
        begin, end = (BEGIN + dt.timedelta(days=day) for day in days)
        return training.make(lake, training.Wanted(service, begin, end, LEAD, extra), allowed=extra).rows

    return made(TRAINING), made(HELD_OUT)


def fit(rows: pl.DataFrame, columns: Sequence[str]) -> Model:
    """The model with the least squared error on these rows.

    Args:
        rows: with `label`, and with `predicted_at` where a column holds instants.
        columns: what the model may read.

    Raises:
        TextColumn: a column holds text.
    """
    numbers = _numbers(rows, columns)
    means = np.array([_mean(each) for each in numbers], dtype=np.float64)
    spreads = np.array([each.std(ddof=0) or 0.0 for each in numbers], dtype=np.float64)
    # A column of one value teaches nothing: of infinite scale, it has no effect when it has another value later.
    scales = np.where(spreads > _SAME * np.maximum(1, np.abs(means)), spreads, np.inf)
    label = rows.get_column(LABEL).cast(pl.Float64).to_numpy()
    weights, *_ = np.linalg.lstsq(_scaled(numbers, means, scales), label, rcond=_COLLINEAR)
    return Model(tuple(columns), means, scales, weights)


def error(model: Model, rows: pl.DataFrame) -> float:
    """Root mean square error in the label's unit, minutes: the error that the model was fitted to keep small."""
    return _root_mean_square(model.predicted(rows) - rows.get_column(LABEL).to_numpy())


def baseline(training: pl.DataFrame, held_out: pl.DataFrame) -> float:
    """The error of whoever knows no feature, and always predicts the mean label of the training rows."""
    return _root_mean_square(held_out.get_column(LABEL).to_numpy() - _mean(training.get_column(LABEL)))


def _numbers(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    return rows.select(_number(rows, name) for name in columns)


def _number(rows: pl.DataFrame, name: str) -> pl.Expr:
    kind = rows.schema[name]
    if kind == pl.String:
        raise TextColumn(f"column {name} holds text, and a linear model needs numbers", f"leave {name} out")
    if kind.is_temporal():
        # An instant on its own only counts up; what can tell of a delay is how far it is from the prediction.
        return (pl.col(name) - pl.col(PREDICTED)).dt.total_seconds().cast(pl.Float64).alias(name) / 60
    return pl.col(name).cast(pl.Float64)


def _scaled(numbers: pl.DataFrame, means: Numbers, scales: Numbers) -> Numbers:
    """A column of ones for the intercept, then each column around nought; a missing value is the mean: nought."""
    values = (numbers.to_numpy() - means) / scales
    return np.column_stack([np.ones(len(values)), np.nan_to_num(values, nan=0.0)])


def _mean(values: pl.Series) -> float:
    """The mean of what is there; nought where nothing is."""
    mean = values.mean()
    return float(mean) if isinstance(mean, int | float) else 0.0


def _root_mean_square(values: Numbers) -> float:
    return float(np.sqrt(np.mean(np.square(values))))

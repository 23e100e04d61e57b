"""Federated averaging of a linear regression: a flight's arrival delay from what is known when it leaves.

Each site makes a few gradient steps on its own flights; the centre averages the sites' weights, and round after round
hands the average out again. Weights and sample counts travel, flights do not.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]

_MEANS = np.array([12.6, 1040.0, 13.2, 10.5])
_SCALES = np.array([40.0, 730.0, 4.7, 5.5])
"""Of departure delay (minutes), distance (miles), scheduled local hour and wind (miles per hour) over the year.
Everybody knows them beforehand: a site that standardised by its own flights would speak another language."""

STEPS = 4
"""Gradient steps that a site makes in a round."""
RATE = 0.1


class Flights(NamedTuple):
    """Flights as a regression wants them."""

    features: Vector
    """One row each: 1, then the standardised features."""
    delays: Vector
    """Minutes late at arrival."""


class Update(NamedTuple):
    """What a site gives back."""

    weights: Vector
    samples: int


def flights(rows: Sequence[tuple[float, float, float, float, float]]) -> Flights:
    """From rows of departure delay, distance, hour, wind and arrival delay; there is at least one."""
    table = np.array(rows, dtype=np.float64)
    features = (table[:, :4] - _MEANS) / _SCALES
    return Flights(np.hstack([np.ones((len(table), 1)), features]), table[:, 4])


def vector(numbers: Sequence[float]) -> Vector:
    """Weights as they travel in JSON.

    Raises:
        ValueError: they are not as many finite numbers as there are weights.
    """
    made = np.array(numbers, dtype=np.float64)
    if made.shape != (len(_MEANS) + 1,) or not np.isfinite(made).all():
        raise ValueError(f"weights must be {len(_MEANS) + 1} finite numbers")
    return made


def start() -> Vector:
    """Weights that know nothing."""
    return np.zeros(len(_MEANS) + 1)


def trained(weights: Vector, own: Flights, steps: int = STEPS, rate: float = RATE) -> Vector:
    """The weights after gradient steps on a site's own flights."""
    for _ in range(steps):
        gradient = own.features.T @ (own.features @ weights - own.delays) / len(own.delays)
        weights = weights - rate * gradient
    return weights


def averaged(updates: Sequence[Update], *, by_samples: bool) -> Vector:
    """The sites' weights averaged: each counts for its samples, or all count the same."""
    shares = np.array([update.samples if by_samples else 1 for update in updates], dtype=np.float64)
    stacked = np.stack([update.weights for update in updates])
    return np.asarray(shares @ stacked / shares.sum(), dtype=np.float64)


def central(pooled: Flights) -> Vector:
    """The best weights there are for flights that all lie in one place."""
    return np.asarray(np.linalg.lstsq(pooled.features, pooled.delays, rcond=None)[0], dtype=np.float64)


def pooled(parts: Sequence[Flights]) -> Flights:
    """All parts' flights together."""
    return Flights(np.concatenate([part.features for part in parts]), np.concatenate([part.delays for part in parts]))


def rmse(weights: Vector, of: Flights) -> float:
    """Root of the mean squared error, minutes."""
    return float(np.sqrt(np.mean((of.features @ weights - of.delays) ** 2)))

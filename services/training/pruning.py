"""Smaller models of the same kind: a network without its smallest weights, boosting without its last trees.

Weights that are zero are stored and multiplied as any other: `model.onnx` keeps its size and its speed, and only packs
better. Trees that are not there are neither stored nor run.
"""

import copy
import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from training.dataset import Rows
from training.estimators import in_minutes

Weights = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHARE = 0.5
"""Of a hidden layer's weights that go: those closest to zero."""
PASSES = 3
"""Through the rows that were learnt from, for the weights that stay to make up for those that went."""
TREES = 50
"""That stay, of boosting: each of them corrects those before, and the last ones correct least."""


def network(model: Pipeline, rows: Rows) -> Pipeline:
    """The network without the smallest weights of each layer but the last, whose few decide in minutes.

    Args:
        model: fitted; it stays as it is.
        rows: that it learnt from.
    """
    made = copy.deepcopy(model)
    net, mean, spread = made[-1], rows.label.mean(), rows.label.std() or 1.0
    in_minutes(net, -mean / spread, 1 / spread)  # back to a label without size, as it was learnt
    kept = [np.abs(weights) > np.quantile(np.abs(weights), SHARE) for weights in net.coefs_[:-1]]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        features = made[:-1].transform(rows.features.astype("float64"))
        for _ in range(PASSES):
            _zero(net.coefs_, kept)
            net.partial_fit(features, (rows.label - mean) / spread)
    _zero(net.coefs_, kept)
    in_minutes(net, mean, spread)
    return made


def _zero(layers: list[Weights], kept: list[Mask]) -> None:
    for weights, mask in zip(layers, kept, strict=False):  # the last layer has no mask
        np.multiply(weights, mask, out=weights)


def boosting(model: Pipeline) -> Pipeline:
    """The first trees."""
    made = copy.deepcopy(model)
    del made[-1]._predictors[TREES:]  # noqa: SLF001  where scikit-learn keeps them
    return made


def sparsity(model: Pipeline) -> float:
    """Share of a network's weights that are zero."""
    weights = np.concatenate([each.ravel() for each in model[-1].coefs_])
    return float((weights == 0).mean())

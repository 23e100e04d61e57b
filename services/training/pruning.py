"""Smaller models of the same kind: a network without its smallest weights, boosting without its last trees.

Weights that are zero are stored and multiplied as any other: `model.onnx` keeps its size and its speed, and only packs
better. Trees that are not there are neither stored nor run.
"""

import copy

import numpy as np
from sklearn.pipeline import Pipeline

SHARE = 0.6
"""Of a hidden layer's weights that go: those closest to zero."""
TREES = 50
"""That stay, of boosting: each of them corrects those before, and the last ones correct least."""


def network(model: Pipeline) -> Pipeline:
    """The network without the smallest weights of each layer but the last, whose few decide in minutes."""
    made = copy.deepcopy(model)
    for weights in made[-1].coefs_[:-1]:
        weights[np.abs(weights) <= np.quantile(np.abs(weights), SHARE)] = 0.0
    return made


def boosting(model: Pipeline) -> Pipeline:
    """The first trees."""
    made = copy.deepcopy(model)
    del made[-1]._predictors[TREES:]  # noqa: SLF001  where scikit-learn keeps them
    return made


def sparsity(model: Pipeline) -> float:
    """Share of a network's weights that are zero."""
    weights = np.concatenate([each.ravel() for each in model[-1].coefs_])
    return float((weights == 0).mean())

"""Variants: what is made of a fitted model to be smaller or faster, each a model of its own beside the original.

Its card has the original's figures beside its own, on the same held-out rows: what it costs stands where it is chosen.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from training import estimators, pruning
from training.dataset import Dataset
from training.estimators import BOOSTING, NETWORK
from training.evaluation import evaluate
from training.export import Exported, exported, opset
from training.fitting import Fitted, told
from training.quantising import quantised
from training.scoring import Scorer

_LEVEL = 9  # zlib's best: sizes are compared, not speeds


@dataclass(frozen=True)
class _Original:
    """What a variant is made of."""

    model: Pipeline
    made: Exported
    data: Dataset
    name: str


@dataclass(frozen=True)
class _Variant:
    """A variant's bytes and what is known of it alone."""

    content: bytes
    figures: dict[str, float]
    parameters: dict[str, str]


def _int8(original: _Original) -> _Variant:
    content = quantised(original.made.content, original.data.train.features, original.name)
    return _Variant(content, {}, {"variant": "int8, calibrated on training rows"})


def _pruned_network(original: _Original) -> _Variant:
    model = pruning.network(original.model, original.data.train)
    content = exported(model, original.data.held.features).content
    return _Variant(
        content, {"sparsity": pruning.sparsity(model)}, {"variant": f"{pruning.SHARE:.0%} of hidden weights are 0"}
    )


def _pruned_boosting(original: _Original) -> _Variant:
    content = exported(pruning.boosting(original.model), original.data.held.features).content
    trees = float(min(pruning.TREES, original.model[-1].n_iter_))
    return _Variant(content, {"trees": trees}, {"variant": f"the first {pruning.TREES} trees"})


MAKERS: Mapping[str, tuple[str, Callable[[_Original], _Variant]]] = {
    "network-int8": (NETWORK, _int8),
    "network-pruned": (NETWORK, _pruned_network),
    "boosting-pruned": (BOOSTING, _pruned_boosting),
}
"""Variant -> the kind that it is made of, and what makes it."""


def fit(data: Dataset, kind: str, name: str) -> Fitted:
    """Fit the original, and make the variant of it.

    Args:
        data: the training set, split.
        kind: a key of MAKERS.
        name: of the registered model.

    Raises:
        NotConverted: it cannot be written as ONNX, or not be quantised.
        Unequal: ONNX predicts something else than scikit-learn.
    """
    of, make = MAKERS[kind]
    model = estimators.fitted(of, data.train)
    original = _Original(model, exported(model, data.held.features), data, name.removesuffix(kind) + of)
    made = make(original)
    before = Scorer(original.made.content, len(data.features), original.name)(data.held.features)
    predicted = Scorer(made.content, len(data.features), name)(data.held.features)
    figures = {**_sizes(original.made.content, made.content), **made.figures}
    figures |= {f"original_{each}": value for each, value in evaluate(before, data.held.label).figures().items()}
    return told(
        data,
        kind,
        name,
        Exported(made.content, opset(made.content), float(np.abs(predicted - before).max())),
        {**estimators.parameters(model), "original": original.name, **made.parameters},
        figures,
    )


def _sizes(before: bytes, after: bytes) -> dict[str, float]:
    """Bytes of both, as they are and packed."""
    return {
        "bytes": float(len(after)), "bytes_packed": float(len(zlib.compress(after, _LEVEL))),
        "original_bytes": float(len(before)), "original_bytes_packed": float(len(zlib.compress(before, _LEVEL))),
    }  # fmt: skip

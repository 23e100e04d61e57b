"""The estimators: a linear baseline, gradient boosting, a small neural net.

Each is a scikit-learn pipeline of parts that ONNX has too. Seeds are fixed and one thread computes: the same rows give
the same numbers, to the bit.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from training.dataset import Rows

LINEAR, BOOSTING, NETWORK = "linear", "boosting", "network"
SEED = 2013


def _linear() -> Pipeline:
    return Pipeline([*_numbers(), ("ridge", Ridge(alpha=10.0, solver="cholesky"))])


def _boosting() -> Pipeline:
    # Trees take a missing value as one of its own kind: nothing is put in its place.
    trees = HistGradientBoostingRegressor(
        max_iter=150,
        learning_rate=0.06,
        max_leaf_nodes=31,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=SEED,
    )
    return Pipeline([("trees", trees)])


def _network() -> Pipeline:
    # So many passes and no more: when to stop is not left to the last digits of a loss.
    net = MLPRegressor(
        hidden_layer_sizes=(32, 16),
        alpha=1e-3,
        learning_rate_init=3e-3,
        batch_size=256,
        max_iter=20,
        n_iter_no_change=20,
        early_stopping=False,
        random_state=SEED,
    )
    return Pipeline([*_numbers(), ("net", net)])


def _numbers() -> list[tuple[str, Any]]:
    """No gaps, and all columns of one size."""
    return [
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
    ]


KINDS: Mapping[str, Callable[[], Pipeline]] = {LINEAR: _linear, BOOSTING: _boosting, NETWORK: _network}
"""Kind -> what makes the estimator."""


def fitted(kind: str, rows: Rows) -> Pipeline:
    """An estimator of that kind, fitted to the rows; reckoned in double precision, on one thread."""
    model = KINDS[kind]()
    mean, spread = (rows.label.mean(), rows.label.std() or 1.0) if kind == NETWORK else (0.0, 1.0)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is fixed on purpose
        model.fit(rows.features.astype("float64"), (rows.label - mean) / spread)
    if kind == NETWORK:
        in_minutes(model[-1], mean, spread)
    return model


def in_minutes(net: MLPRegressor, mean: float, spread: float) -> None:
    """Let the last layer of a net that has learnt a label without size predict minutes: times `spread`, plus `mean`."""
    net.coefs_[-1] *= spread
    net.intercepts_[-1] = net.intercepts_[-1] * spread + mean


def parameters(model: Pipeline) -> dict[str, str]:
    """What the last step was told, as text by name."""
    last = model.steps[-1][1]
    return {"estimator": type(last).__name__, **{name: str(value) for name, value in last.get_params().items()}}

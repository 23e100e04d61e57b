"""How histogram gradient boosting becomes ONNX.

skl2onnx has a converter of its own. It rounds thresholds to the nearest float32, which sends a value that lies between
the two the other way, and it writes truth values where protobuf 7 takes numbers only. This one is made of its parts and
does neither.
"""

from typing import Any

import numpy as np
from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes
from skl2onnx.common.tree_ensemble import (
    add_tree_to_attribute_pairs_hist_gradient_boosting,
    get_default_tree_regressor_attribute_pairs,
)
from sklearn.ensemble import HistGradientBoostingRegressor

_OPERATOR = "TreeEnsembleRegressor"
_NUMBERS = ("nodes_values", "nodes_hitrates", "target_weights")
_ML = 3


def convert(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401  skl2onnx has no types
    """Write the trees of a fitted regressor as one node."""
    model = operator.raw_operator
    told = get_default_tree_regressor_attribute_pairs()
    for number, (tree,) in enumerate(model._predictors):  # noqa: SLF001  where scikit-learn keeps them
        add_tree_to_attribute_pairs_hist_gradient_boosting(
            told,
            is_classifier=False,
            tree=tree,
            tree_id=number,
            tree_weight=1.0,
            weight_id_bias=0,
            leaf_weights_are_counts=False,
            adjust_threshold_for_sklearn=True,
            dtype=np.float32,
        )
    for name, values in told.items():
        if name in _NUMBERS:
            told[name] = np.asarray(values, dtype=np.float32).ravel()
        elif isinstance(values, list) and name != "nodes_modes":
            told[name] = [int(value) for value in values]
    told |= {"n_targets": 1, "base_values": np.asarray(model._baseline_prediction, dtype=np.float32).ravel()}  # noqa: SLF001
    container.add_node(
        _OPERATOR,
        operator.input_full_names,
        operator.outputs[0].full_name,
        op_domain="ai.onnx.ml",
        op_version=_ML,
        name=scope.get_unique_operator_name(_OPERATOR),
        **told,
    )


CONVERTERS = {HistGradientBoostingRegressor: convert}
SHAPES = {HistGradientBoostingRegressor: calculate_linear_regressor_output_shapes}
"""What convert_sklearn takes instead of its own."""

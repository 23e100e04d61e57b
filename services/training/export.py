"""From scikit-learn to ONNX: the same bytes for the same estimator, checked, and equal in what it predicts."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import checker
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from contracts.models import INPUT, OUTPUT
from training import trees
from training.dataset import Matrix
from training.errors import NotConverted, Unequal
from training.scoring import Scorer

OPSET, OPSET_ML = 18, 3
"""Newest versions of ONNX' operators, and of those for classical models, that may be used: any onnxruntime since 1.15
has them. A model says which it needs."""
ABSOLUTE, RELATIVE = 1e-3, 1e-4
"""Tolerance of the equality: minutes, and share of the prediction. scikit-learn reckons in double precision, ONNX in
single."""
_GRAPH = "tarmac"


@dataclass(frozen=True)
class Exported:
    """A model as ONNX.

    Attributes:
        content: of model.onnx.
        opset: version of ONNX' operators that it needs.
        difference: largest distance to scikit-learn on the rows it was checked on, minutes.
    """

    content: bytes
    opset: int
    difference: float


def exported(model: Pipeline, rows: Matrix) -> Exported:
    """Convert, check, compare.

    Args:
        model: fitted.
        rows: float32 [N, K], rows the model has not seen, to compare on.

    Raises:
        NotConverted: a part has no counterpart in ONNX, or the checker refuses the result.
        Unequal: the predictions differ by more than the tolerance.
    """
    content = converted(model, rows.shape[1])
    return Exported(content, opset(content), difference(model, content, rows))


def converted(model: Pipeline, features: int) -> bytes:
    """The bytes of model.onnx.

    Raises:
        NotConverted: a part has no counterpart in ONNX, or the checker refuses the result.
    """
    last = type(model.steps[-1][1]).__name__
    try:
        made = convert_sklearn(
            model,
            name=_GRAPH,
            initial_types=[(INPUT, FloatTensorType([None, features]))],
            final_types=[(OUTPUT, FloatTensorType([None, 1]))],
            target_opset={"": OPSET, "ai.onnx.ml": OPSET_ML},
            custom_conversion_functions=trees.CONVERTERS,
            custom_shape_calculators=trees.SHAPES,
        )
    except Exception as failure:  # each converter raises errors of its own
        raise NotConverted(f"estimator {last}: {failure}", "take a part that skl2onnx converts") from failure
    plain(made)
    verified(made, last)
    return bytes(made.SerializeToString(deterministic=True))


def opset(content: bytes) -> int:
    """Version of ONNX' own operators that a model needs; 1 where it needs none."""
    needed = onnx.load_from_string(content).opset_import
    return next((int(each.version) for each in needed if not each.domain), 1)


def plain(model: onnx.ModelProto) -> None:
    """Take out what does not decide a prediction and may differ from run to run: names, producer, remarks, order."""
    model.producer_name, model.producer_version = _GRAPH, ""
    model.domain, model.doc_string, model.model_version = "", "", 0
    del model.metadata_props[:]
    model.graph.name, model.graph.doc_string = _GRAPH, ""
    versions = sorted((each.domain, each.version) for each in model.opset_import)
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(*each) for each in versions)
    for number, node in enumerate(model.graph.node):
        node.name, node.doc_string = f"{number}_{node.op_type}", ""


def verified(model: onnx.ModelProto | bytes, what: str) -> None:
    """Hold a model to ONNX' rules.

    Raises:
        NotConverted: it breaks them.
    """
    try:
        checker.check_model(model, full_check=True)
    except Exception as failure:  # noqa: BLE001  the checker and shape inference have no common error
        raise NotConverted(f"model of {what}: ONNX' checker refuses it: {failure}", "register it anew") from None


def difference(model: Pipeline, content: bytes, rows: Matrix) -> float:
    """Largest distance between the two predictions, minutes; for many rows at once and for single ones.

    Raises:
        Unequal: it is beyond the tolerance.
    """
    scorer = Scorer(content, rows.shape[1], _GRAPH)
    with threadpool_limits(1):
        wanted = model.predict(rows.astype("float64"))
    found = scorer(rows)
    alone = np.concatenate([scorer(row[None, :]) for row in rows[:20]])
    away = np.maximum(np.abs(found - wanted), 0.0)
    away[: len(alone)] = np.maximum(away[: len(alone)], np.abs(alone - wanted[: len(alone)]))
    excess = away - (ABSOLUTE + RELATIVE * np.abs(wanted))
    worst = int(np.argmax(excess))
    if not excess[worst] <= 0:  # a NaN is no equality either
        raise Unequal(
            f"model of {type(model.steps[-1][1]).__name__}: row {worst}: ONNX says {found[worst]:.6f}, scikit-learn "
            f"{wanted[worst]:.6f}; {int((~(excess <= 0)).sum())} of {len(rows)} rows are beyond the tolerance",
            "do not register it: take another estimator or version of skl2onnx",
        )
    return float(away.max())

"""The models that bench/serving.py asks, and what it asks: the same for every server."""

import random
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAME, INPUT, OUTPUT = "small", "x", "y"
COLUMNS, HIDDEN = 32, 16
WIDE = "wide"
WIDE_COLUMNS = 32_768
"""128 KB of FP32."""


def small() -> onnx.ModelProto:
    """Return two layers: 32 columns, 16 units, one number."""
    draw = np.random.default_rng(1)
    first = draw.normal(0, 0.3, (COLUMNS, HIDDEN)).astype(np.float32)
    second = draw.normal(0, 0.3, (HIDDEN, 1)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", [INPUT, "first"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "second"], [OUTPUT]),
    ]
    return _model(nodes, COLUMNS, [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")])


def wide() -> onnx.ModelProto:
    """Return the sum of 32,768 columns: next to no work on 128 KB."""
    axes = numpy_helper.from_array(np.array([1]), "axes")
    return _model([helper.make_node("ReduceSum", [INPUT, "axes"], [OUTPUT])], WIDE_COLUMNS, [axes])


def _model(nodes: list[onnx.NodeProto], columns: int, weights: list[onnx.TensorProto]) -> onnx.ModelProto:
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", columns])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph(nodes, "graph", [given], [found], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def rows(number: int) -> list[list[float]]:
    """Return so many different rows of the small model."""
    draw = random.Random(2)  # noqa: S311  the same draws at every run
    return [[round(draw.uniform(-2, 2), 3) for _ in range(COLUMNS)] for _ in range(number)]


def write(root: Path) -> None:
    """Write both models as the service's folder source has them."""
    for name, made in ((NAME, small()), (WIDE, wide())):
        folder = root / name / "1"
        folder.mkdir(parents=True)
        onnx.save(made, str(folder / "model.onnx"))

"""The model that bench/serving.py asks, and what it asks: the same for every server."""

import random
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAME, INPUT, OUTPUT = "small", "x", "y"
COLUMNS, HIDDEN = 32, 16


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
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", COLUMNS])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    weights = [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")]
    graph = helper.make_graph(nodes, "graph", [given], [found], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def rows(number: int) -> list[list[float]]:
    """Return so many different rows of the small model."""
    draw = random.Random(2)  # noqa: S311  the same draws at every run
    return [[round(draw.uniform(-2, 2), 3) for _ in range(COLUMNS)] for _ in range(number)]


def write(root: Path) -> None:
    """Write the model as the service's folder source has it."""
    folder = root / NAME / "1"
    folder.mkdir(parents=True)
    onnx.save(small(), str(folder / "model.onnx"))

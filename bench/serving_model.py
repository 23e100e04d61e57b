"""The model that bench/serving.py asks, and what it asks: the same for every server."""

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAME, DEEP, STEPS = "small", "deep", "steps"
INPUT, OUTPUT = "x", "y"
COLUMNS, HIDDEN = 32, 16
WIDTH, LAYERS = 1024, 12
"""Of the deep model: its weights, 50 MB, have to come from memory for each run; its rows keep the core busy, too."""
_STEPS, _NARROW = 4000, 8
"""Layers and units of the model of many steps: its runs take their time from those, hardly from their rows."""


def small() -> onnx.ModelProto:
    """Return two layers: 32 columns, 16 units, one number."""
    return _layers([COLUMNS, HIDDEN, 1], 0.3)


def deep() -> onnx.ModelProto:
    """Return fourteen layers, of which one run takes milliseconds, and each row of several a tenth of that."""
    return _layers([COLUMNS, *[WIDTH] * (LAYERS + 1), 1], 0.03)


def steps() -> onnx.ModelProto:
    """Return thousands of narrow layers, of which one run takes milliseconds, and one of many rows little more.

    What they give is multiplied by nothing: the answer is the sum of a row.
    """
    draw = np.random.default_rng(1)
    held = {
        "into": draw.normal(0, 0.1, (COLUMNS, _NARROW)), "step": draw.normal(0, 0.3, (_NARROW, _NARROW)),
        "nothing": np.zeros((_NARROW, 1)), "ones": np.ones((COLUMNS, 1)),
    }  # fmt: skip
    nodes = [helper.make_node("MatMul", [INPUT, "into"], ["r0"])]
    for number in range(_STEPS):
        nodes.append(helper.make_node("MatMul", [f"r{number}", "step"], [f"h{number}"]))
        nodes.append(helper.make_node("Tanh", [f"h{number}"], [f"r{number + 1}"]))
    nodes.append(helper.make_node("MatMul", [f"r{_STEPS}", "nothing"], ["none"]))
    nodes.append(helper.make_node("MatMul", [INPUT, "ones"], ["sum"]))
    nodes.append(helper.make_node("Add", ["sum", "none"], [OUTPUT]))
    return _made(nodes, {name: each.astype(np.float32) for name, each in held.items()})


def _layers(widths: list[int], spread: float) -> onnx.ModelProto:
    draw = np.random.default_rng(1)
    shapes = list(itertools.pairwise(widths))
    weights = [draw.normal(0, spread, shape).astype(np.float32) for shape in shapes]
    nodes, before = [], INPUT
    for number in range(len(shapes)):
        last = number == len(shapes) - 1
        nodes.append(helper.make_node("MatMul", [before, f"w{number}"], [OUTPUT if last else f"h{number}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
        before = f"r{number}"
    return _made(nodes, {f"w{number}": each for number, each in enumerate(weights)})


def _made(nodes: list[onnx.NodeProto], held: dict[str, np.ndarray[Any, np.dtype[np.float32]]]) -> onnx.ModelProto:
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", COLUMNS])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    constants = [numpy_helper.from_array(each, name) for name, each in held.items()]
    graph = helper.make_graph(nodes, "graph", [given], [found], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def rows(number: int) -> list[list[float]]:
    """Return so many different rows of either model."""
    draw = random.Random(2)  # noqa: S311  the same draws at every run
    return [[round(draw.uniform(-2, 2), 3) for _ in range(COLUMNS)] for _ in range(number)]


def write(root: Path) -> None:
    """Write the models as the service's folder source has them."""
    for name, made in ((NAME, small()), (DEEP, deep()), (STEPS, steps())):
        folder = root / name / "1"
        folder.mkdir(parents=True)
        onnx.save(made, str(folder / "model.onnx"))

"""Models made up for trials: small ONNX graphs with the contract's input and output, the same bytes at every making.

All take `features` float32 [N, columns] and give `prediction` float32 [N, 1].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from contracts.models import INPUT, OUTPUT

COLUMNS = 4
_OPSET, _IR = 17, 8
_SEED = 13
_HIDDEN = "hidden"


def adding(minutes: float = 0.0, columns: int = COLUMNS) -> bytes:
    """A model that gives the sum of a row and some minutes more."""
    ones = np.ones((columns, 1), np.float32)
    return _made([*_linear(INPUT, "ones", "sum"), _plus("sum", "minutes", OUTPUT)], columns, ones=ones, minutes=minutes)


def failing(above: float, columns: int = COLUMNS) -> bytes:
    """The same as `adding`, but it fails on a request whose first row begins with more than `above`.

    It looks the first value up in a table that is too short.
    """
    table = np.zeros(int(above) + 1, np.float32)
    nodes = [
        helper.make_node("Gather", [INPUT, "zero"], ["row"], axis=0),
        helper.make_node("Gather", ["row", "zero"], ["first"], axis=0),
        helper.make_node("Cast", ["first"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "place"], ["nothing"], axis=0),
        *_linear(INPUT, "ones", "sum"),
        _plus("sum", "nothing", OUTPUT),
    ]
    ones = np.ones((columns, 1), np.float32)
    return _made(nodes, columns, ones=ones, table=table, zero=np.array(0, np.int64))


def deep(layers: int, width: int, columns: int = COLUMNS, minutes: float = 0.0) -> bytes:
    """A model of many layers of one weight matrix: a run takes long because of its steps, hardly because of its rows.

    Its answer is that of `adding`: what the layers give is multiplied by nothing.
    """
    nodes = [*_linear(INPUT, "into", f"{_HIDDEN}0")]
    for at in range(layers):
        nodes += _linear(f"{_HIDDEN}{at}", "weights", f"step{at}")
        nodes.append(helper.make_node("Tanh", [f"step{at}"], [f"{_HIDDEN}{at + 1}"]))
    nodes += [
        *_linear(f"{_HIDDEN}{layers}", "nothing", "none"),
        *_linear(INPUT, "ones", "sum"),
        _plus("sum", "none", "all"),
        _plus("all", "minutes", OUTPUT),
    ]
    draw = np.random.default_rng(_SEED)
    return _made(
        nodes,
        columns,
        into=draw.normal(0, 0.1, (columns, width)).astype(np.float32),
        weights=draw.normal(0, 1 / np.sqrt(width), (width, width)).astype(np.float32),
        nothing=np.zeros((width, 1), np.float32),
        ones=np.ones((columns, 1), np.float32),
        minutes=minutes,
    )


def heavy(megabytes: float, columns: int = COLUMNS) -> bytes:
    """A model whose weights take so much memory; its answer is that of `adding`."""
    width = round((megabytes * 1e6 / 4) ** 0.5)
    return deep(1, width, columns)


def _linear(given: str, weights: str, found: str) -> list[NodeProto]:
    return [helper.make_node("MatMul", [given, weights], [found])]


def _plus(given: str, more: str, found: str) -> NodeProto:
    return helper.make_node("Add", [given, more], [found])


def _made(nodes: Sequence[NodeProto], columns: int, **weights: "np.ndarray[Any, Any] | float") -> bytes:
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", columns])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    kept = [
        numpy_helper.from_array(each if isinstance(each, np.ndarray) else np.array([each], np.float32), name)
        for name, each in weights.items()
    ]
    graph = helper.make_graph(list(nodes), "trial", [given], [found], kept)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))

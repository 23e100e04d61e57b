"""Versions of a model that a release has to tell apart: small ONNX graphs, made here.

All take `features` float32 [N, 4] and give `prediction` float32 [N, 1]: the sum of each row, or what their fault makes
of it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

COLUMNS = 4
_INPUT, _OUTPUT = "features", "prediction"
_OPSET, _IR = 17, 8
_WIDTH = 512
"""Of a slow version's layers: few of them take long, so that the file is loaded soon."""
_PROBE, _RUNS = 40, 5
_SEED = 13


def good(minutes: float = 0.0) -> bytes:
    """Return a version that adds so many minutes to the sum; with many of them its predictions are wrong."""
    return _made([_matmul(_INPUT, "ones", "sum"), _add("sum", "minutes")], minutes=[float(minutes)])


def failing(bound: int) -> bytes:
    """Return a version that fails on every request whose first value is `bound` or more: its table is too short."""
    nodes = [
        helper.make_node("Gather", [_INPUT, "first"], ["chosen"], axis=1),
        helper.make_node("Cast", ["chosen"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "place"], ["nothing"], axis=0),
        _matmul(_INPUT, "ones", "sum"),
        _add("sum", "nothing"),
    ]
    return _made(nodes, table=np.zeros(bound, np.float32), first=np.array([0], np.int64))


def slow(seconds: float) -> bytes:
    """Return a version of which a run takes so many seconds of this machine's work."""
    return _deep(max(round(_PROBE * seconds / _taken(_deep(_PROBE))), 1))


def _deep(layers: int) -> bytes:
    nodes = [_matmul(_INPUT, "into", "hidden0")]
    for at in range(layers):
        nodes += [
            _matmul(f"hidden{at}", "weights", f"step{at}"),
            helper.make_node("Tanh", [f"step{at}"], [f"hidden{at + 1}"]),
        ]
    nodes += [
        _matmul(f"hidden{layers}", "nothing", "none"),
        _matmul(_INPUT, "ones", "sum"),
        _add("sum", "none"),
    ]
    draw = np.random.default_rng(_SEED)
    return _made(
        nodes,
        into=draw.normal(0, 0.1, (COLUMNS, _WIDTH)),
        weights=draw.normal(0, 1 / np.sqrt(_WIDTH), (_WIDTH, _WIDTH)),
        nothing=np.zeros((_WIDTH, 1)),
    )


def _taken(content: bytes) -> float:
    """Return the seconds of work that a run of one row takes here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    taken = []
    for _ in range(_RUNS):
        begun = time.thread_time()
        session.run(None, {_INPUT: np.ones((1, COLUMNS), np.float32)})
        taken.append(time.thread_time() - begun)
    return statistics.median(taken)


def _matmul(given: str, weights: str, found: str) -> NodeProto:
    return helper.make_node("MatMul", [given, weights], [found])


def _add(given: str, more: str) -> NodeProto:
    return helper.make_node("Add", [given, more], [_OUTPUT])


def _made(nodes: Sequence[NodeProto], **weights: np.ndarray[Any, Any] | list[float]) -> bytes:
    given = helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, ["N", COLUMNS])
    found = helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["N", 1])
    kept = {"ones": np.ones((COLUMNS, 1)), **weights}
    tensors = [numpy_helper.from_array(_narrow(np.asarray(each)), name) for name, each in kept.items()]
    graph = helper.make_graph(list(nodes), "version", [given], [found], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _narrow(tensor: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return tensor if tensor.dtype == np.int64 else tensor.astype(np.float32)

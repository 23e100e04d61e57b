"""Models run in this process: what a variant costs without a server around it; the single adapter of onnxruntime."""

import statistics
import time
from typing import Any

import numpy as np
import onnxruntime

from contracts.models import INPUT, OUTPUT

Matrix = np.ndarray[Any, np.dtype[np.float32]]

_CALLS = 30
_SILENT = 4


class Local:
    """A model in memory, on one thread.

    Args:
        content: of model.onnx.
    """

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT  # what goes wrong is raised
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, rows: Matrix) -> Matrix:
        """Predictions, float32 [N], for float32 [N, K]."""
        (found,) = self._session.run([OUTPUT], {INPUT: rows})
        return np.asarray(found, np.float32)[:, 0]

    def seconds(self, rows: Matrix, calls: int = _CALLS) -> float:
        """Work of a run, whoever else wants the core: the median of many calls, after some to warm up."""
        taken = []
        for number in range(calls + calls // 10):
            begun = time.thread_time()
            self(rows)
            if number >= calls // 10:
                taken.append(time.thread_time() - begun)
        return statistics.median(taken)


def seconds(content: bytes, rows: Matrix) -> float:
    """Work of a run of a model here."""
    return Local(content).seconds(rows)

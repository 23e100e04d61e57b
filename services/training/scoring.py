"""onnxruntime, the only place where it enters: what `model.onnx` itself predicts, and how long that takes."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import onnxruntime

from contracts.models import INPUT, OUTPUT
from training.dataset import Matrix, Vector
from training.errors import BadModel

_BATCH = 4096
_CALLS = 200


class Scorer:
    """A model, ready to be asked, on one thread.

    Args:
        content: of model.onnx.
        features: how many columns its input must have.
        what: the model's name, for messages.

    Raises:
        BadModel: it cannot be loaded, or has another input or output than the contract says.
    """

    def __init__(self, content: bytes, features: int, what: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as failure:  # noqa: BLE001  its errors have no common base
            raise BadModel(f"model {what}: onnxruntime cannot load it: {failure}", "register it anew") from None
        self._check(features, what)

    def __call__(self, features: Matrix) -> Vector:
        """Predictions, float64 [N], for float32 [N, K]."""
        parts = [self._run(features[begin : begin + _BATCH]) for begin in range(0, len(features), _BATCH)]
        return np.concatenate(parts or [np.empty(0)])

    def milliseconds(self, features: Matrix) -> float:
        """How long the prediction of one row takes, the median of many calls, after some to warm up."""
        return milliseconds(lambda row: self._session.run([OUTPUT], {INPUT: row}), features)

    def _run(self, features: Matrix) -> Vector:
        (found,) = self._session.run([OUTPUT], {INPUT: features})
        return np.asarray(found, dtype=np.float64)[:, 0]

    def _check(self, features: int, what: str) -> None:
        told = [
            [(each.name, each.type, each.shape[1:]) for each in side]
            for side in (self._session.get_inputs(), self._session.get_outputs())
        ]
        wanted = [[(INPUT, "tensor(float)", [features])], [(OUTPUT, "tensor(float)", [1])]]
        if told != wanted:
            raise BadModel(f"model {what}: its signature is {told}, not {wanted}", "register it anew")


def milliseconds(predict: Callable[[Matrix], object], features: Matrix) -> float:
    """How long `predict` takes for one row, the median of many calls, after some to warm up."""
    taken = []
    for number in range(_CALLS + _CALLS // 10):
        row = features[number % len(features)][None, :]
        begun = time.perf_counter()
        predict(row)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[_CALLS // 10 :]) * 1000

"""A network in whole numbers of eight bits: onnxruntime's quantisation, the only place where that enters.

Weights and what goes between the layers are written as INT8 with a scale each; how large the latter become is seen on
rows of the training, never on held-out ones. What comes before the first layer (gaps, scales) stays as it is.
"""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from contracts.models import INPUT
from training.dataset import Matrix
from training.errors import NotConverted
from training.export import plain, verified

_ROWS = 4096
"""Rows of the training that are looked at, evenly spread."""
_LAYERS = ["MatMul", "Gemm", "Add", "Relu"]


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Hands out rows, all at once."""

    def __init__(self, rows: Matrix) -> None:
        self._waiting: Iterator[dict[str, Matrix]] = iter([{INPUT: rows}])

    def get_next(self) -> dict[str, Matrix] | None:
        """The next rows; None: there are no more."""
        return next(self._waiting, None)


def quantised(content: bytes, rows: Matrix, what: str) -> bytes:
    """The bytes of the same model in INT8.

    Args:
        content: of model.onnx.
        rows: float32 [N, K], that it learnt from.
        what: its name, for messages.

    Raises:
        NotConverted: onnxruntime does not quantise it.
    """
    chosen = rows[np.linspace(0, len(rows) - 1, min(_ROWS, len(rows)), dtype=np.int64)]
    try:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "int8.onnx"
            _quietly(onnx.load_from_string(content), file, _Rows(chosen))
            made = onnx.load(file)
    except Exception as failure:  # its errors have no common base
        raise NotConverted(f"model {what}: onnxruntime cannot quantise it: {failure}", "serve it as it is") from failure
    plain(made)
    verified(made, what)
    return bytes(made.SerializeToString(deterministic=True))


def _quietly(model: Any, file: Path, rows: _Rows) -> None:  # noqa: ANN401  onnx has no types for it
    """Quantise; its advice to prepare the model first is for graphs with shapes that are not known."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_static(
            model,
            file,
            rows,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_LAYERS,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    finally:
        root.setLevel(level)

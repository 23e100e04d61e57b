"""The peer BentoML with the same model behind V2's JSON: `bentoml serve serving_bentoml:Small --port PORT`.

It runs in an environment of its own, with one worker.
"""

import os
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=1)
class Small:
    """Runs the small model."""

    def __init__(self) -> None:
        """Load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    @bentoml.api(route="/v2/models/small/infer")  # type: ignore[untyped-decorator]  # as above
    def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Run it."""
        given = np.array(inputs[0]["data"], np.float32).reshape(inputs[0]["shape"])
        (found,) = self._session.run(None, {"x": given})
        told = {"name": "y", "shape": list(found.shape), "datatype": "FP32", "data": found.ravel().tolist()}
        return {"model_name": "small", "model_version": "1", "outputs": [told]}

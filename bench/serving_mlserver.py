"""The peer MLServer with the same model: a runtime of the few lines that its documentation asks for.

It runs in an environment of its own, `mlserver start FOLDER` with FOLDER's model-settings.json naming this class.
"""

import os
from pathlib import Path

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Small(MLModel):  # type: ignore[misc]  # MLServer is in its own environment only
    """Runs the small model."""

    async def load(self) -> bool:
        """Load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run it."""
        given = payload.inputs[0]
        (found,) = self._session.run(None, {given.name: np.array(list(given.data), np.float32).reshape(given.shape)})
        output = ResponseOutput(name="y", shape=list(found.shape), datatype="FP32", data=found.ravel().tolist())
        return InferenceResponse(model_name=self.name, model_version="1", outputs=[output])

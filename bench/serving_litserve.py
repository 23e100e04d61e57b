"""The peer LitServe with the same model behind V2's JSON: `python bench/serving_litserve.py PORT`.

It runs in an environment of its own: one API server, one worker, as its documentation begins.
"""

import os
import sys
from pathlib import Path
from typing import Any

import litserve
import numpy as np
import onnxruntime


class Small(litserve.LitAPI):  # type: ignore[misc]  # LitServe is in its own environment only
    """Runs the small model."""

    def setup(self, device: str) -> None:
        """Load it."""
        del device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    # LitServe takes an annotation for the type of a body, `Any` even for a parameter of the query.
    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Read a request."""
        given = request["inputs"][0]
        return np.array(given["data"], np.float32).reshape(given["shape"])

    def predict(self, x: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Run it."""
        return self._session.run(None, {"x": x})[0]

    def encode_response(self, output: Any) -> Any:  # noqa: ANN401  as LitServe has it
        """Write an answer."""
        told = {"name": "y", "shape": list(output.shape), "datatype": "FP32", "data": output.ravel().tolist()}
        return {"model_name": "small", "model_version": "1", "outputs": [told]}


if __name__ == "__main__":
    server = litserve.LitServer(Small(api_path="/v2/models/small/infer"), accelerator="cpu")
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="error")

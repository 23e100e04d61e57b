"""The peer mosec with the same model behind V2's JSON: `python bench/serving_mosec.py --port PORT --num 1`.

It runs in an environment of its own: one worker, msgspec for JSON, batches of up to BENCH_BATCH (1) after at most 1 ms.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
from mosec import Server, Worker


class Small(Worker):  # type: ignore[misc]  # mosec is in its own environment only
    """Runs batches of the small model."""

    def __init__(self) -> None:
        """Load it."""
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def deserialize(self, data: bytes) -> Any:  # noqa: ANN401  as mosec has it
        """Read a request."""
        return msgspec.json.decode(data)

    def serialize(self, data: Any) -> bytes:  # noqa: ANN401  as mosec has it
        """Write an answer."""
        return msgspec.json.encode(data)

    def forward(self, data: Any) -> Any:  # noqa: ANN401  one request, or a list of them where batches are on
        """Run one-row requests."""
        asked = data if isinstance(data, list) else [data]
        given = np.array([each["inputs"][0]["data"] for each in asked], np.float32)
        (found,) = self._session.run(None, {"x": given})
        told = [
            {
                "model_name": "small",
                "model_version": "1",
                "outputs": [{"name": "y", "shape": [1, 1], "datatype": "FP32", "data": row.tolist()}],
            }
            for row in found
        ]
        return told if isinstance(data, list) else told[0]


if __name__ == "__main__":
    server = Server()
    batch = int(os.environ.get("BENCH_BATCH", "1"))
    server.append_worker(Small, num=1, max_batch_size=batch, max_wait_time=1 if batch > 1 else 0)
    server.run()

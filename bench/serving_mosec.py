"""The peer mosec with the same model behind V2's JSON: `python bench/serving_mosec.py --port PORT --num 1`.

It runs in an environment of its own: one worker, batches of up to 32 after at most 1 ms, msgspec for JSON.
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

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run a batch of one-row requests."""
        given = np.array([each["inputs"][0]["data"] for each in data], np.float32)
        (found,) = self._session.run(None, {"x": given})
        return [
            {
                "model_name": "small",
                "model_version": "1",
                "outputs": [{"name": "y", "shape": [1, 1], "datatype": "FP32", "data": row.tolist()}],
            }
            for row in found
        ]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Small, num=1, max_batch_size=32, max_wait_time=1)
    server.run()

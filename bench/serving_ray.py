"""The peer Ray Serve with the same model behind V2's JSON: `python bench/serving_ray.py PORT FOLDER`.

It runs in an environment of its own: one proxy, one replica, everything that Ray starts on this machine and in FOLDER.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import ray
from ray import serve


@serve.deployment(num_replicas=1, max_ongoing_requests=64)  # Ray is in its own environment only
class Small:
    """Runs the small model."""

    def __init__(self) -> None:
        """Load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    async def __call__(self, request: Any) -> dict[str, Any]:  # noqa: ANN401  as Ray has it
        """Run it."""
        given = (await request.json())["inputs"][0]
        rows = np.array(given["data"], np.float32).reshape(given["shape"])
        (found,) = self._session.run(None, {"x": rows})
        told = {"name": "y", "shape": list(found.shape), "datatype": "FP32", "data": found.ravel().tolist()}
        return {"model_name": "small", "model_version": "1", "outputs": [told]}


def _stop(*_: object) -> None:
    serve.shutdown()
    ray.shutdown()
    sys.exit(0)


if __name__ == "__main__":
    port, folder = sys.argv[1:]
    signal.signal(signal.SIGTERM, _stop)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=folder)
    serve.start(http_options={"host": "127.0.0.1", "port": int(port), "access_log": False})
    serve.run(Small.bind(), route_prefix="/v2/models/small/infer")  # type: ignore[attr-defined]  # Ray decorates it
    signal.pause()

"""What every peer of the serving benchmarks does with the model: load it, read a request, say the answer.

It runs in each peer's own environment, with numpy and onnxruntime alone. BENCH_MODELS is the folder of the models,
BENCH_MODEL the one that is asked (small), BENCH_BATCH how many requests one run may have (1), BENCH_WIRE what goes over
the wire: `v2`, V2's JSON, or `raw`, the bytes of the rows there and of the predictions back.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

MODEL = os.environ.get("BENCH_MODEL", "small")
BATCH = int(os.environ.get("BENCH_BATCH", "1"))
WAIT_SECONDS = 0.001
"""That a batch may wait for company, where a peer has to be told."""
RAW = os.environ.get("BENCH_WIRE") == "raw"
_COLUMNS = 32


def session() -> onnxruntime.InferenceSession:
    """Load the model, for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = Path(os.environ["BENCH_MODELS"]) / MODEL / "1/model.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def rows(asked: Any) -> Any:  # noqa: ANN401  JSON, or bytes
    """Return the rows of a request, float32 [N, 32]."""
    if RAW:
        return np.frombuffer(asked, np.float32).reshape(-1, _COLUMNS)
    given = asked["inputs"][0]
    return np.array(given["data"], np.float32).reshape(given["shape"])


def told(found: Any) -> dict[str, Any]:  # noqa: ANN401  an array
    """Return V2's answer for predictions."""
    output = {"name": "y", "shape": list(found.shape), "datatype": "FP32", "data": found.ravel().tolist()}
    return {"model_name": MODEL, "model_version": "1", "outputs": [output]}


def apart(found: Any, asked: list[Any]) -> list[Any]:  # noqa: ANN401  an array
    """Return the predictions of a batch by request."""
    return np.split(found, np.cumsum([len(each) for each in asked])[:-1])

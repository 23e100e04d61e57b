"""The peer `mlflow models serve`: the same model as MLflow keeps it; `python bench/serving_mlflow.py FOLDER` writes it.

It runs in an environment of its own, which has onnx and onnxruntime as well.
"""

import os
import sys
from pathlib import Path

import mlflow.onnx
import onnx

if __name__ == "__main__":
    found = onnx.load(Path(os.environ["BENCH_MODELS"]) / "small/1/model.onnx")
    options = {"intra_op_num_threads": 1}
    mlflow.onnx.save_model(
        found, sys.argv[1], onnx_execution_providers=["CPUExecutionProvider"], onnx_session_options=options
    )

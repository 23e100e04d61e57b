"""The training pipeline: a training set in, a judged and registered ONNX model out."""

import os

# MLflow's client would tell its makers how it is used; whether it may is read once, when it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

"""What MLflow is told in its own words: the model's folder with its signature, and where the data are from."""

import json
import platform
import shutil
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
import onnxruntime
import yaml
from mlflow.entities import Dataset as Told
from mlflow.entities import DatasetInput, InputTag
from mlflow.models.model import Model
from mlflow.types import Schema, TensorSpec

from contracts.compositions import COMPOSITION
from contracts.models import INPUT, MODEL, OUTPUT, Card
from training.dataset import Dataset, Rows

_FLOAT = np.dtype(np.float32)


def signature(card: Card) -> dict[str, Any]:
    """The model's input and output, as tensors of any number of rows, in the form of MLmodel.

    MLflow's own class for it needs pandas, which nothing else here does.
    """
    given = Schema([TensorSpec(_FLOAT, (-1, len(card.features)), INPUT)])
    answer = Schema([TensorSpec(_FLOAT, (-1, 1), OUTPUT)])
    return {"inputs": given.to_json(), "outputs": answer.to_json(), "params": None}


def folder(files: Path, card: Card, place: Path) -> Path:
    """Complete a folder by MLmodel, so that MLflow's own tools can serve the model in it."""
    shutil.copytree(files, place, dirs_exist_ok=True)
    if (place / COMPOSITION).exists():
        return _composed(card, place)
    model = Model()
    needs = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "mlflow": mlflow.__version__}
    lines = "".join(f"{name}=={version}\n" for name, version in needs.items())
    (place / "requirements.txt").write_text(lines, encoding="utf-8")
    python = platform.python_version()
    model.add_flavor("python_function", loader_module="mlflow.onnx", data=MODEL, python_version=python)
    model.add_flavor("onnx", onnx_version=onnx.__version__, data=MODEL, providers=["CPUExecutionProvider"])
    told = {**model.to_dict(), "signature": signature(card)}
    (place / "MLmodel").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return place


def _composed(card: Card, place: Path) -> Path:
    """A composition: MLflow's own tools can show it, and cannot run it."""
    model = Model()
    model.add_flavor("composition", data=COMPOSITION, kind=card.kind)
    told = {**model.to_dict(), "signature": signature(card)}
    (place / "MLmodel").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return place


def datasets(data: Dataset) -> list[DatasetInput]:
    """The two parts of the training set, each with what it was learnt from or judged by."""
    return [_part(data, data.train, "training"), _part(data, data.held, "evaluation")]


def _part(data: Dataset, rows: Rows, context: str) -> DatasetInput:
    columns = [{"name": name, "type": "float", "required": False} for name in data.features]
    told = Told(
        name=f"{data.name}/{context}",
        digest=data.manifest.sha256[:32],
        source_type="tarmac-training-set",
        source=json.dumps(data.lineage),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": len(rows), "num_elements": rows.features.size}),
    )
    return DatasetInput(told, [InputTag("mlflow.data.context", context)])

"""Small ONNX models, made where they are needed, and folders of them as a registry would leave them."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from contracts import models
from contracts.compositions import COMPOSITION
from contracts.models import CHAMPION, INPUT, OUTPUT, Card
from serving.compositions.composed import composed
from serving.compositions.composing import Composing
from serving.figures import Figures
from serving.model.batch import Limits
from serving.model.examination import examined
from serving.model.opening import Opener
from serving.model.outline import Outline
from serving.model.session import Options, Session
from serving.model.version import Served, served
from serving.repository.repository import Made, Repository
from serving.repository.room import Room
from serving.source.artifact import Artifact
from serving.source.folder import FolderSource

FEATURES = ("dep_delay", "distance", "wind")
LARGEST = 10_000_000
Shape = Sequence[int | str]


def model(nodes: list[onnx.NodeProto], inputs: list, outputs: list, weights: Sequence = ()) -> onnx.ModelProto:  # type: ignore[type-arg]
    """Return a model of these parts."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def linear(columns: int = 3, factor: float = 1.0) -> onnx.ModelProto:
    """Return a model that gives the sum of a row, times a factor: one input and output as the contract has them."""
    weights = numpy_helper.from_array(np.full((columns, 1), factor, np.float32), "weights")
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", columns])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    return model([helper.make_node("MatMul", [INPUT, "weights"], [OUTPUT])], [given], [found], [weights])


def chained(length: int) -> onnx.ModelProto:
    """Return a small file that is a large session: so many operators, one after the other."""
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", 3])
    found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])
    weights = numpy_helper.from_array(np.ones((3, 1), np.float32), "weights")
    nodes = [helper.make_node("MatMul", [INPUT, "weights"], ["h0"])]
    nodes += [helper.make_node("Tanh", [f"h{at}"], [f"h{at + 1}"]) for at in range(length)]
    nodes.append(helper.make_node("Tanh", [f"h{length}"], [OUTPUT]))
    return model(nodes, [given], [found], [weights])


def identity(kind: int, shape: Shape = ("N", 2)) -> onnx.ModelProto:
    """Return a model that gives back what it is given, of any type."""
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y")]
    return model([helper.make_node("Identity", ["x"], ["y"])], ends[:1], ends[1:])


def mixed() -> onnx.ModelProto:
    """Return a model with two inputs and two outputs."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in ("a", "b", "total", "product")]
    nodes = [helper.make_node("Add", ["a", "b"], ["total"]), helper.make_node("Mul", ["a", "b"], ["product"])]
    return model(nodes, ends[:2], ends[2:])


def gathering() -> onnx.ModelProto:
    """Return a model that fails on an index beyond its table of 3."""
    table = numpy_helper.from_array(np.array([1, 2, 3], np.float32), "table")
    given = helper.make_tensor_value_info("index", TensorProto.INT64, ["N"])
    found = helper.make_tensor_value_info("value", TensorProto.FLOAT, ["N"])
    return model([helper.make_node("Gather", ["table", "index"], ["value"])], [given], [found], [table])


def external(location: str) -> onnx.ModelProto:
    """Return a model whose weights lie in another file."""
    made = linear()
    weights = made.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    return made


def put(root: Path, name: str, version: str, content: onnx.ModelProto | bytes, *, card: bool = False) -> Path:
    """Write a version; return its folder."""
    data = content if isinstance(content, bytes) else content.SerializeToString()
    folder = root / name / version
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(data)
    if card:
        models.write(told(name, data), folder)
    return folder


def told(name: str, data: bytes, features: tuple[str, ...] = FEATURES) -> Card:
    """Return the card of a model."""
    return Card(
        name=name, service="delay_v1", features=features, label="arrival_delay, minutes", kind="linear", opset=17,
        sha256=hashlib.sha256(data).hexdigest(), dataset={"dvc": "0"}, quality={"mae": 1.0},
    )  # fmt: skip


def point(root: Path, name: str, **aliases: str) -> None:
    """Write the aliases of a model."""
    (root / name / "aliases.json").write_text(json.dumps(aliases), "utf-8")


def opened(root: Path, content: onnx.ModelProto | bytes, *, card: bool = False) -> tuple[Artifact, Session]:
    """Return a model as it is once it was opened."""
    artifact = examined("m", "1", put(root, "m", "1", content, card=card), LARGEST)
    return artifact, Session(artifact, Options())


def serving(root: Path, content: onnx.ModelProto | bytes, *, card: bool = False) -> Served:
    """Return a model that answers, on the thread that asks."""
    made = opened(root, content, card=card)
    return served(made, ThreadPoolExecutor(1), Limits(), Figures().tally("m", "1"))


def repository(
    root: Path, room: Room | None = None, limits: Limits | None = None, *, alias: str = CHAMPION
) -> Repository:
    """Return a repository of the models in a folder."""
    source, figures, pool = FolderSource(root), Figures(), ThreadPoolExecutor(1)

    def serve(made: Made) -> Served:
        artifact, session = made
        if isinstance(session, Outline):
            return composed(artifact, session, made_of, figures, 100)
        return served((artifact, session), pool, limits or Limits(), figures.tally(artifact.name, artifact.version))

    opener = Composing(source, Opener(source, Options(), LARGEST), alias)
    made_of = Repository(source, opener, serve, room or Room(), figures, alias=alias)
    return made_of


def put_composition(root: Path, name: str, version: str, parts: object, features: Sequence[str] = FEATURES) -> Path:
    """Write a version of a composition; return its folder."""
    folder = root / name / version
    folder.mkdir(parents=True)
    content = msgspec.json.encode(parts)
    (folder / COMPOSITION).write_bytes(content)
    models.write(told(name, content, tuple(features)), folder)
    return folder

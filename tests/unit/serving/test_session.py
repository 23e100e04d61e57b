"""Sessions: what a model declares, and what it does with values."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from contracts.inference import DATATYPES
from serving.errors import CardWrong, Late, NotComputed, NotServable
from serving.model.opening import Opener
from serving.model.session import Brake, Options
from serving.source.folder import FolderSource
from unit.serving.graphs import LARGEST, external, gathering, identity, linear, mixed, model, opened, put, serving, told

KINDS = {
    "BOOL": TensorProto.BOOL, "UINT8": TensorProto.UINT8, "UINT16": TensorProto.UINT16, "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64, "INT8": TensorProto.INT8, "INT16": TensorProto.INT16, "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64, "FP16": TensorProto.FLOAT16, "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}  # fmt: skip


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_has_its_model(tmp_path: Path, datatype: str) -> None:
    """A model of each of the protocol's types is served as that type, and takes numpy's."""
    _, session = opened(tmp_path, identity(KINDS[datatype]))
    assert [(each.name, each.datatype, each.shape) for each in session.inputs] == [("x", datatype, (-1, 2))]
    given = np.array([["1", "0"]] if datatype == "BYTES" else [[1, 0]], DATATYPES[datatype])
    found, seconds = session.timed(["y"], {"x": given}, Brake())
    assert (found[0] == given).all()
    assert seconds >= 0
    assert (session.run(["y"], {"x": given})[0] == given).all()


def test_a_model_without_tensors_cannot_be_asked(tmp_path: Path) -> None:
    """A sequence, as some exporters leave it, has no type in the protocol; it is refused when it is loaded."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])
    found = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None)
    with pytest.raises(NotServable, match=r"seq\(tensor\(float\)\)"):
        opened(tmp_path, model([helper.make_node("SequenceConstruct", ["x"], ["y"])], [given], [found]))


def test_a_model_of_a_later_opset_is_refused(tmp_path: Path) -> None:
    """What this onnxruntime cannot run is said in its words."""
    made = linear()
    made.graph.node[0].domain = "somewhere.else"
    made.opset_import.append(helper.make_opsetid("somewhere.else", 1))
    with pytest.raises(NotServable, match="onnxruntime"):
        opened(tmp_path, made)


def test_values_that_the_model_fails_on_are_their_senders_fault(tmp_path: Path) -> None:
    """An index beyond the table is a typed error; the session goes on."""
    _, session = opened(tmp_path, gathering())
    with pytest.raises(NotComputed):
        session.run(["value"], {"index": np.array([9])})
    with pytest.raises(NotComputed):
        session.timed(["value"], {"index": np.array([9])}, Brake())
    assert session.run(["value"], {"index": np.array([2])})[0].tolist() == [3.0]


def test_weights_in_a_further_file_are_found(tmp_path: Path) -> None:
    """Such a model is opened by its path."""
    folder = put(tmp_path, "m", "1", external("weights.bin"))
    (folder / "weights.bin").write_bytes(np.full((3, 1), 2, np.float32).tobytes())
    source = FolderSource(tmp_path)
    _, session = Opener(source, Options(), LARGEST).open("m", "1")
    assert session.run(["prediction"], {"features": np.ones((1, 3), np.float32)})[0].tolist() == [[6.0]]


@pytest.mark.parametrize(
    ("made", "stacks"),
    [
        (linear(), True),
        (mixed(), True),
        (identity(TensorProto.FLOAT, (1, 2)), False),
        (identity(TensorProto.FLOAT, ()), False),
    ],
)
def test_what_stacks_is_read_from_the_shapes(tmp_path: Path, made: object, stacks: bool) -> None:  # noqa: FBT001
    """Several requests can be one run where the first dimension of every input and output is free."""
    assert opened(tmp_path, made)[1].stacks is stacks  # type: ignore[arg-type]


def test_a_model_is_held_to_its_card(tmp_path: Path) -> None:
    """As many columns as the card has features, and the names of the contract."""
    data = linear(4).SerializeToString()
    put(tmp_path, "m", "1", data, card=True)
    with pytest.raises(CardWrong, match="asks for"):
        Opener(FolderSource(tmp_path), Options(), LARGEST).open("m", "1")
    assert len(told("m", data).features) == 3


def test_metadata_tells_features_and_label(tmp_path: Path) -> None:
    """Whoever asks learns what the columns are and what is predicted, in which unit."""
    found = serving(tmp_path, linear(), card=True).metadata(["1"])
    assert found.parameters
    assert found.parameters["label"] == "arrival_delay, minutes"
    assert found.inputs[0].parameters == {"features": ["dep_delay", "distance", "wind"], "service": "delay_v1"}
    assert found.inputs[0].shape == [-1, 3]


def test_a_run_can_be_broken_off(tmp_path: Path) -> None:
    """Before its next operator; the session goes on."""
    _, session = opened(tmp_path, linear())
    brake, feed = Brake(), {"features": np.ones((1, 3), np.float32)}
    brake.pull()
    with pytest.raises(Late):
        session.timed(["prediction"], feed, brake)
    assert session.run(["prediction"], feed)[0].tolist() == [[3.0]]

"""What stands in a version's folder is examined before anything runs it."""

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from contracts import models
from serving.errors import CardWrong, NotOnnx, OutsideFolder, TooBig
from serving.model.examination import examined
from serving.source.artifact import Artifact
from unit.serving.graphs import LARGEST, external, linear, model, put, told

WHOLE = linear().SerializeToString()


class Trap:
    """Leaves a trace when somebody unpickles it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.place),)


def looked(folder: Path) -> Artifact:
    """Return what stands in a folder of `put`."""
    return examined("m", "1", folder, LARGEST)


def test_a_model_is_read_once(tmp_path: Path) -> None:
    """What was examined is what will be run: its bytes are kept, with their hash."""
    found = looked(put(tmp_path, "m", "1", linear(), card=True))
    assert found.content == WHOLE
    assert found.card
    assert found.sha256 == found.card.sha256
    assert found.size == len(WHOLE)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_refused_unopened(tmp_path: Path, protocol: int) -> None:
    """A pickle in place of a model is named as such where it begins as one, and nothing in it runs."""
    trap = tmp_path / "sprung"
    folder = put(tmp_path, "m", "1", pickle.dumps(Trap(trap), protocol))
    with pytest.raises(NotOnnx, match="a pickle" if protocol > 1 else "no ONNX model"):
        looked(folder)
    assert not trap.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"hello",
        b"\xff" * 100,
        WHOLE[:20],
        WHOLE[:-5],
        b"PK\x03\x04",
        b'{"a": 1}',
        b"\x1f\x8b\x08",
        WHOLE * 0,
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, cut off, or something else: each is refused by a typed error, and never opened by onnxruntime."""
    with pytest.raises(NotOnnx):
        looked(put(tmp_path, "m", "1", content))


def test_a_graph_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    """ONNX' own checker has a say."""
    broken = linear()
    broken.graph.node[0].input[1] = "nowhere"
    with pytest.raises(NotOnnx, match="not valid"):
        looked(put(tmp_path, "m", "1", broken))


def test_a_version_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names the file that is missing."""
    (tmp_path / "m/1").mkdir(parents=True)
    with pytest.raises(NotOnnx, match=r"no file model\.onnx"):
        looked(tmp_path / "m/1")


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "", ".", "link/secret", "\0"])
def test_external_data_stays_in_its_folder(tmp_path: Path, location: str) -> None:
    """Weights elsewhere, by a path or by a link, are refused before anything reads them."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m/secret").write_bytes(b"\0" * 12)
    folder = put(tmp_path, "m", "1", external(location))
    (folder / "link").symlink_to(tmp_path / "m")
    with pytest.raises(OutsideFolder):
        looked(folder)


def test_external_data_beside_the_model_counts(tmp_path: Path) -> None:
    """A large model in several files is one of their common size, and is whole in memory."""
    folder = put(tmp_path, "m", "1", external("weights.bin"))
    weights = np.ones((3, 1), np.float32).tobytes()
    (folder / "weights.bin").write_bytes(weights)
    found = looked(folder)
    assert isinstance(found.content, bytes)
    assert weights in found.content
    assert found.size == (folder / "model.onnx").stat().st_size + len(weights)


def test_external_data_that_is_missing_is_refused(tmp_path: Path) -> None:
    """Half a model is none."""
    with pytest.raises(NotOnnx, match="not there"):
        looked(put(tmp_path, "m", "1", external("weights.bin")))


def test_external_data_is_found_wherever_it_hides(tmp_path: Path) -> None:
    """In the branch of a condition as well: an attribute of a node of a graph in a graph."""
    hidden = numpy_helper.from_array(np.ones(1, np.float32), "hidden")
    hidden.ClearField("raw_data")
    hidden.data_location = TensorProto.EXTERNAL
    entry = hidden.external_data.add()
    entry.key, entry.value = "location", "../secret"
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    branch = helper.make_graph([helper.make_node("Constant", [], ["y"], value=hidden)], "branch", [], [out])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    made = model([node], [helper.make_tensor_value_info("x", TensorProto.BOOL, [1])], [out])
    with pytest.raises(OutsideFolder, match="hidden"):
        looked(put(tmp_path, "m", "1", made))


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("offset", "x", NotOnnx), ("offset", "-1", NotOnnx), ("offset", "13", NotOnnx), ("offset", "9" * 5000, NotOnnx),
        ("length", "x", NotOnnx), ("length", "-1", NotOnnx), ("length", "13", NotOnnx), ("length", "9" * 30, TooBig),
        ("offset", "1", NotOnnx), ("length", "", NotOnnx),
    ],
)  # fmt: skip
def test_external_data_lies_where_its_file_has_it(tmp_path: Path, key: str, value: str, error: type[Exception]) -> None:
    """Before its beginning, beyond its end, or at a place that is no number."""
    made = external("weights.bin")
    entry = made.graph.initializer[0].external_data.add()
    entry.key, entry.value = key, value
    folder = put(tmp_path, "m", "1", made)
    (folder / "weights.bin").write_bytes(bytes(12))
    with pytest.raises(error):
        looked(folder)


def test_external_data_counts_as_often_as_it_is_taken(tmp_path: Path) -> None:
    """A thousand tensors of one file are a thousand times its size in memory, whatever lies on the disk."""
    made = external("weights.bin")
    for number in range(1000):
        again = made.graph.initializer.add()
        again.CopyFrom(made.graph.initializer[0])
        again.name = f"again {number}"
    folder = put(tmp_path, "m", "1", made)
    (folder / "weights.bin").write_bytes(bytes(LARGEST // 900))
    with pytest.raises(TooBig):
        looked(folder)


@settings(
    max_examples=200, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(begin=st.integers(0, len(WHOLE)), end=st.integers(0, len(WHOLE)), new=st.binary(max_size=8))
def test_a_model_that_was_damaged(tmp_path: Path, begin: int, end: int, new: bytes) -> None:
    """A part of it left out, doubled or written over: it is still a model, or it is refused as none."""
    folder = tmp_path / "m/1"
    folder.mkdir(parents=True, exist_ok=True)
    content = WHOLE[: min(begin, end)] + new + WHOLE[max(begin, end) :]
    (folder / "model.onnx").write_bytes(content)
    with contextlib.suppress(NotOnnx, OutsideFolder):
        assert looked(folder).content == content


def test_a_card_of_another_model_is_refused(tmp_path: Path) -> None:
    """The card's hash and name are those of the model beside it."""
    folder = put(tmp_path, "m", "1", linear())
    models.write(told("m", b"other"), folder)
    with pytest.raises(CardWrong, match="sha256"):
        looked(folder)
    models.write(told("other", WHOLE), folder)
    with pytest.raises(CardWrong, match="card is that of model other"):
        looked(folder)
    for content in ("{", "[" * 250_000, '{"dataset": ' + "[" * 250_000, "\0"):
        (folder / "card.json").write_text(content, "utf-8")
        with pytest.raises(CardWrong):
            looked(folder)


def test_a_model_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    """Its size is looked at first."""
    folder = put(tmp_path, "m", "1", onnx.ModelProto())
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(LARGEST * 1000)
    with pytest.raises(TooBig):
        looked(folder)


def test_external_data_that_is_too_short_is_refused(tmp_path: Path) -> None:
    """Weights that were cut off are none."""
    folder = put(tmp_path, "m", "1", external("weights.bin"))
    (folder / "weights.bin").write_bytes(b"\0" * 5)
    with pytest.raises(NotOnnx):
        looked(folder)

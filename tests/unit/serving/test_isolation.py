"""Versions are examined and optimised in another process; this one takes what is ready."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.errors import NotOnnx, NotServable, OutsideFolder, TooBig
from serving.model import isolation
from serving.model.isolation import Isolated
from serving.model.memory import container_room
from serving.model.session import Options
from serving.source.folder import FolderSource
from unit.serving.graphs import LARGEST, chained, external, linear, model, put


def isolated(root: Path, seconds: float = 60) -> Isolated:
    """Return an opener over a folder."""
    return Isolated(FolderSource(root), Options(), LARGEST, seconds)


def test_what_is_taken_computes_as_the_original(tmp_path: Path) -> None:
    """Name, card, hash and size are those of the version; the graph is the optimised one."""
    folder = put(tmp_path, "m", "1", linear(), card=True)
    artifact, session = isolated(tmp_path).open("m", "1")
    assert artifact.card
    assert artifact.sha256 == artifact.card.sha256
    assert artifact.size == (folder / "model.onnx").stat().st_size
    assert [each.shape for each in session.inputs] == [(-1, 3)]
    assert session.run(["prediction"], {"features": np.ones((2, 3), np.float32)})[0].tolist() == [[3.0], [3.0]]


def test_weights_of_further_files_come_along(tmp_path: Path) -> None:
    """What is taken is whole."""
    folder = put(tmp_path, "m", "1", external("weights.bin"))
    (folder / "weights.bin").write_bytes(np.full((3, 1), 2, np.float32).tobytes())
    artifact, session = isolated(tmp_path).open("m", "1")
    assert artifact.size == (folder / "model.onnx").stat().st_size + 12
    assert session.run(["prediction"], {"features": np.ones((1, 3), np.float32)})[0].tolist() == [[6.0]]


def test_what_is_wrong_is_told_as_it_was_found(tmp_path: Path) -> None:
    """With the class of the error, what it says and what to do."""
    put(tmp_path, "m", "1", b"\x80\x04.")
    put(tmp_path, "m", "2", external("../secret"))
    with pytest.raises(NotOnnx, match="a pickle; it was not opened - export"):
        isolated(tmp_path).open("m", "1")
    with pytest.raises(OutsideFolder):
        isolated(tmp_path).open("m", "2")


def test_a_graph_that_grows_is_too_large(tmp_path: Path) -> None:
    """A few bytes of which an optimiser makes many are counted as many."""
    size = LARGEST // 4 + 1
    shape = numpy_helper.from_array(np.array([size], np.int64), "shape")
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])
    found = helper.make_tensor_value_info("y", TensorProto.FLOAT, [size])
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["zeros"]), helper.make_node("Cos", ["zeros"], ["y"])]
    put(tmp_path, "m", "1", model(nodes, [given], [found], [shape]))
    with pytest.raises(TooBig, match="once it is optimised"):
        isolated(tmp_path).open("m", "1")


def test_a_process_that_breaks_is_the_models_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, or no end: the server is told, and goes on."""
    put(tmp_path, "m", "1", linear())
    with pytest.raises(NotServable, match="not ready after"):
        isolated(tmp_path, 0.01).open("m", "1")
    monkeypatch.setattr(isolation, "PROGRAM", "no.such.program")
    with pytest.raises(NotServable, match=r"ended with 1: .*no\.such"):
        isolated(tmp_path).open("m", "1")


def test_what_needs_more_memory_than_there_is_ends_the_other_process_only(tmp_path: Path) -> None:
    """Named with what was allowed, however the library ended; where there is enough, the same version is taken."""
    # With luck it tells; some of its allocations abort the process instead.
    put(tmp_path, "m", "1", chained(20_000))
    with pytest.raises(NotServable, match=r"150000000 bytes are not enough|may take 150000000 bytes"):
        Isolated(FolderSource(tmp_path), Options(), LARGEST, 60, lambda: 150_000_000).open("m", "1")
    artifact, _ = Isolated(FolderSource(tmp_path), Options(), LARGEST, 60, lambda: 4_000_000_000).open("m", "1")
    assert artifact.version == "1"


def test_a_session_that_this_process_has_no_room_for_is_not_made(tmp_path: Path) -> None:
    """The other process made one like it, and tells what it took."""
    put(tmp_path, "m", "1", linear())
    with pytest.raises(TooBig, match=r"its session takes \d+ bytes, -1 are left"):
        Isolated(FolderSource(tmp_path), Options(), LARGEST, 60, iter([-1]).__next__).open("m", "1")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"memory.max": "1000\n", "memory.current": "600\n", "memory.stat": "anon 1\ninactive_file 90\n"}, 441),
        ({"memory.max": "1000\n", "memory.current": "2000\n", "memory.stat": ""}, 1),
        ({"memory.max": "max\n", "memory.current": "600\n", "memory.stat": ""}, None),
        ({"memory.max": "1000\n"}, None),
    ],
)
def test_room_is_what_the_kernel_leaves_the_container(tmp_path: Path, told: dict[str, str], found: int | None) -> None:
    """Files that are only cached count as room; without a bound, or without a kernel that tells, there is none."""
    for name, text in told.items():
        (tmp_path / name).write_text(text, "ascii")
    assert container_room(tmp_path) == found


def test_the_server_does_not_hold_the_examiners_library() -> None:
    """ONNX' own library is in the other process only."""
    words = "import sys, serving.app; sys.exit('onnx' in sys.modules)"
    subprocess.run([sys.executable, "-c", words], check=True, env={"PYTHONPATH": ":".join(sys.path)})

"""Versions that cannot be served, in the folder of a running server: each is told, and the old one goes on.

One process lives through all of them; what follows them and is good takes over.
"""

from __future__ import annotations

import gzip
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from contracts import models
from contracts.compositions import COMPOSITION
from integration.serving.processes import PATIENCE
from integration.serving.victim import BODY, INFER, Victim, few, victim
from unit.serving.graphs import FEATURES, external, linear, model, point, put, put_composition, told

WHOLE = linear().SerializeToString()
LIMIT = 2_000_000
"""Bytes that a model may have here."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Return the server that is given them."""
    with victim(tmp_path_factory.mktemp("artifacts"), few, TARMAC_MODEL_BYTES=str(LIMIT)) as running:
        yield running


def _located(location: str, **more: str) -> onnx.ModelProto:
    made = external(location)
    for key, value in more.items():
        entry = made.graph.initializer[0].external_data.add()
        entry.key, entry.value = key, value
    return made


def _shared() -> onnx.ModelProto:
    """Return a model of a thousand tensors that all take the whole of one file."""
    made = external("weights.bin")
    for number in range(1000):
        tensor = made.graph.initializer.add()
        tensor.CopyFrom(made.graph.initializer[0])
        tensor.name = f"again {number}"
    return made


def _folded() -> onnx.ModelProto:
    """Return a model of a few bytes that an optimiser makes many of: constants computed from constants."""
    shape = numpy_helper.from_array(np.array([4_000_000], np.int64), "shape")
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])
    found = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [4_000_000])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("Cos", ["zeros"], ["prediction"]),
    ]
    return model(nodes, [given], [found], [shape])


def _content(content: onnx.ModelProto | bytes, **files: bytes) -> Callable[[Path, str], None]:
    def write(root: Path, version: str) -> None:
        folder = put(root, "m", version, content)
        for name, data in files.items():
            (folder / name.replace("_", ".")).write_bytes(data)

    return write


def _card(content: bytes) -> Callable[[Path, str], None]:
    def write(root: Path, version: str) -> None:
        (put(root, "m", version, linear()) / models.CARD).write_bytes(content)

    return write


def _linked(root: Path, version: str) -> None:
    (root / "secret").write_bytes(bytes(12))
    (put(root, "m", version, external("weights.bin")) / "weights.bin").symlink_to(root / "secret")


def _emptied(root: Path, version: str) -> None:
    (root / "m" / version).mkdir()


def _composed(root: Path, version: str) -> None:
    parts = {"kind": "cascade", "first": "m", "then": "known", "unsure": {"kind": "beyond"}}
    put_composition(root, "m", version, parts)


def _deep(root: Path, version: str) -> None:
    folder = root / "m" / version
    folder.mkdir()
    content = b'{"kind": ' + b"[" * 30_000
    (folder / COMPOSITION).write_bytes(content)
    models.write(told("m", content, FEATURES), folder)


BAD: dict[str, tuple[Callable[[Path, str], None], str]] = {
    "a pickle": (_content(pickle.dumps({"model": 1})), "a pickle"),
    "an old pickle": (_content(pickle.dumps({"model": 1}, 0)), "no ONNX model"),
    "something packed": (_content(gzip.compress(bytes(1_000_000))), "a gzip archive"),
    "cut off": (_content(WHOLE[:-5]), "cut off"),
    "nothing": (_content(b""), "no graph"),
    "noise": (_content(bytes(range(256)) * 40), "no ONNX model"),
    "no file": (_emptied, "no file model.onnx"),
    "too large": (_content(bytes(LIMIT + 1)), "are the limit"),
    "weights elsewhere": (_content(_located("../../known/1/model.onnx")), "outside the model's folder"),
    "weights at an absolute place": (_content(_located("/etc/hostname")), "outside the model's folder"),
    "weights behind a link": (_linked, "outside the model's folder"),
    "weights that are cut off": (_content(external("weights.bin"), weights_bin=bytes(5)), "is not valid"),
    "weights at no place": (_content(_located("weights.bin", offset="x"), weights_bin=bytes(12)), "at no place"),
    "weights before their file": (_content(_located("weights.bin", offset="-1"), weights_bin=bytes(12)), "at no place"),
    "weights behind their file": (_content(_located("weights.bin", offset="99"), weights_bin=bytes(12)), "exceeds"),
    "weights without end": (_content(_located("weights.bin", length="9" * 30), weights_bin=bytes(12)), "the limit"),
    "weights a thousand times": (_content(_shared(), weights_bin=bytes(9999)), "are the limit"),
    "a graph that grows": (_content(_folded()), "are the limit"),
    "a card that is none": (_card(b"{"), "no JSON"),
    "a card of 250,000 levels": (_card(b'{"dataset": ' + b"[" * 250_000), "card"),
    "a card of another": (_card(models.encode(told("m", b"other"))), "sha256"),
    "a composition in a circle": (_composed, "a member of itself"),
    "a composition of 30,000 levels": (_deep, "composition"),
}
"""What is put in place of a version, and what is said of it."""


@pytest.mark.parametrize("name", BAD)
def test_the_old_version_goes_on(server: Victim, name: str) -> None:
    """The alias points to a version that cannot be served: the index says why, asked by its number it is refused."""
    write, words = BAD[name]
    version = str(100 + list(BAD).index(name))
    write(server.models, version)
    point(server.models, "m", champion=version)
    deadline, reason = time.monotonic() + PATIENCE, ""
    while "not loaded" in reason or not reason:
        assert time.monotonic() < deadline, reason
        entries = server.ask("POST", "/v2/repository/index")[1]
        reason = next((each["reason"] for each in entries if (each["name"], each["version"]) == ("m", version)), "")
        time.sleep(0.05)
    assert words in reason
    status, refusal = server.ask("POST", f"/v2/models/m/versions/{version}/infer", BODY)
    assert (status, words in refusal["error"], " - " in refusal["error"]) == (422, True, True)
    assert server.ask("POST", INFER, BODY)[1]["model_version"] == "1"
    server.unharmed()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"champion": {}}', b'{"champion": "9999"}', b'{"champion": ' + b"[" * 250_000, b"\xff"],
)
def test_aliases_that_are_none(server: Victim, content: bytes) -> None:
    """Or that point nowhere: whoever names the default is answered by the version before."""
    (server.models / "m/aliases.json").write_bytes(content)
    time.sleep(0.5)  # it looks every tenth of a second
    assert server.ask("POST", INFER, BODY)[1]["model_version"] == "1"
    server.unharmed()


def test_what_is_good_takes_over(server: Victim) -> None:
    """After all of that, in the same process."""
    put(server.models, "m", "999", linear(factor=10))
    point(server.models, "m", champion="999")
    deadline = time.monotonic() + PATIENCE
    while server.ask("POST", INFER, BODY)[1]["model_version"] != "999":
        assert time.monotonic() < deadline, json.dumps(server.ask("POST", "/v2/repository/index")[1])
        time.sleep(0.05)
    assert server.ask("POST", INFER, BODY)[1]["outputs"][0]["data"] == [70.0]
    assert server.process.poll() is None

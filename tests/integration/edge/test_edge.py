"""The edge program says what the full server says, refuses by name, and starts on nothing that it should not."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from contract.charts.rendering import SETTINGS
from contracts import models
from integration.edge.processes import READY, SOURCE, Edge
from integration.serving.processes import Server
from lab.tools import golang
from training import dataset, fitting, variants
from training.dataset import Dataset
from training.estimators import KINDS
from unit.serving.graphs import linear, mixed, put
from unit.training import sets

NAME, INFER = "m", "/v2/models/m/infer"
FITTED = (*KINDS, "network-int8", "network-pruned")
CLOSE = 1e-6
"""Minutes by which the two may differ."""
COLUMNS = 3
ROW = {"name": "features", "shape": [1, COLUMNS], "datatype": "FP32", "data": [1, 2, 4]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return a training set."""
    return dataset.read(sets.made(tmp_path_factory.mktemp("set")))


@pytest.fixture
def edge(program: Path, tmp_path: Path) -> Iterator[Edge]:
    """Return the program over a model that gives the sum of a row, without a card.

    It collects garbage all the time: whatever onnxruntime reads must still be there.
    """
    put(tmp_path, NAME, "7", linear(COLUMNS))
    running = Edge(program, tmp_path, GOGC="1")
    try:
        running.until(READY)
        yield running
    finally:
        running.end()


def _asked(tensor: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"inputs": [tensor], **more}).encode()


def _rows(data: Dataset, count: int) -> bytes:
    """Return so many held-out rows; what is missing is null."""
    rows = data.held.features[:count].astype(np.float64)
    nested = [[None if np.isnan(value) else value for value in row] for row in rows]
    return _asked({"name": "features", "shape": list(rows.shape), "datatype": "FP32", "data": nested})


def _described(told: dict[str, Any]) -> list[Any]:
    """Return what metadata must tell alike."""
    ends = [(each["name"], each["datatype"], each["shape"]) for each in told["inputs"] + told["outputs"]]
    return [told["name"], told["versions"], told["platform"], *ends]


@pytest.mark.parametrize("kind", FITTED)
def test_each_kind_of_model_says_what_the_full_server_says(
    kind: str, data: Dataset, program: Path, tmp_path: Path
) -> None:
    """Every kind that the training makes, on held-out rows with gaps, one and many at a time; metadata as well."""
    made = (fitting.fit if kind in KINDS else variants.fit)(data, kind, NAME)
    folder = tmp_path / NAME / "1"
    folder.mkdir(parents=True)
    (folder / models.MODEL).write_bytes(made.content)
    models.write(made.card, folder)
    server, edge = Server(tmp_path), Edge(program, tmp_path)
    try:
        server.until(f"/v2/models/{NAME}/ready")
        edge.until(f"/v2/models/{NAME}/ready")
        for count in (1, 200):
            (status, wanted), (told, found) = (each.ask("POST", INFER, _rows(data, count)) for each in (server, edge))
            assert (status, told) == (200, 200), (wanted, found)
            values, expected = found["outputs"][0].pop("data"), wanted["outputs"][0].pop("data")
            assert found == wanted
            assert len(set(values)) > count // 4  # INT8 has few different ones
            assert values == pytest.approx(expected, rel=0, abs=CLOSE)
        first, second = (_described(each.ask("GET", f"/v2/models/{NAME}")[1]) for each in (server, edge))
        assert first == second
    finally:
        server.end()
        edge.end()


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        ({**ROW, "name": "x"}, ["input x is none", "features"]),
        ({**ROW, "datatype": "FP64"}, ["features", "FP64", "FP32"]),
        ({**ROW, "shape": [1, 4]}, ["features", "shape", "[-1, 3]"]),
        ({**ROW, "shape": [3]}, ["features", "shape", "[-1, 3]"]),
        ({**ROW, "shape": [-1, 3]}, ["features", "shape"]),
        ({**ROW, "shape": [0, 3], "data": []}, ["features", "shape"]),
        ({**ROW, "shape": [3074457345618258603, 3]}, ["features", "data has 3 elements"]),
        ({**ROW, "shape": [2**64, 3]}, ["shape"]),
        ({**ROW, "shape": [1.5, 3]}, ["shape"]),
        ({**ROW, "data": [1, 2]}, ["features", "data has 2 elements"]),
        ({**ROW, "shape": [2, 3], "data": [[1, 2, 4, 5], [6, 7]]}, ["features", "row 0 has 4 elements"]),
        ({**ROW, "data": [1, "two", 4]}, ["features", "data", "string"]),
        ({**ROW, "data": [1, True, 4]}, ["features", "data", "bool"]),
        ({**ROW, "data": [1, None, 4]}, ["features", "element 1 is null"]),
        ({**ROW, "data": [1, 1e39, 4]}, ["features", "element 1 is 1e+39", "FP32"]),
        ({**ROW, "data": 5}, ["features", "data"]),
        ({key: value for key, value in ROW.items() if key != "data"}, ["features", "data is missing"]),
        ({**ROW, "data": None}, ["features", "data has 0 elements"]),
    ],
)
def test_wrong_input_is_refused_by_its_name(tensor: dict[str, Any], words: list[str], edge: Edge) -> None:
    """400, with the input or the field that is wrong and what to send; the next good request is answered."""
    status, told = edge.ask("POST", INFER, _asked(tensor))
    assert status == 400, told
    assert list(told) == ["error"]
    for word in words:
        assert word in told["error"]
    assert " - " in told["error"]
    assert edge.ask("POST", INFER, _asked(ROW))[1]["outputs"][0]["data"] == [7]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "request"),
        (b"{", "request"),
        (b"[]", "request"),
        (b"null", "features is there 0 times"),
        (b'{"inputs": [[]]}', "request"),
        (b'{"inputs": ' + b"[" * 250_000 + b"]" * 250_000 + b"}", "request"),
        (json.dumps({"inputs": [ROW, ROW]}).encode(), "features is there 2 times"),
        (_asked(ROW, outputs=[{"name": "other"}]), "output other"),
        (_asked(ROW, outputs=[{"name": "prediction", "parameters": {"binary_data": True}}]), "output prediction"),
        (_asked({**ROW, "data": float("nan")}), "request"),
        (_asked(ROW) + b"x", "request"),
    ],
    ids=range(11),
)
def test_a_body_that_is_no_request_is_refused(body: bytes, word: str, edge: Edge) -> None:
    """400, whatever it is; the process goes on."""
    status, told = edge.ask("POST", INFER, body)
    assert status == 400, told
    assert word in told["error"]
    assert len(told["error"]) < 400
    assert edge.process.poll() is None


def test_whatever_else_is_asked_gets_its_status(edge: Edge) -> None:
    """Other models, versions, paths and methods, compressed, binary and large bodies: 4xx, and nothing else suffers."""
    good = _asked(ROW)
    for method, path, body, status, word in (
        ("POST", "/v2/models/other/infer", good, 404, "model other"),
        ("POST", "/v2/models/m/versions/8/infer", good, 404, "version 8"),
        ("GET", "/v2/models/other", b"", 404, "model other"),
        ("GET", "/v2/repository/index", b"", 404, "/v2/repository/index"),
        ("GET", INFER, b"", 405, "POST"),
        ("POST", "/v2/models/m", good, 405, "GET"),
        ("POST", INFER, b" " * (1 << 20) + good, 413, "1048576 bytes"),
    ):
        found, told = edge.ask(method, path, body)
        assert (found, word in told["error"]) == (status, True), told
    assert edge.ask("POST", INFER, good, Content_Encoding="gzip")[0] == 415
    assert edge.ask("POST", INFER, good, Inference_Header_Content_Length="10")[0] == 400
    for path in ("/v2/health/live", READY, "/v2", "/v2/models/m/versions/7", "/v2/models/m/versions/7/ready"):
        assert edge.ask("GET", path)[0] == 200
    status, told = edge.ask("POST", "/v2/models/m/versions/7/infer", _asked(ROW, id="a-7"))
    assert (status, told["id"], told["model_version"], told["outputs"][0]["data"]) == (200, "a-7", "7", [7])


def test_many_callers_get_each_their_own_answer(edge: Edge) -> None:
    """Rows and answers live in memory that onnxruntime and Go share; none is mixed up or lost under load."""

    def asks(caller: int) -> bool:
        for number in range(100):
            rows = [[caller, number, each] for each in range(1 + number % 50)]
            body = _asked({**ROW, "shape": [len(rows), COLUMNS], "data": rows})
            if edge.ask("POST", INFER, body)[1]["outputs"][0]["data"] != [sum(row) for row in rows]:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(asks, range(8)))


def test_it_ends_well_when_it_is_asked_to(edge: Edge) -> None:
    """SIGTERM, as Kubernetes and an engine send it; its one line says what it served."""
    edge.process.terminate()
    _, told = edge.process.communicate(timeout=20)
    assert edge.process.returncode == 0
    assert re.fullmatch(r"edge: model m version 7 on \S+, onnxruntime [\d.]+\n", told.decode())


def test_it_starts_on_nothing_else_than_one_whole_model(program: Path, tmp_path: Path) -> None:
    """Exit code 2, and the words say which file is wrong and what to do."""
    cases: list[tuple[str, bytes | onnx.ModelProto, str]] = [
        ("pickle", b"\x80\x04no model", "model pickle version 1"),
        ("empty", b"", "model empty version 1"),
        ("cut", linear(COLUMNS).SerializeToString()[:-20], "model cut version 1"),
        ("mixed", mixed(), "input a"),
    ]
    for name, content, word in cases:
        put(tmp_path / name, name, "1", content)
        assert word in Edge(program, tmp_path / name).refusal()
    put(tmp_path / "card", NAME, "1", linear(COLUMNS), card=True)
    changed = tmp_path / "card" / NAME / "1" / models.MODEL
    changed.write_bytes(linear(COLUMNS, 2.0).SerializeToString())
    assert "its card says" in Edge(program, tmp_path / "card").refusal()
    put(tmp_path / "wide", NAME, "1", linear(4), card=True)
    assert "4 columns, its card names 3 features" in Edge(program, tmp_path / "wide").refusal()
    put(tmp_path / "two", NAME, "1", linear(COLUMNS))
    put(tmp_path / "two", NAME, "2", linear(COLUMNS))
    assert "2 versions have a model.onnx" in Edge(program, tmp_path / "two").refusal()
    assert "0 versions have a model.onnx" in Edge(program, tmp_path / "none").refusal()


def test_a_setting_that_is_none_ends_it(program: Path, tmp_path: Path) -> None:
    """As every service does: the variable, and what there is."""
    put(tmp_path, NAME, "1", linear(COLUMNS))
    assert "TARMAC_QUEUE is unknown" in Edge(program, tmp_path, TARMAC_QUEUE="8").refusal()
    assert "TARMAC_PORT" in Edge(program, tmp_path, TARMAC_PORT="http").refusal()
    told = Edge(program, tmp_path, TARMAC_LIBRARY="/lib/nothing.so").refusal()
    assert "/lib/nothing.so" in told
    assert "TARMAC_LIBRARY" in told


def test_the_source_is_in_form() -> None:
    """As gofmt writes it, and nothing in it that vet warns of."""
    go = golang.go(SETTINGS, lambda _: None)
    listed = subprocess.run([go.with_name("gofmt"), "-l", SOURCE], capture_output=True, text=True, check=True)
    assert listed.stdout == ""
    subprocess.run([go, "vet", "./..."], cwd=SOURCE, check=True)

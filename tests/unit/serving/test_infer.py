"""Inference over V2 and MLflow's way: what fits is computed."""

import asyncio
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from onnx import TensorProto

from contracts.inference import DATATYPES
from serving.model.batch import Limits
from unit.serving.asking import Site, binary, tensor, texts
from unit.serving.graphs import identity, linear, mixed, point, put, repository
from unit.serving.test_session import KINDS

ROW = [1.0, 2.0, 4.0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a server with a model of the contract, in two versions, and one with two inputs."""
    put(tmp_path, "delay", "1", linear(), card=True)
    put(tmp_path, "delay", "2", linear(factor=10), card=True)
    point(tmp_path, "delay", champion="1", challenger="2")
    put(tmp_path, "mixed", "1", mixed())
    return Site(tmp_path, default="delay")


@pytest.mark.parametrize("data", [ROW * 2, [ROW, ROW], [1, 2, 4, 1, 2, 4]])
def test_json_is_computed(site: Site, data: object) -> None:
    """Flat or nested, whole numbers or not; the answer says which version it is from, and the id that was given."""
    found = site.post("/v2/models/delay/infer", {"id": "7", "inputs": [tensor("features", [2, 3], data=data)]})
    assert found.status == 200
    assert found.headers["content-type"] == "application/json"
    assert found.json == {
        "model_name": "delay", "model_version": "1", "id": "7",
        "outputs": [{"name": "prediction", "datatype": "FP32", "shape": [2, 1], "data": [7.0, 7.0]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("delay", "1"),
        ("delay/versions/2", "2"),
        ("delay/versions/challenger", "2"),
        ("delay@challenger", "2"),
        ("delay@2", "2"),
    ],
)
def test_versions_are_named_by_number_or_alias(site: Site, path: str, version: str) -> None:
    """In the path of V2, or as MLflow writes it."""
    found = site.post(f"/v2/models/{path}/infer", {"inputs": [tensor("features", [1, 3], data=ROW)]})
    assert found.json["model_version"] == version
    assert found.json["outputs"][0]["data"] == [7.0 if version == "1" else 70.0]


def test_null_and_nan_are_missing_values_where_a_card_allows_them(site: Site) -> None:
    """Out comes null, which JSON has, not NaN, which it has not."""
    found = site.post("/v2/models/delay/infer", {"inputs": [tensor("features", [1, 3], data=[1, None, 2])]})
    assert found.json["outputs"][0]["data"] == [None]
    given = np.array([[1, np.nan, 2]], np.float32).tobytes()
    body, header = binary({"inputs": [tensor("features", [1, 3], parameters={"binary_data_size": 12})]}, given)
    assert site.post("/v2/models/delay/infer", body, **header).json["outputs"][0]["data"] == [None]


def test_binary_tensors_go_both_ways(site: Site) -> None:
    """Each output in the form in which it was asked for."""
    a, b = (np.array([[1, 2]], np.float32), np.array([[3, 5]], np.float32))
    size = {"binary_data_size": 8}
    request: dict[str, object] = {
        "inputs": [tensor("a", [1, 2], parameters=size), tensor("b", [1, 2], parameters=size)],
        "outputs": [{"name": "product", "parameters": {"binary_data": True}}, {"name": "total"}],
    }
    body, header = binary(request, a.tobytes(), b.tobytes())
    found = site.post("/v2/models/mixed/infer", body, **header)
    assert found.headers["content-type"] == "application/octet-stream"
    product, total = found.json["outputs"]
    assert (product["name"], product["parameters"]) == ("product", {"binary_data_size": 8})
    assert "data" not in product
    assert total["data"] == [4.0, 7.0]
    length = int(found.headers["inference-header-content-length"])
    assert np.frombuffer(found.body[length:], np.float32).tolist() == [3.0, 10.0]


def test_all_outputs_are_binary_where_the_request_says_so(site: Site) -> None:
    """Unless one says otherwise."""
    request: dict[str, object] = {
        "inputs": [tensor("a", [1, 2], data=[1, 2]), tensor("b", [1, 2], data=[3, 4])],
        "parameters": {"binary_data_output": True},
    }
    found = site.post("/v2/models/mixed/infer", request)
    assert [each["parameters"]["binary_data_size"] for each in found.json["outputs"]] == [8, 8]
    request["outputs"] = [{"name": "total", "parameters": {"binary_data": False}}]
    found = site.post("/v2/models/mixed/infer", request)
    assert [each["data"] for each in found.json["outputs"]] == [[4.0, 6.0]]


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("form", ["json", "binary"])
def test_every_datatype_comes_back_as_it_went(tmp_path: Path, datatype: str, form: str) -> None:
    """In JSON and in binary, wherever the tensor begins in the body."""
    put(tmp_path, "m", "1", identity(KINDS[datatype]))
    values: list[object] = {"BOOL": [True, False], "BYTES": ["a", "\N{GREEK SMALL LETTER MU}"]}.get(datatype, [1, 0])  # type: ignore[assignment]
    data = texts(b"a", "\N{GREEK SMALL LETTER MU}".encode())
    if datatype != "BYTES":
        data = np.array(values, DATATYPES[datatype]).tobytes()
    for padding in range(9):
        request: dict[str, object] = {"id": "x" * padding, "inputs": [tensor("x", [1, 2], datatype, data=values)]}
        if form == "json":
            assert Site(tmp_path).post("/v2/models/m/infer", request).json["outputs"][0]["data"] == values
            return
        request["inputs"] = [tensor("x", [1, 2], datatype, parameters={"binary_data_size": len(data)})]
        request["parameters"] = {"binary_data_output": True}
        body, header = binary(request, data)
        assert Site(tmp_path).post("/v2/models/m/infer", body, **header).body.endswith(data)


def test_a_scalar_and_a_fixed_shape_are_served(tmp_path: Path) -> None:
    """Models that do not stack."""
    put(tmp_path, "scalar", "1", identity(TensorProto.FLOAT, ()))
    put(tmp_path, "fixed", "1", identity(TensorProto.FLOAT, (2, 2)))
    site = Site(tmp_path)
    found = site.post("/v2/models/scalar/infer", {"inputs": [tensor("x", [], data=[3.5])]})
    assert found.json["outputs"][0] == {"name": "y", "datatype": "FP32", "shape": [], "data": [3.5]}
    found = site.post("/v2/models/fixed/infer", {"inputs": [tensor("x", [2, 2], data=[[1, 2], [3, 4]])]})
    assert found.json["outputs"][0]["data"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "body",
    [
        {
            "dataframe_split": {
                "columns": ["wind", "extra", "distance", "dep_delay"],
                "data": [[4, "x", 2, 1]],
                "index": [0],
            }
        },
        {"dataframe_split": {"data": [ROW]}},
        {"dataframe_records": [{"wind": 4, "distance": 2, "dep_delay": 1, "extra": None}]},
    ],
)
def test_mlflow_tables_are_put_in_order(site: Site, body: object) -> None:
    """By the names of the card; a column that the model does not know is left out."""
    for path in ("/invocations", "/v2/models/delay/invocations"):
        assert site.post(path, body).json == {"predictions": [{"prediction": 7.0}]}


@pytest.mark.parametrize("body", [{"inputs": [ROW]}, {"inputs": {"features": [ROW]}}, {"instances": [ROW]}])
def test_mlflow_arrays_give_arrays(site: Site, body: object) -> None:
    """By the names of the outputs."""
    assert site.post("/invocations", body).json == {"predictions": {"prediction": [[7.0]]}}


def test_metadata_names_versions_and_tensors(site: Site) -> None:
    """What a client looks up before it asks."""
    found = site.get("/v2/models/mixed").json
    assert (found["name"], found["versions"], found["platform"]) == ("mixed", ["1"], "onnxruntime_onnx")
    assert [(each["name"], each["datatype"], each["shape"]) for each in found["inputs"]] == [
        ("a", "FP32", [-1, 2]), ("b", "FP32", [-1, 2]),
    ]  # fmt: skip
    assert site.get("/v2/models/delay/versions/2").json["versions"] == ["1", "2"]


def test_the_server_says_what_it_is_and_how_it_is(site: Site) -> None:
    """V2's health, and the probes of every service."""
    assert "binary_tensor_data" in site.get("/v2").json["extensions"]
    site.health.wait_for("models", "not yet")
    assert (site.get("/v2/health/ready").status, site.get("/readyz").status) == (503, 503)
    assert site.get("/v2/health/ready").json == {"ready": False}
    site.health.met("models")
    assert (site.get("/v2/health/ready").status, site.get("/readyz").status) == (200, 200)
    assert site.get("/v2/health/live").json == {"live": True}
    assert site.get("/livez").body == b"alive\n"
    assert site.get("/v2/models/delay/ready").json == {"name": "delay", "ready": True}


def test_the_repository_can_be_listed_and_told(site: Site) -> None:
    """Index, unload and load of V2's extension."""
    assert [each["state"] for each in site.post("/v2/repository/index").json] == ["READY"] * 3
    assert site.post("/v2/repository/models/mixed/unload", {"parameters": {"unload_dependents": False}}).status == 200
    entry = next(each for each in site.post("/v2/repository/index", {"ready": False}).json if each["name"] == "mixed")
    assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "unloaded")
    assert len(site.post("/v2/repository/index", {"ready": True}).json) == 2
    assert site.get("/v2/models/mixed/ready").status == 404
    assert site.post("/v2/repository/models/mixed/load").status == 200
    assert site.get("/v2/models/mixed/ready").status == 200


def test_figures_tell_model_version_and_status(site: Site) -> None:
    """What reached no model is counted without one: nobody can make series by inventing names."""
    site.post("/v2/models/delay/infer", {"inputs": [tensor("features", [2, 3], data=ROW * 2)]})
    site.post("/v2/models/delay/infer", {"inputs": []})
    site.post("/v2/models/invented/infer", {"inputs": []})
    told = site.get("/metrics").body.decode()
    assert 'serving_requests_total{model="delay",status="200",version="1"} 1.0' in told
    assert 'serving_requests_total{model="delay",status="400",version="1"} 1.0' in told
    assert 'serving_requests_total{model="",status="404",version=""} 1.0' in told
    assert 'serving_rows_total{model="delay",version="1"} 2.0' in told
    assert 'serving_batch_requests_bucket{le="1",model="delay",version="1"} 1.0' in told
    assert 'serving_alias_version{alias="challenger",model="delay"} 2.0' in told
    assert "invented" not in told


def test_numbers_of_json_are_those_of_the_model(site: Site) -> None:
    """What comes back is the float32 that was computed, to the last digit."""
    found = site.post("/v2/models/delay/infer", {"inputs": [tensor("features", [1, 3], data=[0.1, 0.0, 0.0])]})
    assert json.loads(found.body)["outputs"][0]["data"] == [float(np.float32(0.1))]


def test_requests_that_come_together_each_get_their_own_answer(tmp_path: Path) -> None:
    """Fifty callers, rows of different numbers, fewer runs than requests; nobody is given somebody else's."""
    put(tmp_path, "m", "1", linear())
    site = Site(tmp_path, repository(tmp_path, limits=Limits(inline_seconds=0, rows=16)))

    async def caller(number: int) -> list[float]:
        rows = number % 3 + 1
        body = msgspec.json.encode({"inputs": [tensor("features", [rows, 3], data=[number] * 3 * rows)]})
        return list((await site.call("POST", "/v2/models/m/infer", body, {})).json["outputs"][0]["data"])

    async def scene() -> list[list[float]]:
        await caller(0)  # the models were looked at
        return await asyncio.gather(*map(caller, range(50)))

    found = asyncio.run(asyncio.wait_for(scene(), 30))
    assert found == [[3.0 * number] * (number % 3 + 1) for number in range(50)]
    served = site.models.find(("m", ""))
    assert served
    assert served.tally.batches.total == 51
    assert sum(served.tally.batches.counts) < 25

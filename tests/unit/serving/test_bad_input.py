"""Bad input: a typed V2 error with a 4xx, never a 500, and the next good request is answered."""

import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from serving.model.batch import Batcher, Limits
from unit.serving.asking import LARGEST, Answer, Site, binary, tensor, texts
from unit.serving.graphs import gathering, identity, linear, mixed, point, put, repository

GOOD = {"inputs": [tensor("features", [1, 3], data=[1, 2, 4])]}
PATH = "/v2/models/delay/infer"
DEEP = 250_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a server with models of several kinds; it lives through all that is sent to it here."""
    tmp_path = tmp_path_factory.mktemp("models")
    put(tmp_path, "delay", "1", linear(), card=True)
    point(tmp_path, "delay", champion="1", lost="9")
    put(tmp_path, "plain", "1", linear())
    put(tmp_path, "mixed", "1", mixed())
    put(tmp_path, "texts", "1", identity(TensorProto.STRING))
    put(tmp_path, "bytes", "1", identity(TensorProto.UINT8))
    put(tmp_path, "flags", "1", identity(TensorProto.BOOL))
    put(tmp_path, "halves", "1", identity(TensorProto.FLOAT16))
    put(tmp_path, "gather", "1", gathering())
    put(tmp_path, "broken", "1", b"\x80\x04.")
    return Site(tmp_path, default="delay")


def refused(site: Site, found: Answer, status: int, *words: str) -> None:
    """Hold an answer to its status and words, and the server to its next answer."""
    assert found.status == status, found.body
    for word in words:
        assert word in found.error
    assert " - " in found.error  # what, and what to do
    assert site.post(PATH, GOOD).status == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (tensor("Features", [1, 3], data=[1, 2, 3]), ["Features", "takes features"]),
        (tensor("features", [1, 3], "FP64", data=[1, 2, 3]), ["FP64", "FP32"]),
        (tensor("features", [1, 3], "float32", data=[1, 2, 3]), ["float32", "FP32"]),
        (tensor("features", [1, 4], data=[1, 2, 3, 4]), ["[1, 4]", "[-1, 3]"]),
        (tensor("features", [3], data=[1, 2, 3]), ["1 dimensions, not 2"]),
        (tensor("features", [0, 3], data=[]), ["one is 0"]),
        (tensor("features", [-1, 3], data=[1, 2, 3]), ["one is -1"]),
        (tensor("features", [2**62, 3], data=[1, 2, 3]), ["4611686018427387904"]),
        (tensor("features", [2**39, 3], data=[1, 2, 3]), ["elements"]),
        (tensor("features", [1, 3], data=[1, 2]), ["2 elements", "has 3"]),
        (tensor("features", [2, 3], data=[[1, 2, 3], [1, 2]]), ["features"]),
        (tensor("features", [2, 3], data=[[1, 2, 3]]), ["nested as [1, 3]"]),
        (tensor("features", [1, 3], data=[[[1, 2, 3]]]), ["array"]),
        (tensor("features", [1, 3], data=["1", 2, 3]), ["str"]),
        (tensor("features", [1, 3], data=[True, 2, 3]), ["bool"]),
        (tensor("features", [1, 3], data={"a": 1}), ["object"]),
        (tensor("features", [1, 3], data=None), ["null"]),
        (tensor("features", [1, 3], data=5), ["features"]),
        (tensor("features", [1, 3], data=[1, 2, 1e39]), ["<= 3.4028", "$[2]"]),
        (tensor("features", [1, 3]), ["data is missing"]),
        (tensor("features", [1, 3], parameters={"binary_data_size": 12}), ["data is missing"]),
    ],
)
def test_inputs_that_are_not_the_models(site: Site, given: object, words: list[str]) -> None:
    """Name, datatype, shape, data: each refusal names the input and what the model takes."""
    refused(site, site.post(PATH, {"inputs": [given]}), 400, *words)


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("plain", tensor("features", [1, 3], data=[1, None, 3]), ["null", "$[1]"]),
        ("bytes", tensor("x", [1, 2], "UINT8", data=[1, 256]), ["256"]),
        ("bytes", tensor("x", [1, 2], "UINT8", data=[1, -1]), ["-1"]),
        ("bytes", tensor("x", [1, 2], "UINT8", data=[1, 1.5]), ["float"]),
        ("bytes", tensor("x", [1, 2], "UINT8", data=[1, 2**70]), ["x"]),
        ("flags", tensor("x", [1, 2], "BOOL", data=[1, 0]), ["bool"]),
        ("halves", tensor("x", [1, 2], "FP16", data=[1, 70000]), ["<= 65504", "$[1]"]),
        ("texts", tensor("x", [1, 2], "BYTES", data=["a", 1]), ["str"]),
    ],
)
def test_values_that_the_type_cannot_hold(site: Site, model: str, given: object, words: list[str]) -> None:
    """Out of range, of another kind, or missing where nothing may be."""
    refused(site, site.post(f"/v2/models/{model}/infer", {"inputs": [given]}), 400, *words)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"inputs": 1}', b'{"inputs": [{}]}', b'{"inputs": [1]}', b"{}",
        b'{"inputs": []}',
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [NaN, 1, 2]}]}',
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [Infinity, 1, 2]}]}',
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1e400, 1, 2]}]}',
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, "\xff"]}]}',
        b'{"inputs": [{"name": "features", "shape": ["1", 3], "datatype": "FP32", "data": [1, 2, 3]}]}',
        b'{"inputs": [{"name": "features", "shape": [1.5, 3], "datatype": "FP32", "data": [1, 2, 3]}]}',
        b'{"inputs": [{"name": "features", "shape": [%b, 3], "datatype": "FP32", "data": [1, 2, 3]}]}' % (b"9" * 5000),
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [%b, 2]}]}' % (b"9" * 5000),
        msgspec.json.encode({"inputs": [*GOOD["inputs"], *GOOD["inputs"]]}),
        msgspec.json.encode({**GOOD, "outputs": [{"name": "nobody"}]}),
        msgspec.json.encode({**GOOD, "outputs": [{"name": "prediction"}, {"name": "prediction"}]}),
        msgspec.json.encode({**GOOD, "parameters": {"timeout": "soon"}}),
        msgspec.json.encode({**GOOD, "parameters": {"timeout": -1}}),
    ],
)  # fmt: skip
def test_bodies_that_are_no_request(site: Site, body: bytes) -> None:
    """No JSON, no request, or one that contradicts itself."""
    refused(site, site.post(PATH, body), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP + b"]" * DEEP,
        b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": '
        + b"[" * DEEP
        + b"]" * DEEP
        + b"}]}",
        b'{"inputs": [], "parameters": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}",
        b'{"inputs": [], "unknown": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        b"[" * DEEP,
    ],
)
@pytest.mark.parametrize("path", [PATH, "/invocations", "/v2/repository/index", "/v2/repository/models/delay/load"])
def test_json_of_250_000_levels(site: Site, path: str, body: bytes) -> None:
    """It is refused as any body that cannot be read."""
    refused(site, site.post(path, body), 400)


@pytest.mark.parametrize(
    ("size", "sent", "length", "words"),
    [
        (12, 8, None, ["8 bytes are left"]),
        (8, 8, None, ["8 bytes; FP32 [1, 3] has 12"]),
        (16, 16, None, ["16 bytes; FP32 [1, 3] has 12"]),
        (12, 16, None, ["4 bytes after the JSON"]),
        (-1, 12, None, ["binary_data_size is -1"]),
        ("12", 12, None, ["binary_data_size is '12'"]),
        (True, 12, None, ["binary_data_size is True"]),
        (2**62, 12, None, ["binary_data_size is 4611686018427387904"]),
        (12, 12, "100000", ["100000"]),
        (12, 12, "-1", ["-1"]),
        (12, 12, "x", ["x"]),
        (12, 12, "9" * 5000, ["Inference-Header-Content-Length"]),
        (12, 12, "", ["Inference-Header-Content-Length"]),
    ],
)
def test_binary_tensors_that_are_cut_off_or_lie(
    site: Site, size: object, sent: int, length: str | None, words: list[str]
) -> None:
    """Sizes, header and bytes have to agree."""
    body, header = binary({"inputs": [tensor("features", [1, 3], parameters={"binary_data_size": size})]}, b"\0" * sent)
    if length is not None:
        header["inference_header_content_length"] = length
    refused(site, site.post(PATH, body, **header), 400, *words)


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (texts(b"a"), "fewer elements"),
        (texts(b"a", b"b", b"c"), "more elements"),
        (texts(b"a", b"b")[:-1], "ends beyond"),
        (texts(b"a") + b"\1\0", "ends beyond"),
        (struct.pack("<I", 2**32 - 1), "ends beyond"),
        (texts(b"a", b"\xff"), "UTF-8"),
        (b"", "fewer elements"),
    ],
)
def test_texts_that_are_cut_off_or_lie(site: Site, segment: bytes, words: str) -> None:
    """Each element has its own length, which is believed as far as there are bytes."""
    given = tensor("x", [1, 2], "BYTES", parameters={"binary_data_size": len(segment)})
    body, header = binary({"inputs": [given]}, segment)
    refused(site, site.post("/v2/models/texts/infer", body, **header), 400, words)


def test_a_truth_value_is_0_or_1(site: Site) -> None:
    """Other bytes are no BOOL."""
    body, header = binary({"inputs": [tensor("x", [1, 2], "BOOL", parameters={"binary_data_size": 2})]}, b"\1\2")
    refused(site, site.post("/v2/models/flags/infer", body, **header), 400, "neither 0 nor 1")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model", ["plain", "delay"])
def test_values_that_are_no_numbers(site: Site, model: str, value: float) -> None:
    """NaN is refused where the model has no card that allows it; infinite values everywhere."""
    segment = np.array([[1, value, 2]], np.float32).tobytes()
    body, header = binary({"inputs": [tensor("features", [1, 3], parameters={"binary_data_size": 12})]}, segment)
    found = site.post(f"/v2/models/{model}/infer", body, **header)
    if model == "delay" and np.isnan(value):
        assert found.status == 200
    else:
        refused(site, found, 400, f"[0, 1] is {value}")


def test_large_finite_numbers_are_finite(site: Site) -> None:
    """Their squares are not, and that is not held against them."""
    found = site.post("/v2/models/plain/infer", {"inputs": [tensor("features", [1, 3], data=[3e38, -3e38, 0])]})
    assert found.json["outputs"][0]["data"] == [0.0]


def test_inputs_of_different_lengths(site: Site) -> None:
    """A model that takes rows takes as many of each input."""
    inputs = [tensor("a", [1, 2], data=[1, 2]), tensor("b", [2, 2], data=[1, 2, 3, 4])]
    refused(site, site.post("/v2/models/mixed/infer", {"inputs": inputs}), 400, "a 1, b 2")
    refused(site, site.post("/v2/models/mixed/infer", {"inputs": inputs[:1]}), 400, "input b is missing")


def test_values_on_which_the_model_fails(site: Site) -> None:
    """An index beyond its table: 422, in onnxruntime's words."""
    found = site.post("/v2/models/gather/infer", {"inputs": [tensor("index", [1], "INT64", data=[9])]})
    refused(site, found, 422, "model gather version 1")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v2/models/nobody/infer", 404, "model nobody is unknown"),
        ("/v2/models/delay/versions/9/infer", 404, "no version or alias 9"),
        ("/v2/models/delay@nobody/infer", 404, "no version or alias nobody"),
        ("/v2/models/delay@lost/infer", 404, "points to version 9, which is not there"),
        ("/v2/models/delay@lost/versions/1/infer", 400, "name two versions"),
        ("/v2/models/broken/infer", 422, "a pickle"),
        ("/v2/models/../delay/infer", 404, "no path"),
        ("/v2/models/infer", 405, "send a GET"),
        ("/v2/models/delay/generate", 404, "no path"),
        ("/v2/models/delay/ready", 405, "send a GET"),
        ("/v2/repository/models/nobody/load", 404, "nobody"),
        ("/v2/repository/models/broken/load", 422, "a pickle"),
        ("/v2/repository/models/nobody/unload", 404, "nobody"),
        ("/v2/health/live", 405, "send a GET"),
        ("/nowhere", 404, "no path"),
    ],
)
def test_paths_that_lead_nowhere(site: Site, path: str, status: int, words: str) -> None:
    """Unknown models, versions, aliases and paths."""
    found = site.post(path, GOOD if path.endswith("infer") else b"")
    refused(site, found, status, words)
    if status == 405:
        assert found.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/nobody", 404), ("GET", "/v2/models/delay/versions/9", 404),
        ("GET", "/v2/models/broken", 422),
        ("GET", "/v2/models/delay/versions/lost/ready", 404), ("GET", "/", 404), ("GET", "/v2/nothing", 404),
        ("GET", PATH, 405), ("GET", "/v2/repository/index", 405), ("GET", "/invocations", 405),
        ("PUT", PATH, 405), ("DELETE", "/v2/models/delay", 405), ("OPTIONS", "/", 405),
    ],
)  # fmt: skip
def test_questions_that_have_no_answer(site: Site, method: str, path: str, status: int) -> None:
    """The same errors with GET, and other methods."""
    refused(site, site.ask(method, path), status)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
def test_compressed_bodies_are_not_unpacked(site: Site, encoding: str) -> None:
    """A bomb stays what it is: 415, whatever the path."""
    for path in (PATH, "/invocations", "/v2/repository/index"):
        refused(site, site.post(path, GOOD, content_encoding=encoding), 415, "Content-Encoding")


def test_a_body_beyond_the_limit_is_refused(site: Site) -> None:
    """Whether it says so or not."""
    refused(site, site.post(PATH, b" " * (LARGEST + 1)), 413, f"{LARGEST} are the limit")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "nothing was sent"),
        ({"inputs": [[1, 2, 3]], "instances": [[1, 2, 3]]}, "inputs and instances"),
        ({"dataframe_split": {"columns": ["wind"], "data": [[1]]}}, "column dep_delay, distance is missing"),
        ({"dataframe_split": {"columns": ["wind"], "data": [[1], [1, 2]]}}, "row 1 has 2 values"),
        ({"dataframe_split": {"data": [[1, 2]]}}, "shape is [1, 2]"),
        ({"dataframe_split": {"data": []}}, "shape is [0]"),
        ({"dataframe_split": {"data": [[1, "x", 2]]}}, "str"),
        ({"dataframe_split": 5}, "request"),
        ({"dataframe_records": [{}]}, "features"),
        ({"inputs": [[1, 2, 3], [1]]}, "features"),
        ({"inputs": [1, 2, 3]}, "features"),
        ({"inputs": "x"}, "features"),
        ({"inputs": {"other": [[1, 2, 3]]}}, "inputs are other"),
        ({"inputs": {"features": [[1e39, 2, 3]]}}, "<= 3.4028"),
        ({"inputs": []}, "shape is [0]"),
        ({"inputs": [[]]}, "features"),
    ],
)
def test_invocations_that_do_not_fit(site: Site, body: object, words: str) -> None:
    """MLflow's forms are held to the model as V2's are."""
    refused(site, site.post("/invocations", body), 400, words)


def test_invocations_in_another_form(site: Site) -> None:
    """CSV is not taken."""
    refused(site, site.post("/invocations", b"a,b\n1,2\n", content_type="text/csv"), 415, "text/csv")


def test_orders_cannot_bring_files_along(site: Site) -> None:
    """Models come from the registry alone."""
    body = {"parameters": {"config": "{}", "file:1/model.onnx": "AAAA"}}
    refused(site, site.post("/v2/repository/models/delay/load", body), 400, "config")


def test_a_request_whose_time_is_over_is_told_so(tmp_path: Path) -> None:
    """504 with Retry-After, as its own `timeout` in microseconds has it."""
    put(tmp_path, "delay", "1", linear())
    site = Site(tmp_path, repository(tmp_path, limits=Limits(inline_seconds=0)))
    found = site.post(PATH, {**GOOD, "parameters": {"timeout": 1}})
    assert found.status in {200, 504}
    if found.status == 504:
        assert found.headers["retry-after"] == "1"
    assert site.post(PATH, {**GOOD, "parameters": {"timeout": 10_000_000}}).status == 200


def test_a_model_that_has_too_much_to_do_says_when_to_come_again(tmp_path: Path) -> None:
    """429 with Retry-After in seconds, over V2 and MLflow's way."""
    put(tmp_path, "delay", "1", linear())
    site = Site(tmp_path)
    assert site.post(PATH, GOOD).status == 200
    served = site.models.find(("delay", ""))
    assert served
    assert isinstance(served.batcher, Batcher)
    served.batcher._busy = True
    served.batcher.costs.typical = 2.5
    for path, body in ((PATH, GOOD), ("/invocations", {"inputs": [[1, 2, 3]]})):
        found = site.post(path, body)
        assert (found.status, found.headers["retry-after"]) == (429, "3")
        assert "requests wait" in found.error
    served.batcher._busy = False
    assert site.post(PATH, GOOD).status == 200
    assert 'serving_requests_refused_total{model="delay",version="1"} 2.0' in site.get("/metrics").body.decode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=8,
)
_INPUT = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["features", "a", ""]) | _JSON,
        "shape": st.lists(st.integers(-2, 4) | st.integers(), max_size=3) | _JSON,
        "datatype": st.sampled_from(["FP32", "FP64", "BYTES", "INT8"]) | _JSON,
    },
    optional={
        "data": st.lists(st.floats(width=32) | st.integers(), max_size=6).map(
            lambda each: [value if abs(value) < 1e300 else None for value in each]
        ) | _JSON,
        "parameters": st.dictionaries(
            st.sampled_from(["binary_data_size", "x"]), st.integers(-1, 20) | _JSON, max_size=2
        ),
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(inputs=st.lists(_INPUT, max_size=2), rest=st.binary(max_size=24), length=st.none() | st.integers(-1, 400))
def test_whatever_is_sent_is_answered(site: Site, inputs: list[object], rest: bytes, length: int | None) -> None:
    """Requests that are nearly right: 200, or 400 with a reason."""
    head = msgspec.json.encode({"inputs": inputs})
    header = {} if length is None else {"inference_header_content_length": str(len(head) if length > 200 else length)}
    found = site.post(PATH, head + rest, **header)
    assert found.status in {200, 400}, found.body
    if found.status != 200:
        assert found.error

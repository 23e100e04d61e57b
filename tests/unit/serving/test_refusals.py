"""Requests that ask for more than they seem to, or whose fault shows late: they are refused as cheaply as any other."""

import asyncio
import resource
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from serving.endpoints.bodies import Sizes
from serving.flights.people import People
from unit.serving.asking import Site, binary, tensor
from unit.serving.features import FeatureService, put_known
from unit.serving.graphs import identity, linear, model, point, put

DEEP = 250_000
INFER = "/v2/models/plain/infer"
GOOD = {"inputs": [tensor("features", [1, 3], data=[1, 2, 4])]}
MEMORY = 300_000_000
"""Bytes that no request of a few megabytes may make the server take."""


def shapes() -> bytes:
    """Return a model with an output for each row, one with two, and one for all of them."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])
    ends = [
        helper.make_tensor_value_info("same", TensorProto.FLOAT, ["N", 2]),
        helper.make_tensor_value_info("whole", TensorProto.FLOAT, [1, 1]),
    ]
    nodes = [helper.make_node("Identity", ["x"], ["same"]), helper.make_node("ReduceSum", ["x"], ["whole"])]
    return bytes(model(nodes, [given], ends).SerializeToString())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a server with models of several kinds; it lives through all that is sent to it here."""
    root = tmp_path_factory.mktemp("models")
    put(root, "plain", "1", linear())
    put(root, "delay", "1", linear(), card=True)
    put(root, "texts", "1", identity(TensorProto.STRING))
    put(root, "pair", "1", identity(TensorProto.FLOAT))
    put(root, "shapes", "1", shapes())
    put(root, "loose", "1", identity(TensorProto.FLOAT, ("N", "M")))
    put_known(root, "known", "1")
    point(root, "plain", champion="1")
    return Site(root, default="known", people=People(FeatureService().lookup()))


@pytest.fixture
def small() -> Iterator[None]:
    """Hold what is done to little memory; a bomb that goes off finds an end before the machine's."""
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * MEMORY, before[1]))
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("path", ["/flights/predict", "/v2/models/known/flights", INFER, "/invocations"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"carrier": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"unknown": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        b'{"instances": ' + b"[" * DEEP + b"]" * DEEP + b', "inputs": []}',
        b'{"dataframe_records": [{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}]}",
    ],
)
def test_json_of_250_000_levels_in_every_field(site: Site, path: str, body: bytes) -> None:
    """Where people ask, and where any JSON is taken at first."""
    found = site.post(path, body)
    assert found.status == 400, found.error


@pytest.mark.parametrize("timeout", [10**30, 10**300, 10**400, 2**63, -(10**400), True, 1.5, "1", [], None])
def test_a_time_that_no_clock_has(site: Site, timeout: object) -> None:
    """It is refused as any timeout that is none; without one the server's own holds."""
    found = site.post(INFER, {**GOOD, "parameters": {"timeout": timeout}})
    assert found.status == (200 if timeout is None else 400), found.body


@pytest.mark.parametrize("name", ["cache_seconds", "cache_key"])
@pytest.mark.parametrize("value", [10**400, -1, True, [], "", "a" * 201])
def test_what_a_cache_cannot_keep_by(site: Site, name: str, value: object) -> None:
    """A key is a text of some length, seconds are a number of some size."""
    given = {"cache_key": "k", "cache_seconds": 1, name: value}
    assert site.post(INFER, {**GOOD, "parameters": given}).status == 400


@pytest.mark.parametrize("size", [10**400, 2**64, -(10**30)])
def test_binary_sizes_beyond_any_integer(site: Site, size: int) -> None:
    """The number is told as far as it is of use."""
    request: dict[str, object] = {"inputs": [tensor("a" * 100_000, [1, 3], parameters={"binary_data_size": size})]}
    body, header = binary(request, b"\0" * 12)
    found = site.post(INFER, body, **header)
    assert found.status == 400
    assert len(found.error) < 500


@pytest.mark.parametrize("value", ["1" + "0" * 4000, "9" * 5000, "1e400", "-1e400", "1" + "0" * 400 + ".5"])
@pytest.mark.parametrize("path", [INFER, "/v2/models/delay/invocations", "/v2/models/known/flights"])
def test_numbers_of_thousands_of_digits(site: Site, path: str, value: str) -> None:
    """Wherever a number may stand."""
    for body in (
        '{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [%s, 1, 2]}]}',
        '{"inputs": [{"name": "features", "shape": [%s, 3], "datatype": "FP32", "data": [1, 1, 2]}]}',
        '{"inputs": [[%s, 1, 2]]}',
        '{"dataframe_split": {"data": [[%s, 1, 2]]}}',
        '{"flight": %s}',
        '{"hours": %s}',
        '{"inputs": [], "params": {"timeout": %s}}',
    ):
        assert site.post(path, (body % value).encode()).status == 400


@pytest.mark.parametrize(
    "texts", [[["a"], ["b", "c"]], [["a", "b"], ["c"]], [[], []], [["a"]], [["a", None]], [[["a"]]]]
)
def test_texts_in_lists_of_different_lengths(site: Site, texts: object) -> None:
    """They are no rows of one table."""
    found = site.post("/v2/models/texts/invocations", {"inputs": texts})
    assert found.status == 400
    assert "x" in found.error


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["plain", "delay", "loose"])
def test_records_whose_every_name_is_another(site: Site, name: str) -> None:
    """A table of as many columns as rows would take terabytes."""
    records = [{f"column {number}": number} for number in range(50_000)]
    begun = time.perf_counter()
    found = site.post(f"/v2/models/{name}/invocations", {"dataframe_records": records})
    assert found.status == 400
    assert time.perf_counter() - begun < 5


@pytest.mark.usefixtures("small")
def test_records_that_leave_everything_out(site: Site) -> None:
    """Three bytes of a body are a row of the model's whole width."""
    first = b'{"dep_delay": 1, "distance": 2, "wind": 3}'
    body = b'{"dataframe_records": [' + first + b",{}" * 1_000_000 + b"]}"
    found = site.post("/v2/models/delay/invocations", body)
    assert found.status == 400
    assert "1000001 records of 3 columns are too many" in found.error
    few = b'{"dataframe_records": [' + first + b",{}" * 10 + b"]}"
    assert len(site.post("/v2/models/delay/invocations", few).json["predictions"]) == 11


def test_records_of_a_model_without_a_card(site: Site) -> None:
    """Nothing may be missing there; each has a value for each column."""
    path = "/v2/models/pair/invocations"
    found = site.post(path, {"dataframe_records": [{"a": 1, "b": 2}, {"b": 4, "a": 3}]})
    assert found.json["predictions"] == [{"y": [1, 2]}, {"y": [3, 4]}]
    found = site.post(path, {"dataframe_records": [{"a": 1, "b": 2}, {"a": 3}]})
    assert (found.status, "row 1 has 1 values; there are 2 columns" in found.error) == (400, True)


def test_outputs_that_are_no_table(site: Site) -> None:
    """A table in, and one value for all its rows out: asked with arrays, the model answers."""
    path = "/v2/models/shapes/invocations"
    found = site.post(path, {"dataframe_split": {"data": [[1, 2], [3, 4]]}})
    assert (found.status, "send inputs" in found.error) == (400, True)
    found = site.post(path, {"inputs": [[1, 2], [3, 4]]})
    assert found.json["predictions"] == {"same": [[1, 2], [3, 4]], "whole": [[10]]}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", INFER, "POST"), ("DELETE", "/v2/models/plain/versions/1/infer", "POST"),
        ("PATCH", "/invocations", "POST"),
        ("GET", "/flights/predict", "POST"), ("GET", "/v2/models/plain/flights", "POST"),
        ("HEAD", "/v2/repository/index", "POST"), ("PUT", "/v2/models/plain", "GET"), ("TRACE", "/v2", "GET"),
        ("PUT", "/v2/models/infer", "GET"), ("BREW", "/nowhere", "GET"),
    ],
)  # fmt: skip
def test_a_method_that_is_not_taken_is_told_which_is(site: Site, method: str, path: str, allowed: str) -> None:
    """In the header that HTTP has for it, and in words."""
    found = site.ask(method, path)
    assert (found.status, found.headers["allow"]) == (405, allowed)
    assert f"send a {allowed}" in found.error


@pytest.mark.parametrize(
    "make",
    [
        lambda long: {"inputs": [tensor(long, [1, 3], data=[1, 2, 3])]},
        lambda long: {"inputs": [tensor("features", [1, 3], long, data=[1, 2, 3])]},
        lambda long: {"inputs": [tensor("features", [1, 3], data=[1, 2, long])]},
        lambda long: {**GOOD, "outputs": [{"name": long}]},
        lambda long: {**GOOD, "outputs": [{"name": "prediction"}] * len(long)},
        lambda long: {**GOOD, "parameters": {"timeout": long}},
        lambda long: {**GOOD, "parameters": {"cache_key": long}},
        lambda long: {"inputs": [tensor("features", [1] * len(long), data=[1, 2, 3])]},
        lambda long: {long: 1},
    ],
)
def test_what_a_caller_wrote_is_not_told_back_at_length(site: Site, make: Callable[[str], object]) -> None:
    """An error names what is wrong, however long its name."""
    found = site.post(INFER, make("n" * 100_000))
    assert found.status == 400
    assert len(found.error) < 1000


def test_paths_that_callers_make_up_are_not_remembered(site: Site) -> None:
    """A path of any length is answered; only short ones are kept for the next time."""
    for number in range(10):
        assert site.post(f"/v2/models/{'a' * 50_000}{number}/infer", GOOD).status == 404
    assert sum(map(len, site.web._ways)) < 10_000


def test_json_has_an_end_before_tensors_have(tmp_path: Path) -> None:
    """Of a body of one size the tensors may be all but the JSON, not the other way round."""
    put(tmp_path, "plain", "1", linear())
    site = Site(tmp_path, sizes=Sizes(body=100_000, json=10_000))
    wide: dict[str, object] = {"inputs": [tensor("features", [4000, 3], parameters={"binary_data_size": 48_000})]}
    body, header = binary(wide, bytes(48_000))
    assert site.post(INFER, body, **header).status == 200
    for path, more in (
        (INFER, {}),
        (INFER, {"inference_header_content_length": "10001"}),
        (INFER, {"inference_header_content_length": "x"}),
        ("/v2/models/plain/invocations", header),
        ("/v2/repository/index", header),
    ):
        found = site.post(path, b" " * 10_001, **more)
        assert (found.status, "10000 are the limit" in found.error, "binary" in found.error) == (413, True, True)
    assert site.post(INFER, b" " * 100_001, **header).status == 413


def test_bodies_that_are_answered_leave_room_for_few_others(tmp_path: Path) -> None:
    """One that does not fit beside them is told when to come again; what is done with gives its room back."""
    put(tmp_path, "plain", "1", linear())
    site = Site(tmp_path, sizes=Sizes(body=1_000_000, json=100_000, bodies=250_000))
    rows = 200_000 // 12
    given: dict[str, object] = {"inputs": [tensor("features", [rows, 3], parameters={"binary_data_size": rows * 12})]}
    body, header = binary(given, bytes(rows * 12))
    for _ in range(3):
        assert site.post(INFER, body, **header).status == 200
        assert site.post(INFER, body[:-1], **header).status == 400
        assert site.post("/v2/models/nobody/infer", body, **header).status == 404
    site.web._bodies._room.take(100_000)
    found = site.post(INFER, body, **header)
    assert (found.status, found.headers["retry-after"], found.headers["connection"]) == (429, "1", "close")
    assert "try again" in found.error
    assert site.post(INFER, GOOD).status == 200


def test_an_order_whose_body_never_came(site: Site) -> None:
    """The caller left before a byte of it: nothing is unloaded."""
    assert site.get("/v2/models/pair/ready").status == 200
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v2/repository/models/pair/unload", "headers": []}
    asyncio.run(site.web(scope, receive, send))
    assert sent[0]["status"] == 400
    assert site.get("/v2/models/pair/ready").status == 200

"""gRPC with whatever may come: messages that are none, tensors that are not the model's, bombs, another protocol.

Each is answered with the code that says whose fault it is, never UNKNOWN or INTERNAL; the process stays the same one
and goes on answering with the right number, over gRPC and HTTP. Every run makes the same calls (derandomised).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.inference import DATATYPES
from contracts.inference_grpc import CONTENTS, METHODS, SERVICE, message
from integration.serving import raw
from integration.serving.victim import Victim

Code: TypeAlias = Any
"""One of grpcio's, which has no types."""
CALLERS_FAULT = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
}
"""What calls are answered with that nobody else can be blamed for."""
FUZZED = settings(
    max_examples=300, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
GROWN = 40
"""MiB by which the server may grow over one call."""
_LARGEST = 16_000_000
_GOOD: dict[str, Any] = {
    "model_name": "m", "inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 3]}],
    "raw_input_contents": [np.array([1, 2, 4], np.float32).tobytes()],
}  # fmt: skip


class Caller:
    """Sends bytes to methods, over one connection."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def ask(self, method: str, content: bytes, **how: Any) -> tuple[Code, Any]:  # noqa: ANN401  grpcio's own
        """Return the code of an answer, and its bytes or its words."""
        call = self._channel.unary_unary(f"/{SERVICE}/{method}")
        try:
            return grpc.StatusCode.OK, call(content, timeout=30, wait_for_ready=True, **how)
        except grpc.RpcError as failure:
            return failure.code(), failure.details()

    def infer(self, fields: Mapping[str, Any], **how: Any) -> tuple[Code, Any]:  # noqa: ANN401  grpcio's own
        """Ask for inference."""
        return self.ask("ModelInfer", message("ModelInferRequest")(**fields).SerializeToString(), **how)

    def close(self) -> None:
        """Leave."""
        self._channel.close()


@pytest.fixture
def caller(server: Victim) -> Iterator[Caller]:
    """Return who calls; when it has called, the server is as it was."""
    before = server.memory()
    made = Caller(server.grpc_port)
    yield made
    code, content = made.infer(_GOOD)
    assert code == grpc.StatusCode.OK, content
    found = message("ModelInferResponse").FromString(content)
    assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [7.0]
    made.close()
    server.unharmed()
    assert server.memory() < before + GROWN


def _torn(content: bytes) -> st.SearchStrategy[bytes]:
    """A message with a part left out, doubled, or written over."""
    place = st.integers(0, len(content))
    return st.builds(
        lambda begin, end, new: content[: min(begin, end)] + new + content[max(begin, end) :],
        place, place, st.binary(max_size=12),
    )  # fmt: skip


def test_messages_that_are_none(caller: Caller) -> None:
    """Any bytes to any method, and good messages that were torn: the caller's fault."""
    seen: Counter[Code] = Counter()
    good = message("ModelInferRequest")(**_GOOD).SerializeToString()
    methods = [each for each in METHODS if each != "RepositoryModelUnload"]

    @FUZZED
    @given(method=st.sampled_from(methods) | st.just("ModelInfer"), content=st.binary(max_size=80) | _torn(good))
    def asked(method: str, content: bytes) -> None:
        code, told = caller.ask(method, content)
        assert code in CALLERS_FAULT, (method, content, told)
        seen[code] += 1

    asked()
    assert seen[grpc.StatusCode.OK], seen
    assert seen[grpc.StatusCode.INVALID_ARGUMENT], seen


_NAMES = st.sampled_from(["features", "features", "x", "a", ""]) | st.text(max_size=8)
_SHAPES = st.sampled_from([[1, 3], [1, 3], [1, 2], [3]]) | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4)
_FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "bool_contents": st.booleans(),
    "int_contents": st.integers(-(2**31), 2**31 - 1),
    "int64_contents": st.integers(-(2**63), 2**63 - 1),
    "uint_contents": st.integers(0, 2**32 - 1),
    "uint64_contents": st.integers(0, 2**64 - 1),
    "fp32_contents": st.floats(width=32),
    "fp64_contents": st.floats(),
    "bytes_contents": st.binary(max_size=4),
}
_CONTENTS = st.fixed_dictionaries(
    {}, optional={name: st.lists(each, max_size=4) for name, each in _FIELDS.items()}
) | st.fixed_dictionaries({"fp32_contents": st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=3)})
_PARAMETER: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.booleans().map(lambda value: {"bool_param": value}),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: {"int64_param": value}),
    st.text(max_size=8).map(lambda value: {"string_param": value}),
    st.floats().map(lambda value: {"double_param": value}),
    st.builds(dict),
)
_PARAMETERS = st.dictionaries(st.sampled_from(["timeout", "cache_key", "flight", ""]), _PARAMETER, max_size=2)
_INPUTS = st.fixed_dictionaries(
    {"name": _NAMES, "datatype": st.sampled_from(["FP32", "FP32", *DATATYPES, "", "fp32", "\0"]), "shape": _SHAPES},
    optional={"contents": _CONTENTS, "parameters": _PARAMETERS},
)
_REQUESTS = st.fixed_dictionaries(
    {"model_name": st.sampled_from(["m", "m", "m@1", "texts", "gather", "mixed", "broken", "nobody", "m@lost", ""])},
    optional={
        "model_version": st.sampled_from(["", "", "1", "9", "champion", "lost"]) | st.text(max_size=4),
        "inputs": st.lists(_INPUTS, max_size=3),
        "outputs": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["prediction", "y", ""])}), max_size=2),
        "raw_input_contents": st.lists(st.binary(max_size=24), max_size=2),
        "parameters": _PARAMETERS,
    },
)


def test_tensors_that_are_not_the_models(caller: Caller) -> None:
    """Names, types, shapes, elements in the wrong field, too few of them, and some that fit."""
    seen: Counter[Code] = Counter()

    @FUZZED
    @given(fields=_REQUESTS)
    def asked(fields: Mapping[str, Any]) -> None:
        code, told = caller.infer(fields)
        assert code in CALLERS_FAULT, (fields, told)
        if code != grpc.StatusCode.OK:
            assert " - " in told  # what, and what to do
        seen[code] += 1

    asked()
    assert seen[grpc.StatusCode.INVALID_ARGUMENT], seen
    assert seen[grpc.StatusCode.NOT_FOUND], seen


@pytest.mark.parametrize("datatype", CONTENTS)
def test_elements_of_every_other_type(caller: Caller, datatype: str) -> None:
    """A model of FP32 is given elements of each type that there is, declared as that type and as its own."""
    for name in {datatype, "FP32"} - ({"FP32"} if datatype == "FP32" else set()):
        elements = {CONTENTS[datatype]: [b"1", b"2", b"4"] if datatype == "BYTES" else [1, 0, 1]}
        given = {"name": "features", "datatype": name, "shape": [1, 3], "contents": elements}
        assert caller.infer({"model_name": "m", "inputs": [given]})[0] in CALLERS_FAULT


@pytest.mark.parametrize("long", ["a" * 20_000, "é" * 20_000, "\0" * 20_000])
def test_words_that_are_longer_than_a_trailer(caller: Caller, long: str) -> None:
    """What a caller wrote is cut off where it is told again, so that the code arrives."""
    wrong = {"name": long, "datatype": "FP32", "shape": [1, 3]}
    for fields in (
        {"model_name": long},
        {"model_name": "m", "model_version": long},
        {"model_name": long, "model_version": long},
        {"model_name": "m", "inputs": [wrong], "raw_input_contents": [b"\0" * 12]},
        {"model_name": "m", "inputs": [{**wrong, "datatype": long}]},
        {"model_name": "m", "inputs": [{**wrong, "contents": {"int_contents": [1]}}]},
        {**_GOOD, "outputs": [{"name": long}]},
        {**_GOOD, "outputs": [{"name": "prediction"}] * 20_000},
    ):
        code, told = caller.infer(fields)
        assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}, told


def test_a_method_that_there_is_not(caller: Caller) -> None:
    """UNIMPLEMENTED, as gRPC has it."""
    assert caller.ask("Nobody", b"")[0] == grpc.StatusCode.UNIMPLEMENTED


def test_a_message_beyond_the_limit(caller: Caller) -> None:
    """It is refused by its size."""
    assert caller.ask("ModelInfer", bytes(_LARGEST + 1))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("packed", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_bombs_stay_packed(caller: Caller, packed: grpc.Compression) -> None:
    """A message that unpacks to a thousand times its size is not unpacked."""
    assert caller.ask("ModelInfer", bytes(100_000_000), compression=packed)[0] == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "metadata",
    [
        [("traceparent", "00-" + "f" * 60 + "1")],
        [("traceparent", "1")],
        [("x-tarmac-flight", "," * 1000), ("x-tarmac-variant", "a" * 1000), ("x-request-id", " ")],
        [("x-tarmac-flight-bin", b"\xff\0\xfe")],
    ],
)
def test_metadata_that_makes_no_sense(caller: Caller, metadata: list[tuple[str, Any]]) -> None:
    """It is none of the model's business."""
    assert caller.infer(_GOOD, metadata=metadata)[0] == grpc.StatusCode.OK


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        b"POST / HTTP/1.1\r\nhost: m\r\ncontent-length: 3\r\n\r\nabc",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\xff\xff\xff\1\4\0\0\0\1" + b"\xaa" * 5000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 200,
    ],
)
@pytest.mark.usefixtures("caller")
def test_what_is_no_grpc(server: Victim, content: bytes) -> None:
    """Another protocol, or frames that are none: that connection ends, and no other."""
    for abruptly in (False, True):
        raw.left(server.grpc_port, content, abruptly=abruptly)

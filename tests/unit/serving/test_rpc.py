"""V2 over gRPC: the same answers and the same errors as over HTTP."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.inference import DATATYPES
from contracts.inference_grpc import CONTENTS, SERVICE, message
from runtime.errors import BadSetting
from runtime.tracing import Tracing
from serving.endpoints.bodies import Bodies, Sizes
from serving.endpoints.rpc import Rpc
from serving.inference.journal import Journal
from unit.serving.asking import texts
from unit.serving.graphs import identity, linear, mixed, point, put, put_composition, repository
from unit.serving.test_journal import TRACE, Topic, written
from unit.serving.test_session import KINDS

Call = Callable[..., Awaitable[Any]]


def played(
    root: Path,
    scene: Callable[[Call], Awaitable[None]],
    journal: Journal | None = None,
    tracing: Tracing | None = None,
    bodies: Bodies | None = None,
) -> None:
    """Play a scene with a client of a server of the models in a folder."""

    async def play() -> None:
        models = repository(root)
        await models.refresh()
        rpc = Rpc(
            models,
            lambda: True,
            bodies or Bodies(Sizes()),
            seconds=10,
            largest=1_000_000,
            journal=journal,
            tracing=tracing,
        )
        async with (
            rpc.answering("127.0.0.1", 0, 1) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):

            async def call(method: str, metadata: Any = None, **fields: object) -> Any:  # noqa: ANN401  no types
                stub = channel.unary_unary(
                    f"/{SERVICE}/{method}",
                    message(f"{method}Request").SerializeToString,
                    message(f"{method}Response").FromString,
                )
                return await stub(message(f"{method}Request")(**fields), timeout=10, metadata=metadata)

            await scene(call)

    asyncio.run(asyncio.wait_for(play(), 30))


def test_messages_and_bodies_share_one_room(tmp_path: Path) -> None:
    """A large message beside what is being answered is told to come again, a small one is not."""
    put(tmp_path, "m", "1", linear())
    bodies = Bodies(Sizes(bodies=250_000))
    rows = 10_000
    large = {
        "model_name": "m", "inputs": [given("features", [rows, 3])], "raw_input_contents": [bytes(rows * 3 * 4)],
    }  # fmt: skip
    small = {"model_name": "m", "inputs": [given("features", [1, 3])], "raw_input_contents": [bytes(12)]}

    async def scene(call: Call) -> None:
        with bodies.held(bytes(200_000)):  # as a request over HTTP has it
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await call("ModelInfer", **large)
            assert told.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "250000 are the limit" in str(told.value.details())
            assert len((await call("ModelInfer", **small)).raw_output_contents) == 1
        for _ in range(4):  # each gives its room back
            assert list((await call("ModelInfer", **large)).outputs[0].shape) == [rows, 1]

    played(tmp_path, scene, bodies=bodies)


def given(name: str, shape: list[int], datatype: str = "FP32", **contents: object) -> dict[str, object]:
    """Return an input."""
    found: dict[str, object] = {"name": name, "shape": shape, "datatype": datatype}
    return {**found, "contents": contents} if contents else found


def test_typed_and_raw_contents_are_computed(tmp_path: Path) -> None:
    """Whichever way a client sends its tensors; the answer has raw bytes."""
    put(tmp_path, "m", "1", linear())
    put(tmp_path, "m", "2", linear(factor=10))
    point(tmp_path, "m", champion="1", challenger="2")

    async def scene(call: Call) -> None:
        typed = [given("features", [1, 3], fp32_contents=[1, 2, 4])]
        found = await call("ModelInfer", model_name="m", id="7", inputs=typed)
        assert (found.model_name, found.model_version, found.id) == ("m", "1", "7")
        assert [(each.name, each.datatype, list(each.shape)) for each in found.outputs] == [
            ("prediction", "FP32", [1, 1])
        ]
        assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [7.0]
        raw = [np.array([1, 2, 4], np.float32).tobytes()]
        inputs = [given("features", [1, 3])]
        found = await call(
            "ModelInfer", model_name="m", model_version="challenger", inputs=inputs, raw_input_contents=raw
        )
        assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [70.0]

    played(tmp_path, scene)


def test_a_composition_is_asked_as_any_model(tmp_path: Path) -> None:
    """Its metadata is a model's, and it chooses by the parameters of the call."""
    put(tmp_path, "small", "1", linear(), card=True)
    put(tmp_path, "big", "1", linear(factor=10), card=True)
    parts = {"kind": "by_parameter", "parameter": "depth", "ways": {"fast": "small"}, "otherwise": "big"}
    put_composition(tmp_path, "whole", "1", parts)

    async def scene(call: Call) -> None:
        told = await call("ModelMetadata", name="whole")
        assert (told.platform, list(told.inputs[0].shape)) == ("tarmac_composition", [-1, 3])
        inputs = [given("features", [1, 3], fp32_contents=[1, 2, 4])]
        for parameters, wanted in (({}, 70.0), ({"depth": {"string_param": "fast"}}, 7.0)):
            found = await call("ModelInfer", model_name="whole", inputs=inputs, parameters=parameters)
            assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [wanted]
        with pytest.raises(grpc.aio.AioRpcError, match="it takes fast") as refused:
            await call("ModelInfer", model_name="whole", inputs=inputs, parameters={"depth": {"int64_param": 3}})
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    played(tmp_path, scene)


@pytest.mark.parametrize("datatype", CONTENTS)
def test_every_datatype_has_its_contents(tmp_path: Path, datatype: str) -> None:
    """In the field that the protocol has for it."""
    put(tmp_path, "m", "1", identity(KINDS[datatype]))
    values = [b"a", b"b"] if datatype == "BYTES" else [1, 0]

    async def scene(call: Call) -> None:
        contents = {CONTENTS[datatype]: values}
        found = await call("ModelInfer", model_name="m", inputs=[given("x", [1, 2], datatype, **contents)])
        wanted = texts(b"a", b"b") if datatype == "BYTES" else np.array(values, DATATYPES[datatype]).tobytes()
        assert found.raw_output_contents[0] == wanted

    played(tmp_path, scene)


def test_outputs_can_be_chosen(tmp_path: Path) -> None:
    """In the order in which they are asked for."""
    put(tmp_path, "m", "1", mixed())

    async def scene(call: Call) -> None:
        inputs = [given(name, [1, 2], fp32_contents=[1, 2]) for name in ("a", "b")]
        found = await call("ModelInfer", model_name="m", inputs=inputs, outputs=[{"name": "product"}])
        assert [each.name for each in found.outputs] == ["product"]

    played(tmp_path, scene)


def test_the_server_and_its_models_tell_of_themselves(tmp_path: Path) -> None:
    """Health, metadata and the repository's methods."""
    put(tmp_path, "m", "1", linear())

    async def scene(call: Call) -> None:
        assert (await call("ServerLive")).live
        assert (await call("ServerReady")).ready
        assert (await call("ModelReady", name="m", version="1")).ready
        assert (await call("ServerMetadata")).name == "tarmac-serving"
        found = await call("ModelMetadata", name="m")
        assert [(each.name, each.datatype, list(each.shape)) for each in found.inputs] == [
            ("features", "FP32", [-1, 3])
        ]
        await call("RepositoryModelUnload", model_name="m")
        assert [each.state for each in (await call("RepositoryIndex")).models] == ["UNAVAILABLE"]
        await call("RepositoryModelLoad", model_name="m")
        assert [each.state for each in (await call("RepositoryIndex", ready=True)).models] == ["READY"]

    played(tmp_path, scene)


WRONG = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"model_name": "nobody"}, grpc.StatusCode.NOT_FOUND, "model nobody is unknown"),
        ({"model_version": "9"}, grpc.StatusCode.NOT_FOUND, "no version or alias 9"),
        ({"inputs": []}, WRONG, "input features is missing"),
        ({"inputs": [given("features", [1, 3])]}, WRONG, "0 bytes"),
        ({"inputs": [given("features", [1, 3], int64_contents=[1, 2, 3])]}, WRONG, "in int64_contents"),
        ({"inputs": [given("features", [1, 3], fp32_contents=[1, 2])]}, WRONG, "8 bytes; FP32 [1, 3] has 12"),
        ({"inputs": [given("features", [1, 3], fp32_contents=[1, 2, float("nan")])]}, WRONG, "[0, 2] is nan"),
        ({"inputs": [given("features", [-1, 3], fp32_contents=[1, 2, 3])]}, WRONG, "one is -1"),
        ({"inputs": [given("features", [2**62, 3], fp32_contents=[1, 2, 3])]}, WRONG, "4611686018427387904"),
        ({"inputs": [given("features", [1, 3], "FP16")]}, WRONG, "FP16"),
        ({"inputs": [given("features", [1, 3], "UINT8", uint_contents=[300])]}, WRONG, "300"),
        ({"inputs": [given("features", [1, 3])], "raw_input_contents": [b"", b""]}, WRONG, "2 tensors"),
        ({"inputs": [given("features", [1, 3])], "raw_input_contents": [b"\0" * 11]}, WRONG, "11 bytes"),
        (
            {"inputs": [given("features", [1, 3], fp32_contents=[1, 2, 3])], "raw_input_contents": [b"\0" * 12]},
            WRONG, "not both",
        ),
        ({"outputs": [{"name": "nobody"}]}, WRONG, "output nobody"),
    ],
)  # fmt: skip
def test_bad_input_is_told_with_the_right_code(
    tmp_path: Path, fields: dict[str, object], code: grpc.StatusCode, words: str
) -> None:
    """In the same words as over HTTP, and the next good request is answered."""
    put(tmp_path, "m", "1", linear())
    good: dict[str, object] = {"model_name": "m", "inputs": [given("features", [1, 3], fp32_contents=[1, 2, 3])]}

    async def scene(call: Call) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call("ModelInfer", **{**good, **fields})
        assert refusal.value.code() == code
        assert words in str(refusal.value.details())
        await call("ModelInfer", **good)

    played(tmp_path, scene)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """With the setting that names another."""

    async def play() -> None:
        rpc = Rpc(repository(tmp_path), lambda: True, Bodies(Sizes()), seconds=10, largest=1_000_000)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            with pytest.raises(BadSetting, match="TARMAC_GRPC_PORT"):
                async with rpc.answering("127.0.0.1", other.getsockname()[1], 1):
                    pass

    asyncio.run(asyncio.wait_for(play(), 30))


def test_what_is_inferred_is_kept_and_traced(tmp_path: Path) -> None:
    """As over HTTP: flight and variant by parameters or metadata, the caller's trace, a span for the model's run."""
    put(tmp_path, "m", "1", linear(), card=True)
    topic, exporter = Topic(), InMemorySpanExporter()
    kept, tracing = Journal(topic.connect, "stable", 1.0, 100), Tracing("serving", exporter, 0.0)
    parameters = {"flight": {"string_param": "arr-0000001"}, "variant": {"string_param": "b"}}
    metadata = [("x-tarmac-flight", "arr-0000002"), ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")]

    async def scene(call: Call) -> None:
        inputs = [given("features", [1, 3], fp32_contents=[1, 2, 4])]
        await call("ModelInfer", model_name="m", id="q", inputs=inputs, parameters=parameters)
        await call("ModelInfer", model_name="m", inputs=inputs, metadata=metadata)

    played(tmp_path, scene, kept, tracing)
    tracing.close()
    first, second = written(topic, kept)
    assert (first.id, first.flight, first.variant, first.prediction, first.trace) == ("q", "arr-0000001", "b", 7, None)
    assert (second.flight, second.variant, second.trace) == ("arr-0000002", None, TRACE)
    spans = {each.name: each for each in exporter.get_finished_spans()}
    assert set(spans) == {"ModelInfer", "run the model"}
    assert {f"{each.context.trace_id:032x}" for each in spans.values() if each.context} == {TRACE}

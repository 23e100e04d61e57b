"""The gRPC side: Open Inference Protocol V2 for clients that speak it so; the single adapter of grpcio.

The same models, checks and queues as over HTTP: an input becomes the same bytes, an error the same words, with the code
of gRPC that its HTTP status stands for. Answers carry their tensors as raw bytes.
"""

import asyncio
import contextlib
import logging
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.trace import SpanKind

from contracts import inference_binary as binary
from contracts.inference import DATATYPES, Asked, Input, Request
from contracts.inference_grpc import CONTENTS, METHODS, SERVICE, message
from runtime.errors import BadSetting, ServiceError
from runtime.tracing import Tracing, sampled
from serving import errors
from serving.endpoints.administration import EXTENSIONS, METADATA_SECONDS, NAME, release
from serving.endpoints.bodies import Bodies
from serving.errors import InputWrong
from serving.inference import asking
from serving.inference.journal import Journal, named
from serving.inference.running import run
from serving.model.version import Served
from serving.naming import aim
from serving.repository.repository import Repository

log = logging.getLogger(__name__)

Message = Any
"""protobuf has no types."""
Handler = Callable[[Message, grpc.aio.ServicerContext], Awaitable[Message]]
Decode = Callable[[bytes], Message]

_CODES: Mapping[int, grpc.StatusCode] = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY: grpc.StatusCode.FAILED_PRECONDITION,
    HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_LENGTH = struct.Struct("<I")
_DETAILS = 1000
"""Bytes of the words that go with a code: clients refuse a longer trailer, and with it the code. In it, a byte that is
no ASCII takes three."""
_UNCOMPRESSED = 1
"""Set of the algorithms that are taken for messages: none. What is too large is only seen before it is unpacked."""


class Rpc:
    """The service `GRPCInferenceService`.

    Args:
        repository: of the models.
        ready: whether the server is.
        bodies: counts messages, as those of HTTP, while they are answered.
        seconds: that a request may take, unless its caller allows less.
        largest: bytes of a message.
        tracing: makes a span of each inference whose caller traces.
        journal: of predictions; None: none is kept.
    """

    def __init__(  # noqa: PLR0913  the parts of the service meet here
        self,
        repository: Repository,
        ready: Callable[[], bool],
        bodies: Bodies,
        *,
        seconds: float,
        largest: int,
        tracing: Tracing | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._repository = repository
        self._ready = ready
        self._bodies = bodies
        self._seconds = seconds
        self._tracing = tracing or Tracing.off()
        self._journal = journal
        self._options = [
            ("grpc.max_receive_message_length", largest),
            ("grpc.compression_enabled_algorithms_bitset", _UNCOMPRESSED),
            ("grpc.so_reuseport", 0),
        ]

    @contextlib.asynccontextmanager
    async def answering(self, host: str, port: int, drain: float) -> AsyncIterator[int]:
        """Answer meanwhile; gives the port, a free one where 0 was asked for.

        Args:
            host: to listen on.
            port: to listen on.
            drain: seconds in the end to finish what was begun.

        Raises:
            BadSetting: the port is somebody else's.
        """
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        try:
            found: int = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            raise BadSetting(f"port {port} of gRPC cannot be had", "set TARMAC_GRPC_PORT to a free one, or 0") from None
        await server.start()
        try:
            yield found
        finally:
            await server.stop(drain)
            # It takes itself down once nobody holds it, which has to be while the loop runs.
            del server
            await asyncio.sleep(0)

    def _handlers(self) -> dict[str, Any]:
        calls: Mapping[str, Handler] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
            "RepositoryIndex": self._index,
            "RepositoryModelLoad": self._load,
            "RepositoryModelUnload": self._unload,
        }
        return {
            name: grpc.unary_unary_rpc_method_handler(
                _told(calls[name], message(f"{name}Request").FromString, self._bodies),
                response_serializer=message(f"{name}Response").SerializeToString,
            )
            for name in METHODS
        }

    async def _server_live(self, _asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        return message("ServerLiveResponse")(live=True)

    async def _server_ready(self, _asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        return message("ServerReadyResponse")(ready=self._ready())

    async def _model_ready(self, asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        at = aim(asked.name, asked.version)
        ready = self._repository.find(at) is not None
        if not ready:
            self._repository.shelf(at[0]).target(at[1])  # says what does not exist
        return message("ModelReadyResponse")(ready=ready)

    async def _server_metadata(self, _asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        return message("ServerMetadataResponse")(name=NAME, version=release(), extensions=EXTENSIONS)

    async def _model_metadata(self, asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        at = aim(asked.name, asked.version)
        served = await self._found(at, METADATA_SECONDS)
        told = served.metadata(list(self._repository.shelf(at[0]).listing.versions))
        inputs, outputs = (
            [{"name": each.name, "datatype": each.datatype, "shape": each.shape} for each in tensors]
            for tensors in (told.inputs, told.outputs)
        )
        return message("ModelMetadataResponse")(
            name=told.name, versions=told.versions, platform=told.platform, inputs=inputs, outputs=outputs
        )

    async def _infer(self, asked: Message, context: grpc.aio.ServicerContext) -> Message:
        parent = _metadata(context).get(b"traceparent")
        if not sampled(parent):
            return await self._inferred(asked, context)
        with self._tracing.continued("ModelInfer", parent, SpanKind.SERVER):
            return await self._inferred(asked, context)

    async def _inferred(self, asked: Message, context: grpc.aio.ServicerContext) -> Message:
        begun = time.perf_counter()
        left = context.time_remaining()
        seconds = self._seconds if left is None else min(left, self._seconds)
        served = await self._found(aim(asked.model_name, asked.model_version), seconds)
        served.used = begun
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            request = _request(asked)
            work = asking.understood(request, _segments(asked, request), served)
            found = await run(served, work, asyncio.get_running_loop().time() + seconds)
            status = HTTPStatus.OK
            if self._journal:
                self._journal.offer(served, work, found, _metadata(context), named(request))
        except ServiceError as failure:
            status = errors.status(failure)
            raise
        finally:
            served.tally.answered(status, time.perf_counter() - begun)
        outputs = [
            {"name": name, "datatype": served.datatypes[name], "shape": tensor.shape}
            for name, tensor in zip(work.names, found, strict=True)
        ]
        raw = [binary.encoded(each) for each in found]
        return message("ModelInferResponse")(
            model_name=served.name, model_version=served.version, id=asked.id, outputs=outputs, raw_output_contents=raw
        )

    async def _index(self, asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        models = [
            {"name": each.name, "version": each.version, "state": each.state, "reason": each.reason}
            for each in self._repository.index()
            if each.state == "READY" or not asked.ready
        ]
        return message("RepositoryIndexResponse")(models=models)

    async def _load(self, asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        if asked.parameters:
            told = f"parameter {next(iter(asked.parameters)):.60} of the order to load is not possible"
            raise errors.Refused(told, "register the model, then load it by its name")
        await self._repository.load(asked.model_name)
        return message("RepositoryModelLoadResponse")()

    async def _unload(self, asked: Message, _context: grpc.aio.ServicerContext) -> Message:
        self._repository.unload(asked.model_name)
        return message("RepositoryModelUnloadResponse")()

    async def _found(self, at: tuple[str, str], seconds: float) -> Served:
        return self._repository.find(at) or await self._repository.want(at, asyncio.get_running_loop().time() + seconds)


def _told(
    handler: Handler, decode: Decode, bodies: Bodies
) -> Callable[[bytes, grpc.aio.ServicerContext], Awaitable[Message]]:
    """A handler whose errors its caller is told with the right code.

    Messages are decoded here: grpcio answers one that cannot be with UNKNOWN and the words of its decoder.
    """

    async def handled(content: bytes, context: grpc.aio.ServicerContext) -> Message:
        try:
            with bodies.held(content):
                return await handler(_decoded(decode, content), context)
        except ServiceError as failure:
            code = _CODES.get(errors.status(failure), grpc.StatusCode.INTERNAL)
            told = f"{failure.what} - {failure.remedy}"
        except Exception:  # as over HTTP: one bad request must not end the server, nor tell what is its own
            log.exception("call failed")
            code, told = grpc.StatusCode.INTERNAL, "the service failed for a reason nobody named - see its log"
        return await context.abort(code, told.encode()[:_DETAILS].decode(errors="ignore"))

    return handled


def _decoded(decode: Decode, content: bytes) -> Message:
    try:
        return decode(content)
    except DecodeError:
        told = "message: it is none that this method takes"
        raise errors.Unreadable(told, "send it as the Open Inference Protocol V2 has it") from None


def _metadata(context: grpc.aio.ServicerContext) -> dict[bytes, bytes]:
    """What goes with a call, as headers of HTTP go with a request."""
    return {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in context.invocation_metadata() or ()
    }


def _request(asked: Message) -> Request:
    inputs = [Input(each.name, tuple(each.shape), each.datatype) for each in asked.inputs]
    parameters = {name: _value(each) for name, each in asked.parameters.items()} or None
    return Request(inputs, asked.id, parameters, [Asked(each.name) for each in asked.outputs] or None)


def _value(parameter: Message) -> object:
    """What a parameter of the request holds; None where it holds nothing."""
    field = next((each.name for each, _ in parameter.ListFields()), None)
    return getattr(parameter, field) if field else None


def _segments(asked: Message, request: Request) -> dict[str, memoryview]:
    """Name -> bytes of each input, as over HTTP."""
    raw = asked.raw_input_contents
    if not raw:
        return {each.name: memoryview(_elements(each)) for each in asked.inputs}
    if len(raw) != len(request.inputs) or any(each.HasField("contents") for each in asked.inputs):
        told = f"raw_input_contents has {len(raw)} tensors, and there are {len(request.inputs)} inputs"
        raise InputWrong(told, "send the bytes of every input there, or each input's contents, not both")
    return {each.name: memoryview(content) for each, content in zip(request.inputs, raw, strict=True)}


def _elements(given: Message) -> bytes:
    field = CONTENTS.get(given.datatype)
    if field is None:
        raise InputWrong(f"input {given.name:.60}: no contents go as {given.datatype:.20}", "send raw_input_contents")
    others = [each.name for each, _ in given.contents.ListFields() if each.name != field]
    if others:
        told = f"input {given.name:.60}: its elements are in {', '.join(others)}"
        raise InputWrong(told, f"send those of {given.datatype} in {field}")
    values = getattr(given.contents, field)
    if given.datatype == "BYTES":
        return b"".join(piece for each in values for piece in (_LENGTH.pack(len(each)), each))
    try:
        return np.fromiter(values, DATATYPES[given.datatype], len(values)).tobytes()
    except OverflowError as failure:
        raise InputWrong(f"input {given.name:.60}: contents: {failure}", f"send {given.datatype}") from None

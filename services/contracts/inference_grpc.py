"""The Open Inference Protocol, version 2, over gRPC: its messages, made from their description.

The protocol's public definition (package `inference`, service `GRPCInferenceService`) numbers the fields of each
message from 1 in the order in which they stand here. The messages live in a pool of their own, so that a client's
generated ones can be in the same process.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, message_factory  # type: ignore[import-untyped]
from google.protobuf.descriptor_pool import DescriptorPool  # type: ignore[import-untyped]

PACKAGE, SERVICE = "inference", "inference.GRPCInferenceService"

CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Datatype -> the field of InferTensorContents that has its elements; FP16 only goes as raw bytes."""

_PARAMETERS = "map InferParameter parameters"
_TENSOR = ("string name", "string datatype", "repeated int64 shape", _PARAMETERS, "InferTensorContents contents")
_NAMED = ("string name", "string version")
_ORDER = ("string repository_name", "string model_name", "map ModelRepositoryParameter parameters")

_MESSAGES: Mapping[str, Sequence[str]] = {
    "InferParameter": (
        "oneof bool bool_param",
        "oneof int64 int64_param",
        "oneof string string_param",
        "oneof double double_param",
        "oneof uint64 uint64_param",
    ),
    "InferTensorContents": (
        "repeated bool bool_contents",
        "repeated int32 int_contents",
        "repeated int64 int64_contents",
        "repeated uint32 uint_contents",
        "repeated uint64 uint64_contents",
        "repeated float fp32_contents",
        "repeated double fp64_contents",
        "repeated bytes bytes_contents",
    ),
    "ModelRepositoryParameter": (
        "oneof bool bool_param",
        "oneof int64 int64_param",
        "oneof string string_param",
        "oneof bytes bytes_param",
    ),
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("bool live",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("bool ready",),
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": ("bool ready",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": (*_NAMED, "repeated string extensions"),
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse": (
        "string name",
        "repeated string versions",
        "string platform",
        "repeated ModelMetadataResponse.TensorMetadata inputs",
        "repeated ModelMetadataResponse.TensorMetadata outputs",
    ),
    "ModelMetadataResponse.TensorMetadata": ("string name", "string datatype", "repeated int64 shape"),
    "ModelInferRequest": (
        "string model_name",
        "string model_version",
        "string id",
        _PARAMETERS,
        "repeated ModelInferRequest.InferInputTensor inputs",
        "repeated ModelInferRequest.InferRequestedOutputTensor outputs",
        "repeated bytes raw_input_contents",
    ),
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": ("string name", _PARAMETERS),
    "ModelInferResponse": (
        "string model_name",
        "string model_version",
        "string id",
        _PARAMETERS,
        "repeated ModelInferResponse.InferOutputTensor outputs",
        "repeated bytes raw_output_contents",
    ),
    "ModelInferResponse.InferOutputTensor": _TENSOR,
    "RepositoryIndexRequest": ("string repository_name", "bool ready"),
    "RepositoryIndexResponse": ("repeated RepositoryIndexResponse.ModelIndex models",),
    "RepositoryIndexResponse.ModelIndex": (*_NAMED, "string state", "string reason"),
    "RepositoryModelLoadRequest": _ORDER,
    "RepositoryModelLoadResponse": (),
    "RepositoryModelUnloadRequest": _ORDER,
    "RepositoryModelUnloadResponse": (),
}

METHODS = tuple(name.removesuffix("Request") for name in _MESSAGES if name.endswith("Request"))
"""Each takes a message of its name with `Request` behind it, and gives one with `Response`."""

_Field = descriptor_pb2.FieldDescriptorProto
_ONEOF = "parameter_choice"


def _described() -> Any:  # noqa: ANN401  protobuf has no types
    """The file that a compiler would have made."""
    file = descriptor_pb2.FileDescriptorProto(name="tarmac/inference.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for name, fields in _MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        message = made[outer].nested_type.add() if outer else file.message_type.add()
        message.name, made[name] = inner, message
        for number, field in enumerate(fields, 1):
            _add(message, name, number, field.split())
    service = file.service.add(name=SERVICE.rpartition(".")[2])
    for method in METHODS:
        service.method.add(
            name=method, input_type=f".{PACKAGE}.{method}Request", output_type=f".{PACKAGE}.{method}Response"
        )
    return file


def _add(message: Any, owner: str, number: int, words: Sequence[str]) -> None:  # noqa: ANN401  protobuf has no types
    *how, kind, name = words
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if how == ["map"]:
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add(entry, owner, 1, ["string", "key"])
        _add(entry, owner, 2, [kind, "value"])
        kind, how = f"{owner}.{entry.name}", ["repeated"]
    if how == ["oneof"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name=_ONEOF)
        field.oneof_index = 0
    if how == ["repeated"]:
        field.label = _Field.LABEL_REPEATED
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")


_POOL = DescriptorPool()
_POOL.Add(_described())


def message(name: str) -> Any:  # noqa: ANN401  protobuf has no types
    """The class of a message, by its name."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))

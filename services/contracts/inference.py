"""The Open Inference Protocol, version 2, over HTTP: what is asked, what is answered, and the types of tensors.

A tensor's `data` stays unread JSON (`msgspec.Raw`) until its datatype is known to be the model's: it is then decoded by
one typed decoder, at the speed of C. `contracts.inference_binary` has the binary form.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np

VERSION = "2"

DATATYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
"""Datatype -> its type in numpy; elements of BYTES are texts."""

FREE = -1
"""A dimension that may be of any size, in metadata."""

Parameters = dict[str, Any]
"""The protocol has texts, numbers and truth values in it; what is not known here is left alone."""

ABSENT = msgspec.Raw(b"")
"""The data of a tensor that has none in the JSON; compare by identity."""


Size = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A dimension, before anybody asked whether it makes sense."""


class Input(msgspec.Struct, gc=False):
    """An input tensor of a request."""

    name: str
    shape: tuple[Size, ...]
    datatype: str
    parameters: Parameters | None = None
    data: msgspec.Raw = msgspec.field(default_factory=lambda: ABSENT)
    """Elements row by row, flat or nested; none where `binary_data_size` says that they are in the binary part."""


class Asked(msgspec.Struct, gc=False):
    """An output that is asked for."""

    name: str
    parameters: Parameters | None = None


class Request(msgspec.Struct, gc=False):
    """What is inferred from, and which outputs are wanted; all of them where none is named."""

    inputs: list[Input]
    id: str = ""
    parameters: Parameters | None = None
    outputs: list[Asked] | None = None


class Output(msgspec.Struct, omit_defaults=True, gc=False):
    """An output tensor of an answer."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: Parameters | None = None
    data: list[Any] | None = None
    """Elements row by row, flat; None where they are in the binary part. NaN is written as null."""


class Response(msgspec.Struct, omit_defaults=True, gc=False):
    """The answer of a model."""

    model_name: str
    model_version: str
    outputs: list[Output]
    id: str = ""
    parameters: Parameters | None = None


class Failure(msgspec.Struct):
    """The body of every answer that is an error."""

    error: str


class ServerMetadata(msgspec.Struct):
    """What `GET /v2` tells."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(msgspec.Struct):
    """An input or output of a model; -1 stands for a free dimension."""

    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters | None = None


class ModelMetadata(msgspec.Struct, omit_defaults=True):
    """What `GET /v2/models/{model}` tells."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: Parameters | None = None


class ModelReady(msgspec.Struct):
    """What `GET /v2/models/{model}/ready` tells."""

    name: str
    ready: bool


class IndexRequest(msgspec.Struct):
    """What `POST /v2/repository/index` can be told."""

    ready: bool = False
    """Whether only versions that can be asked are listed."""


class LoadRequest(msgspec.Struct):
    """What `POST /v2/repository/models/{model}/load` and `/unload` can be told."""

    parameters: Parameters | None = None


class IndexEntry(msgspec.Struct):
    """A version of a model in the answer to `POST /v2/repository/index`."""

    name: str
    version: str
    state: str
    """READY, LOADING, UNAVAILABLE (`reason` says why)."""
    reason: str = ""

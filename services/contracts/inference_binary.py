"""The binary tensor extension of the Open Inference Protocol: JSON first, then the tensors' bytes, one after the other.

    Inference-Header-Content-Length: 123          bytes of the JSON; the rest of the body is binary
    inputs[].parameters.binary_data_size: 128     so many bytes of the rest are this input's
    outputs[].parameters.binary_data: true        this output is wanted so
    parameters.binary_data_output: true           all of them are, unless one says otherwise

Elements are little-endian, row by row, without padding. An element of BYTES is its length (4 bytes) and its bytes.
A tensor's array shares the body's memory where the place of its first byte allows it.
"""

import struct
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from contracts.inference import DATATYPES, Input

HEADER = b"inference-header-content-length"
"""Name of the header, as ASGI has it."""
SIZE, WANTED, ALL = "binary_data_size", "binary_data", "binary_data_output"
"""Parameters: of an input, of an output that is asked for, of a request."""

_DIGITS = 12  # of a length: more is no length
_LENGTH = struct.Struct("<I")
_SWAPPED = sys.byteorder == "big"


class Malformed(ValueError):
    """A body whose parts do not fit together.

    Attributes:
        what: which part, and what is wrong.
        remedy: what to send instead.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} - {remedy}")
        self.what = what
        self.remedy = remedy


def parted(body: bytes, header: bytes | None) -> tuple[bytes | memoryview, memoryview]:
    """The JSON and the binary part of a body.

    Args:
        body: of the request.
        header: value of Inference-Header-Content-Length, None where the request has none.

    Raises:
        Malformed: the header is no length within the body.
    """
    view = memoryview(body)
    if header is None:
        return body, view[len(body) :]
    if not header.isdigit() or len(header) > _DIGITS or int(header) > len(body):
        told = header[: 2 * _DIGITS].decode("latin-1")
        raise Malformed(
            f"header Inference-Header-Content-Length: {told!r} with a body of {len(body)} bytes",
            "give the number of bytes of the JSON with which the body begins",
        )
    return view[: int(header)], view[int(header) :]


def segments(inputs: Iterable[Input], rest: memoryview) -> dict[str, memoryview]:
    """Name -> bytes of each input that is in the binary part.

    Raises:
        Malformed: the sizes that the inputs state and the size of the part differ.
    """
    found: dict[str, memoryview] = {}
    place = 0
    for each in inputs:
        size = each.parameters.get(SIZE) if each.parameters else None
        if size is None:
            continue
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise Malformed(
                f"input {each.name:.60}: {SIZE} is {size!r:.40}", "give it the number of the tensor's bytes"
            )
        if place + size > len(rest):
            told = f"input {each.name:.60}: {SIZE} is {size!r:.40}, and {len(rest) - place} bytes are left of the body"
            raise Malformed(told, "send every byte of the tensors, in the order of the inputs")
        found[each.name] = rest[place : place + size]
        place += size
    if place != len(rest):
        told = f"body: {len(rest) - place} bytes after the JSON are no input's"
        raise Malformed(told, f"state {SIZE} of each input, or leave the bytes out")
    return found


def array(name: str, segment: memoryview, datatype: str, shape: tuple[int, ...], count: int) -> np.ndarray[Any, Any]:
    """The tensor that these bytes are; read-only.

    Args:
        name: of the input, for messages.
        segment: its bytes.
        datatype: one of `DATATYPES`.
        shape: its dimensions, none negative.
        count: their product.

    Raises:
        Malformed: there are more or fewer bytes than the shape needs, or they are no values of the type.
    """
    if datatype == "BYTES":
        return _texts(name, segment, count).reshape(shape)
    kind = DATATYPES[datatype]
    if len(segment) != count * kind.itemsize:
        told = f"input {name}: {len(segment)} bytes; {datatype} {list(shape)} has {count * kind.itemsize}"
        raise Malformed(told, "send as many bytes as the shape needs")
    if datatype == "BOOL" and (np.frombuffer(segment, np.uint8) > 1).any():
        raise Malformed(f"input {name}: a byte of BOOL is neither 0 nor 1", "send 0 or 1 for each element")
    found: np.ndarray[Any, Any] = np.frombuffer(segment, kind.newbyteorder("<") if _SWAPPED else kind)
    if not found.flags.aligned or _SWAPPED:
        found = found.astype(kind)
    return found.reshape(shape)


def encoded(tensor: np.ndarray[Any, Any]) -> bytes:
    """The bytes of a tensor; texts as UTF-8."""
    if tensor.dtype == np.object_:
        words = [str(each).encode() for each in tensor.ravel()]
        return b"".join(piece for word in words for piece in (_LENGTH.pack(len(word)), word))
    return (tensor.astype(tensor.dtype.newbyteorder("<")) if _SWAPPED else tensor).tobytes()


def _texts(name: str, segment: memoryview, count: int) -> np.ndarray[Any, Any]:
    # Counted by the bytes that are there, never by the shape: a shape costs its sender nothing.
    words: list[str] = []
    place = 0
    while place < len(segment) and len(words) <= count:
        body = place + _LENGTH.size
        size = _LENGTH.unpack_from(segment, place)[0] if body <= len(segment) else 0
        if body + size > len(segment):
            raise Malformed(f"input {name}: element {len(words)} ends beyond the tensor", "send every element whole")
        try:
            words.append(str(segment[body : body + size], "utf-8"))
        except UnicodeDecodeError:
            told = f"input {name}: element {len(words)} is no UTF-8"
            raise Malformed(told, "send texts; bytes of another kind cannot be given to an ONNX model") from None
        place = body + size
    if len(words) != count:
        more = "more" if len(words) > count else "fewer"
        raise Malformed(
            f"input {name}: it has {more} elements than its shape, {count}", "send as many as the shape has"
        )
    found = np.empty(count, np.object_)
    found[:] = words
    return found

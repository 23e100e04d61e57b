"""From what a request says to the arrays that a model takes; whatever does not fit is refused here, by name.

Name, datatype and shape are held to the model before the data is looked at, so that no shape costs anything: memory is
only taken for elements that were sent. What an element may be is part of the type that is decoded (a float within the
range of FP32, null only where a value may be missing), so that nothing has to be looked at a second time.
"""

import functools
import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from contracts import inference_binary as binary
from contracts.inference import ABSENT, FREE, Input
from contracts.inference_binary import Malformed
from serving.errors import InputWrong, Unreadable
from serving.model.session import Array, Tensor

_LARGEST = 2**40
"""Elements beyond which no shape is taken for meant."""
_ELEMENTS: Mapping[str, Any] = {
    "BOOL": bool,
    "BYTES": str,
    **{
        datatype: Annotated[float, Meta(ge=float(np.finfo(kind).min), le=float(np.finfo(kind).max))]
        for datatype, kind in (("FP16", np.float16), ("FP32", np.float32), ("FP64", np.float64))
    },
}
"""Datatype -> an element in JSON; whole numbers otherwise."""


class Reader:
    """Reads one input of a model from requests.

    Args:
        declared: the input as the model declares it.
        missing: whether NaN, in JSON null, stands for a missing value.

    Attributes:
        declared: as given.
        even: whether every row has the same shape, the first dimension being free.
    """

    __slots__ = ("_checked", "_flat", "_inner", "_missing", "_trailing", "declared", "even")

    def __init__(self, declared: Tensor, *, missing: bool) -> None:
        self.declared = declared
        self._missing = missing
        self._checked = declared.kind.kind == "f"
        self._trailing = declared.shape[1:]
        self.even = declared.shape[:1] == (FREE,) and FREE not in self._trailing
        self._inner = math.prod(self._trailing)
        self._flat = msgspec.json.Decoder(_nested(declared.datatype, 1, missing=missing)).decode

    def read(self, given: Input, segment: memoryview | None) -> Array:
        """The tensor of an input.

        Args:
            given: the input.
            segment: its bytes, where it was sent in binary.

        Raises:
            InputWrong: datatype, shape or data are not the model's.
            Unreadable: the data is no JSON.
        """
        shape = given.shape
        if given.datatype != self.declared.datatype:
            told = f"input {given.name}: datatype is {given.datatype:.20}, the model takes {self.declared.datatype}"
            raise InputWrong(told, f"send {self.declared.datatype}")
        if self.even and shape and shape[0] > 0 and shape[1:] == self._trailing:
            count = shape[0] * self._inner
        else:
            count = _count(given, self.declared)
        return self._from_json(given, count) if segment is None else self._from_bytes(given, segment, count)

    def convert(self, elements: Any) -> Array:  # noqa: ANN401  any JSON
        """The tensor of nested lists.

        Raises:
            InputWrong: elements, nesting or shape are not the model's.
        """
        declared = self.declared
        try:
            nested = msgspec.convert(elements, _nested(declared.datatype, len(declared.shape), missing=self._missing))
        except (msgspec.ValidationError, RecursionError) as failure:
            raise self._data_wrong(failure) from None
        found = self._made(nested)
        shape = found.shape
        # Texts in lists of different lengths become an array of lists, with a dimension less.
        fits = found.size and len(shape) == len(declared.shape)
        if not fits or any(free not in (FREE, size) for free, size in zip(declared.shape, shape, strict=True)):
            told = f"input {declared.name}: shape is {list(shape)}"
            raise InputWrong(told, f"the model takes {list(declared.shape)}; -1 is any size from 1")
        return found

    def _from_bytes(self, given: Input, segment: memoryview, count: int) -> Array:
        try:
            found = binary.array(given.name, segment, given.datatype, given.shape, count)
        except Malformed as failure:
            raise InputWrong(failure.what, failure.remedy) from None
        if self._checked:
            self._finite(found)
        return found

    def _finite(self, found: Array) -> None:
        """Refuse values that no model is meant to see: infinite ones, and NaN where nothing may be missing."""
        # A sum of squares is finite only if every element is; it costs a fraction of looking at each.
        if math.isfinite(np.vdot(found, found)):
            return
        wrong = np.isinf(found) if self._missing else ~np.isfinite(found)
        if wrong.any():
            place = tuple(int(each) for each in np.argwhere(wrong)[0])
            told = f"input {self.declared.name}: element {list(place)} is {found[place]}"
            raise InputWrong(told, "send finite numbers" + (", NaN for what is missing" if self._missing else ""))

    def _from_json(self, given: Input, count: int) -> Array:
        if given.data is ABSENT:
            told = f"input {given.name}: data is missing"
            raise InputWrong(told, f"send it, or {binary.SIZE} and the bytes after the JSON")
        try:
            elements = self._flat(given.data)
        except msgspec.ValidationError as failure:
            return self._from_nested(given, failure)
        except (msgspec.DecodeError, RecursionError) as failure:
            raise Unreadable(f"input {given.name}: data is no JSON: {failure}", "send UTF-8 JSON") from None
        if len(elements) != count:
            told = f"input {given.name}: data has {len(elements)} elements; shape {list(given.shape)} has {count}"
            raise InputWrong(told, "send as many as the shape has, row by row")
        return self._made(elements).reshape(given.shape)

    def _from_nested(self, given: Input, flat: Exception) -> Array:
        """The tensor of data that is nested as its shape is."""
        # Flat data with one wrong element fails for being flat, which is not what its sender wants to hear.
        if len(given.shape) < 2 or not bytes(given.data).startswith(b"[["):  # noqa: PLR2004  nested twice is the least
            raise self._data_wrong(flat) from None
        try:
            decode = _decoder(given.datatype, len(given.shape), missing=self._missing)
            found = self._made(decode(given.data))
        except (msgspec.ValidationError, RecursionError) as failure:
            raise self._data_wrong(failure) from None
        if found.shape != given.shape:
            told = f"input {given.name}: data is nested as {list(found.shape)}; its shape is {list(given.shape)}"
            raise InputWrong(told, "nest it as its shape, or send it flat")
        return found

    def _made(self, elements: Any) -> Array:  # noqa: ANN401  nested lists
        try:
            return np.array(elements, self.declared.kind)
        except (OverflowError, ValueError, TypeError) as failure:
            raise self._data_wrong(failure) from None

    def _data_wrong(self, failure: Exception) -> InputWrong:
        told = f"input {self.declared.name}: data: {failure!s:.200}"
        return InputWrong(told, f"send {self.declared.datatype}, row by row")


def _nested(datatype: str, depth: int, *, missing: bool) -> Any:  # noqa: ANN401  a type made here
    kind = _ELEMENTS.get(datatype, int)
    if missing and datatype.startswith("FP"):
        kind = kind | None
    for _ in range(depth):
        kind = list[kind]  # type: ignore[valid-type]  # made for msgspec, at run time
    return kind


@functools.cache
def _decoder(datatype: str, depth: int, *, missing: bool) -> Any:  # noqa: ANN401  decodes what it was made for
    return msgspec.json.Decoder(_nested(datatype, depth, missing=missing)).decode


def _count(given: Input, declared: Tensor) -> int:
    """How many elements the shape has; it is one that the model takes."""
    shape, wanted = given.shape, declared.shape
    if len(shape) != len(wanted):
        raise _shape_wrong(given, declared, f"it has {len(shape)} dimensions, not {len(wanted)}")
    count = 1
    for size, free in zip(shape, wanted, strict=True):
        if size < 1 or free not in (FREE, size):
            raise _shape_wrong(given, declared, f"one is {_short(size)}")
        count *= size
        if count > _LARGEST:
            raise _shape_wrong(given, declared, f"that is {_short(count)} elements and more")
    return count


def _shape_wrong(given: Input, declared: Tensor, why: str) -> InputWrong:
    told = f"input {given.name}: shape is [{', '.join(map(_short, given.shape[:8]))}]: {why}"
    return InputWrong(told, f"the model takes {list(declared.shape)}; -1 is any size from 1")


def _short(size: int) -> str:
    return f"{float(size):.3g}" if abs(size) > _LARGEST else str(size)

"""From what a request says to the arrays that a model takes; whatever does not fit is refused here, by name.

Name, datatype and shape are held to the model before the data is looked at, so that no shape costs anything: memory is
only taken for elements that were sent.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from contracts import inference_binary as binary
from contracts.inference import ABSENT, FREE, Input
from contracts.inference_binary import Malformed
from serving.errors import InputWrong, Unreadable
from serving.session import Array, Tensor

_LARGEST = 2**40
"""Elements beyond which no shape is taken for meant."""
_FLOATS = frozenset(("FP16", "FP32", "FP64"))
_ELEMENTS: Mapping[str, Any] = {"BOOL": bool, "BYTES": str, **dict.fromkeys(_FLOATS, float | None)}
"""Datatype -> an element in JSON; whole numbers otherwise. null is a missing value."""

Decode = Callable[[msgspec.Raw], Any]


def array(given: Input, declared: Tensor, segment: memoryview | None, *, missing: bool) -> Array:
    """The tensor of an input.

    Args:
        given: the input.
        declared: what the model takes under that name.
        segment: its bytes, where it was sent in binary.
        missing: whether NaN, in JSON null, stands for a missing value.

    Raises:
        InputWrong: datatype, shape or data are not the model's.
    """
    count = _count(given, declared)
    if segment is not None:
        try:
            found = binary.array(given.name, segment, given.datatype, given.shape, count)
        except Malformed as failure:
            raise InputWrong(failure.what, failure.remedy) from None
    else:
        found = _from_json(given, declared, count)
    if declared.kind.kind == "f":
        finite(given.name, found, missing=missing)
    return found


def finite(name: str, found: Array, *, missing: bool) -> None:
    """Refuse values that no model is meant to see: infinite ones, and NaN where nothing may be missing.

    Raises:
        InputWrong: naming the first such element.
    """
    # A sum of squares is finite only if every element is; it costs a fraction of looking at each.
    if math.isfinite(np.vdot(found, found)):
        return
    wrong = np.isinf(found) if missing else ~np.isfinite(found)
    if wrong.any():
        place = [int(each) for each in np.argwhere(wrong)[0]]
        told = f"input {name}: element {place} is {found[tuple(place)]}"
        raise InputWrong(told, "send finite numbers" + (", null or NaN for what is missing" if missing else ""))


def _count(given: Input, declared: Tensor) -> int:
    """How many elements the shape has; it is one that the model takes."""
    if given.datatype != declared.datatype:
        told = f"input {given.name}: datatype is {given.datatype:.20}, the model takes {declared.datatype}"
        raise InputWrong(told, f"send {declared.datatype}")
    shape, wanted = given.shape, declared.shape
    if len(shape) != len(wanted):
        raise _shape_wrong(given, declared, f"it has {len(shape)} dimensions, not {len(wanted)}")
    count = 1
    for size, free in zip(shape, wanted, strict=True):
        if size < 1 or free not in (FREE, size):
            raise _shape_wrong(given, declared, f"a dimension is {size:.3g}" if size > _LARGEST else f"one is {size}")
        count *= size
        if count > _LARGEST:
            raise _shape_wrong(given, declared, f"that is {float(count):.3g} elements and more")
    return count


def _shape_wrong(given: Input, declared: Tensor, why: str) -> InputWrong:
    shape = f"[{', '.join(f'{each:.3g}' if abs(each) > _LARGEST else str(each) for each in given.shape[:8])}]"
    told = f"input {given.name}: shape is {shape}: {why}"
    return InputWrong(told, f"the model takes {list(declared.shape)}; -1 is any size from 1")


def _from_json(given: Input, declared: Tensor, count: int) -> Array:
    if given.data is ABSENT:
        raise InputWrong(
            f"input {given.name}: data is missing", f"send it, or {binary.SIZE} and the bytes after the JSON"
        )
    try:
        elements = decoder(given.datatype, 1)(given.data)
    except msgspec.ValidationError as failure:
        return _nested(given, declared, failure)
    except (msgspec.DecodeError, RecursionError) as failure:
        raise Unreadable(f"input {given.name}: data is no JSON: {failure}", "send UTF-8 JSON") from None
    if len(elements) != count:
        told = f"input {given.name}: data has {len(elements)} elements; shape {list(given.shape)} has {count}"
        raise InputWrong(told, "send as many as the shape has, row by row")
    return made(given.name, declared, elements).reshape(given.shape)


def _nested(given: Input, declared: Tensor, flat: Exception) -> Array:
    """The tensor of data that is nested as its shape is."""
    depth = len(given.shape)
    if depth < 2:  # noqa: PLR2004  nested twice is the least
        raise _data_wrong(given.name, declared, flat) from None
    try:
        elements = decoder(given.datatype, depth)(given.data)
    except (msgspec.ValidationError, RecursionError) as failure:
        # Flat data with one wrong element fails here for being flat, which is not what its sender wants to hear.
        flatly = not bytes(given.data).startswith(b"[[")
        raise _data_wrong(given.name, declared, flat if flatly else failure) from None
    found = made(given.name, declared, elements)
    if found.shape != given.shape:
        told = f"input {given.name}: data is nested as {list(found.shape)}; its shape is {list(given.shape)}"
        raise InputWrong(told, "nest it as its shape, or send it flat")
    return found


@functools.cache
def decoder(datatype: str, depth: int) -> Decode:
    """What decodes JSON data of a datatype, nested so deep."""
    return msgspec.json.Decoder(_nesting(datatype, depth)).decode


def convert(elements: Any, datatype: str, depth: int) -> Any:  # noqa: ANN401  nested lists
    """Nested lists, each element held to a datatype.

    Raises:
        msgspec.ValidationError: one is not of it, or the nesting is another.
    """
    return msgspec.convert(elements, _nesting(datatype, depth))


def made(name: str, declared: Tensor, elements: Any) -> Array:  # noqa: ANN401  nested lists
    """The array of nested lists.

    Raises:
        InputWrong: they are not nested evenly, or an element is too large for the type.
    """
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused as such
            return np.array(elements, declared.kind)
    except (OverflowError, ValueError, TypeError) as failure:
        raise _data_wrong(name, declared, failure) from None


def _nesting(datatype: str, depth: int) -> Any:  # noqa: ANN401  a type made here
    kind = _ELEMENTS.get(datatype, int)
    for _ in range(depth):
        kind = list[kind]  # type: ignore[valid-type]  # made for msgspec, at run time
    return kind


def _data_wrong(name: str, declared: Tensor, failure: Exception) -> InputWrong:
    return InputWrong(f"input {name}: data: {failure!s:.200}", f"send {declared.datatype}, row by row")

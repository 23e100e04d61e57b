"""The packed copy: one field per view beside Feast's own, written in the same atomic step, for reads that must be fast.

The field `_pk:view` of an entity's hash holds

    version (1 byte) and schema (4) | length of the time (1) | the time, as in `_ts:view` | sequence (8) | body

where the body is the event time and each value, in the order of the definition, as JSON text, one a line: JSON never
has a line break inside a text. A reader splits, transposes and joins; it parses nothing.

The copy counts only while its time equals that of `_ts:view` and its schema that of the definition. Where Feast's own
client wrote in between, or the definition has changed since, the reader takes Feast's fields instead.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from contracts.layout import Unfit, encode_time, written

VERSION = 1
HIGHEST = 2**53 - 1
"""Highest sequence: Redis' scripts count in doubles."""
_SEQUENCE = struct.Struct(">Q")
_F32 = struct.Struct("<f")
_text = msgspec.json.Encoder().encode
LINE = b"\n"
NULL = b"null"


def packed_field(view: str) -> bytes:
    """The field of a view's packed copy in its entity's hash."""
    return f"_pk:{view}".encode()


def schema_mark(features: Sequence[tuple[str, str]]) -> bytes:
    """Version and schema, the first five bytes of a packed copy.

    Args:
        features: (name, type) in the order of the definition.
    """
    text = ",".join(f"{name}:{kind}" for name, kind in features)
    return bytes([VERSION]) + zlib.crc32(text.encode()).to_bytes(4, "big")


def fragment(kind: str, value: Any) -> bytes:  # noqa: ANN401  of the type `kind`
    """The value as JSON text, as Feast's feature server writes it: what is no finite number becomes its name."""
    if value is None:
        return NULL
    if isinstance(value, int) and kind.startswith("float"):
        value = float(value)
    if isinstance(value, float):
        if kind == "float32":
            value = _F32.unpack(_F32.pack(value))[0]
        if not math.isfinite(value):
            return b'"NaN"' if math.isnan(value) else (b'"Infinity"' if value > 0 else b'"-Infinity"')
    return _text(value)


def body(features: Sequence[tuple[str, str]], nanos: int, values: Sequence[Any]) -> bytes:
    """Event time and values, one a line."""
    lines = [b'"' + written(nanos).encode() + b'"']
    lines += [fragment(kind, value) for (_, kind), value in zip(features, values, strict=True)]
    return LINE.join(lines)


def pack(mark: bytes, features: Sequence[tuple[str, str]], nanos: int, sequence: int, values: Sequence[Any]) -> bytes:
    """The packed copy of one view of one entity.

    Args:
        mark: of `schema_mark`.
        features: (name, type) in the order of the definition.
        nanos: event time, nanoseconds since the epoch.
        sequence: order among writes of one event time, 0 to `HIGHEST`.
        values: in the same order as the features, each of its type (`encode_value` has checked them).

    Raises:
        Unfit: the sequence is out of range.
    """
    if not 0 <= sequence <= HIGHEST:
        raise Unfit(f"sequence {sequence} is not within 0 and {HIGHEST}")
    time = encode_time(nanos)
    return mark + bytes([len(time)]) + time + _SEQUENCE.pack(sequence) + body(features, nanos, values)


def lines_of(mark: bytes, packed: bytes | None, time: bytes | None) -> list[bytes] | None:
    """Event time and values as JSON texts; None where the copy does not count.

    Args:
        mark: of the definition that the reader has.
        packed: content of `_pk:view`.
        time: content of `_ts:view`.
    """
    if packed is None or time is None:
        return None
    head = mark + bytes([len(time)]) + time
    if not packed.startswith(head):
        return None
    return packed[len(head) + 8 :].split(LINE)

"""Feast's own layout of online features in Redis, byte for byte (Feast 0.67, entity key serialisation version 3).

One hash per entity. Its key is the serialised entity key followed by the project's name; the fields of a view are

- murmur3 of `view:feature` (4 bytes, little endian) -> a `Value` message of Feast's protocol
- `_ts:view` -> the event time as a `google.protobuf.Timestamp`

Both messages are so small that they are written and read here without a protobuf library: the tests hold every function
against Feast's own. A null is a `Value` without any field, which is empty.
"""

import datetime as dt
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mmh3

NANOS = 1_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_I64 = struct.Struct("<q")
_F32 = struct.Struct("<f")
_F64 = struct.Struct("<d")
_STRING = 2
"""Number of the type string, in Feast's entity keys."""
_WRAP = 1 << 64
_NULL = b"\x98\x01"  # field 19, the older way to write a null


class Unfit(ValueError):
    """A value that is none of its feature's or entity's type."""


class Kind(NamedTuple):
    """One type of values.

    Attributes:
        name: as the definitions spell it.
        number: of the field in `Value`, and of the type in entity keys.
        encode: value -> the message's bytes; raises Unfit.
    """

    name: str
    number: int
    encode: Callable[[Any], bytes]


def _varint(number: int) -> bytes:
    if number < 0:
        number += _WRAP
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  the last one has no high bit
            return (number - _WRAP if number >> 63 else number), at
        shift += 7


def _whole(bits: int, tag: bytes) -> Callable[[Any], bytes]:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    def encode(value: Any) -> bytes:  # noqa: ANN401  whatever a caller gave
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unfit(f"{value!r} is no whole number")
        if not low <= value <= high:
            raise Unfit(f"{value} does not fit into {bits} bits")
        return tag + _varint(value)

    return encode


def _real(form: struct.Struct, tag: bytes) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:  # noqa: ANN401  whatever a caller gave
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit(f"{value!r} is no number")
        try:
            return tag + form.pack(value)
        except (OverflowError, struct.error):
            raise Unfit(f"{value} is too great") from None

    return encode


def _string(value: Any) -> bytes:  # noqa: ANN401  whatever a caller gave
    if not isinstance(value, str):
        raise Unfit(f"{value!r} is no text")
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise Unfit(f"{value!r} is no valid Unicode") from None
    return b"\x12" + _varint(len(data)) + data


def _bytes(value: Any) -> bytes:  # noqa: ANN401  whatever a caller gave
    if not isinstance(value, bytes):
        raise Unfit(f"{value!r} is no bytes")
    return b"\x0a" + _varint(len(value)) + value


def _boolean(value: Any) -> bytes:  # noqa: ANN401  whatever a caller gave
    if not isinstance(value, bool):
        raise Unfit(f"{value!r} is neither true nor false")
    return b"\x38\x01" if value else b"\x38\x00"


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bytes", 1, _bytes),
        Kind("string", _STRING, _string),
        Kind("int32", 3, _whole(32, b"\x18")),
        Kind("int64", 4, _whole(64, b"\x20")),
        Kind("float64", 5, _real(_F64, b"\x29")),
        Kind("float32", 6, _real(_F32, b"\x35")),
        Kind("bool", 7, _boolean),
        Kind("unix_timestamp", 8, _whole(64, b"\x40")),
    )
}
"""Types of features by name; entities are string, int32, int64, bytes or unix_timestamp."""


def encode_value(kind: str, value: Any) -> bytes:  # noqa: ANN401  of the type `kind`
    """The `Value` message; empty for None.

    Raises:
        Unfit: the value is not of that type.
    """
    return b"" if value is None else KINDS[kind].encode(value)


def decode_value(data: bytes | None) -> Any:  # noqa: ANN401  of the type that was written
    """The value in a `Value` message; None where it is null or missing.

    Raises:
        Unfit: no scalar value stands there.
    """
    if not data or data[:2] == _NULL:
        return None
    reader = _READERS.get(data[0])
    if reader is None:
        raise Unfit(f"a value of a type that no definition of ours has (first byte {data[0]})")
    return reader(data)


def _read_whole(data: bytes) -> int:
    return _read_varint(data, 1)[0]


def _read_content(data: bytes) -> bytes:
    length, at = _read_varint(data, 1)
    return data[at : at + length]


_READERS: Mapping[int, Callable[[bytes], Any]] = {
    0x0A: _read_content,
    0x12: lambda data: _read_content(data).decode(),
    0x18: _read_whole,
    0x20: _read_whole,
    0x29: lambda data: _F64.unpack_from(data, 1)[0],
    0x35: lambda data: _F32.unpack_from(data, 1)[0],
    0x38: lambda data: data[1] != 0,
    0x40: _read_whole,
}
"""First byte of a `Value` message (number of the field and how it is written) -> what reads it."""


def encode_time(nanos: int) -> bytes:
    """The `Timestamp` message of an instant, in nanoseconds since the epoch."""
    seconds, rest = divmod(nanos, NANOS)
    return (b"\x08" + _varint(seconds) if seconds else b"") + (b"\x10" + _varint(rest) if rest else b"")


def decode_time(data: bytes) -> int:
    """Nanoseconds since the epoch of a `Timestamp` message; the epoch itself where it is empty."""
    seconds = rest = at = 0
    while at < len(data):
        tag = data[at]
        number, at = _read_varint(data, at + 1)
        if tag == 0x08:  # noqa: PLR2004  field 1
            seconds = number
        else:
            rest = number
    return seconds * NANOS + rest


def nanos_of(instant: dt.datetime) -> int:
    """Nanoseconds since the epoch, exact to the microsecond; an instant without an offset is taken for UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    return (aware - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def written(nanos: int) -> str:
    """An instant as Feast's feature server writes it: `2013-01-01T10:17:00Z`, with a fraction only where there is one.

    Feast carries event times through microseconds; what is finer is rounded.
    """
    micros = (nanos + 500) // 1000
    instant = _EPOCH + dt.timedelta(microseconds=micros)
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = micros % 1_000_000
    if not fraction:
        return text + "Z"
    return f"{text}.{fraction // 1000:03d}Z" if not fraction % 1000 else f"{text}.{fraction:06d}Z"


def entity_key(project: str, keys: Mapping[str, tuple[str, Any]]) -> bytes:
    """The key of an entity's hash.

    Args:
        project: name of Feast's project.
        keys: join key -> (type, value).

    Raises:
        Unfit: a value is not of its type.
    """
    names = sorted(keys)
    out = [_U32.pack(len(names))]
    for name in names:
        data = name.encode()
        out += [_U32.pack(_STRING), _U32.pack(len(data)), data]
    for name in names:
        kind, value = keys[name]
        data = entity_value(kind, value)
        out += [_U32.pack(KINDS[kind].number), _U32.pack(len(data)), data]
    return b"".join(out) + project.encode()


def entity_value(kind: str, value: Any) -> bytes:  # noqa: ANN401  of the type `kind`
    """How an entity's value stands in its key.

    Raises:
        Unfit: it is null, or not of that type.
    """
    if value is None:
        raise Unfit("an entity's value is never null")
    message = KINDS[kind].encode(value)
    if kind in ("string", "bytes"):
        return _read_content(message)
    if kind == "int32":
        return _I32.pack(value)
    if kind in ("int64", "unix_timestamp"):
        return _I64.pack(value)
    raise Unfit(f"Feast knows no entity of type {kind}")


def field_of(view: str, feature: str) -> bytes:
    """The field of a feature in its entity's hash."""
    return _U32.pack(mmh3.hash(f"{view}:{feature}", signed=False))


def time_field(view: str) -> bytes:
    """The field of a view's event time in its entity's hash."""
    return f"_ts:{view}".encode()

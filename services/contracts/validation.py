"""Reading and writing events.

What comes out of here meets its contract; everything else is refused with field and reason.
"""

import re

import msgspec

from contracts.events import Event
from contracts.topics import EVENTS

_WHERE = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?(?P<path>\$[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"field `(?P<field>[^`]+)`")
_encoder = msgspec.json.Encoder()


class Invalid(ValueError):
    """Bytes that are no event of the expected type.

    Attributes:
        kind: `malformed` (no JSON), `unknown-topic` or `contract` (JSON that breaks it): few values, for metrics.
        field: the field at fault, `$` for the whole value.
        reason: what is wrong with it.
    """

    def __init__(self, kind: str, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.kind = kind
        self.field = field
        self.reason = reason


class Reader:
    """Decodes and validates the values of one topic; made once and used for each record.

    Raises:
        Invalid: there is no contract for the topic.
    """

    def __init__(self, topic: str) -> None:
        if topic not in EVENTS:
            raise Invalid("unknown-topic", "$", f"no contract for topic {topic}; known are {', '.join(EVENTS)}")
        self.topic = topic
        self.decode = msgspec.json.Decoder(EVENTS[topic]).decode
        """The bare decoder, for the hot path: raises msgspec.DecodeError, which `why` explains."""

    def read(self, value: bytes | None) -> Event:
        """The event in `value`.

        Raises:
            Invalid: with field and reason.
        """
        try:
            return self.decode(value or b"")
        except msgspec.DecodeError as failure:
            raise why(failure) from None


def why(failure: msgspec.DecodeError) -> Invalid:
    """The refusal that a decoder's error amounts to."""
    if not isinstance(failure, msgspec.ValidationError):
        return Invalid("malformed", "$", f"not JSON: {failure}")
    match = _WHERE.match(str(failure))
    path, reason = (match["path"], match["reason"]) if match else (None, str(failure))
    named = _NAMED.search(reason)
    field = (path or "$").removeprefix("$.")
    if named and field == "$":
        field = named["field"]
    return Invalid("contract", field, reason)


def encode(event: Event) -> bytes:
    """The event as it stands on the wire."""
    return _encoder.encode(event)

"""What breaks its contract is refused with the field and the reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts import Invalid, Reader, WeatherRead, encode
from contracts.topics import DEPARTED, WEATHER

READING = {"type": WEATHER, "id": "wx-JFK-2013-01-01T00", "time": "2013-01-01T00:00:00Z", "station": "JFK"}


def refusal(change: dict[str, Any]) -> Invalid:
    """Why the reading with `change` is refused."""
    with pytest.raises(Invalid) as caught:
        Reader(WEATHER).read(json.dumps(READING | change).encode())
    return caught.value


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"station": "jfk"}, "station"),
        ({"temp": 999}, "temp"),
        ({"tmp": 1}, "tmp"),
        ({"time": "2013-01-01T00:00:00"}, "time"),
        ({"id": "short"}, "id"),
        ({"humid": "wet"}, "humid"),
    ],
)
def test_a_broken_field_is_named(change: dict[str, Any], field: str) -> None:
    """The field at fault is told by name, also an unknown one and a time without offset."""
    assert (refusal(change).kind, refusal(change).field) == ("contract", field)


@pytest.mark.parametrize("value", [b"", None, b"{", b"\xff", b"not json"])
def test_bytes_that_are_no_json_are_malformed(value: bytes | None) -> None:
    """Malformed and breaking the contract are told apart: few kinds, for metrics."""
    with pytest.raises(Invalid) as caught:
        Reader(WEATHER).read(value)
    assert (caught.value.kind, caught.value.field) == ("malformed", "$")


def test_another_topics_event_is_refused() -> None:
    """A topic carries one type."""
    with pytest.raises(Invalid, match=r"flight\.departed\.v1|weather\.read\.v1"):
        Reader(DEPARTED).read(json.dumps(READING).encode())


def test_a_topic_without_contract_is_refused() -> None:
    """A reader of an unknown topic cannot be made."""
    with pytest.raises(Invalid, match="no contract for topic trees"):
        Reader("trees")


@given(temp=some.floats(-60, 140) | some.none())
def test_an_event_survives_the_wire(temp: float | None) -> None:
    """What is encoded is read back equal."""
    event = Reader(WEATHER).read(json.dumps(READING | {"temp": temp}).encode())
    assert isinstance(event, WeatherRead)
    assert Reader(WEATHER).read(encode(event)) == event


@given(value=some.binary(max_size=80))
def test_whatever_comes_is_read_or_refused(value: bytes) -> None:
    """No bytes make the reader fail in another way."""
    try:
        read = Reader(WEATHER).read(value)
    except Invalid:
        return
    assert read.key

"""A dead letter tells everything that is needed to repair it and to put it back, once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts import Invalid
from ingest import repair
from ingest.errors import BadRepairs
from runtime import letters
from unit.ingest.worlds import Record

BROKEN = json.dumps({"type": "weather.read.v1", "id": "wx-JFK-1234", "time": "2013-01-01T00:00:00Z", "station": "jfk"})
REFUSED = Record(7, BROKEN.encode(), [("traceparent", b"00-1-2-01"), ("place", b"3")])


def letter(value: bytes | None = BROKEN.encode(), reason: str = "Expected `str` matching regex") -> Record:
    """The letter about the refused record, as it is read from the dead-letter topic."""
    made = letters.headers(REFUSED, Invalid("contract", "station", reason), "ingest")
    return Record(0, value, made, topic="dead-letter.v1")


def test_a_letter_tells_reason_field_and_record() -> None:
    """And keeps the record's own headers, so that its trace goes on."""
    told = letters.told(letter())
    assert (told["field"], told["kind"], told["group"]) == ("station", "contract", "ingest")
    assert letters.origin(letter()) == ("weather.read.v1", 0, 7)
    assert ("traceparent", b"00-1-2-01") in letter().headers


def test_a_strangers_letter_is_about_nothing() -> None:
    """Records that bear no headers of ours are left alone."""
    assert letters.origin(Record(0, b"", [("dead-topic", b"x"), ("dead-offset", b"many")])) is None


def test_a_repair_is_merged_and_must_meet_the_contract() -> None:
    """The repaired value is valid, or the letter is refused with the field that is still wrong."""
    value = repair.Repairs('{"station": "JFK"}').repaired(letter())
    assert json.loads(value)["station"] == "JFK"
    with pytest.raises(Invalid, match="station"):
        repair.Repairs("").repaired(letter())
    with pytest.raises(Invalid, match="not a JSON object"):
        repair.Repairs('{"station": "JFK"}').repaired(letter(b"{"))


def test_only_chooses_by_reason() -> None:
    """Part of the reason is enough."""
    assert repair.Repairs("", "regex").chosen(letter())
    assert not repair.Repairs("", "float").chosen(letter())


def test_repairs_that_are_no_object_are_refused() -> None:
    """The variable is named."""
    with pytest.raises(BadRepairs, match="TARMAC_REPAIRS"):
        repair.Repairs("[1]")


def test_what_is_put_back_says_which_letter_it_was() -> None:
    """And no longer bears a place in the replay, nor the letter's own headers."""
    assert repair.headers(letter()) == [("traceparent", b"00-1-2-01"), ("repaired", b"0-0")]


@given(done=some.sets(some.integers(0, 5_000)), offset=some.integers(0, 200))
def test_what_was_put_back_is_noted_and_read_back(done: set[int], offset: int) -> None:
    """The packed note loses nothing at or beyond the offset."""
    assert repair.unpacked(repair.packed(done, offset), offset) == {each for each in done if each >= offset}

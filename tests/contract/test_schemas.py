"""The published schemas are the contract that readers in other languages rely on."""

import json
from pathlib import Path

import pytest

from contracts import schemas
from contracts.topics import RECORDS


@pytest.mark.parametrize("topic", RECORDS)
def test_a_published_schema_equals_what_the_types_say(topic: str) -> None:
    """No change of a type goes unnoticed: the published file is exactly what the type gives."""
    published = json.loads((schemas.PUBLISHED / f"{topic}.json").read_text(encoding="utf-8"))
    assert published == schemas.schema(topic)


def test_every_record_type_is_published_and_nothing_else() -> None:
    """One file per topic."""
    assert {file.stem for file in schemas.PUBLISHED.glob("*.json")} == set(RECORDS)


def test_publishing_writes_what_stands_in_the_repository(tmp_path: Path) -> None:
    """`python -m contracts.schemas` makes the same bytes, so a diff shows real changes only."""
    schemas.write(tmp_path)
    for topic in RECORDS:
        name = f"{topic}.json"
        assert (tmp_path / name).read_bytes() == (schemas.PUBLISHED / name).read_bytes()

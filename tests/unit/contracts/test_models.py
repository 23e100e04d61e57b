"""The card of a model: written and read the same, and whatever is wrong with it is told by field and remedy."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from contracts import models
from contracts.models import BadCard, Card

CONTENT = b"the bytes of a model"
CARD = Card(
    name="delay-linear", service="delay_v1", features=("departure_weekday", "origin_congestion"),
    label="arrival_delay, minutes", kind="linear", opset=18, sha256=hashlib.sha256(CONTENT).hexdigest(),
    dataset={"dvc": "0" * 32, "registry": "1" * 64}, quality={"rmse": 30.5},
)  # fmt: skip


def refusal(change: dict[str, Any]) -> BadCard:
    """Why the card with `change` is refused."""
    with pytest.raises(BadCard) as caught:
        models.decode(json.dumps(json.loads(models.encode(CARD)) | change).encode())
    return caught.value


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Every field comes back, and the same card gives the same bytes."""
    file = models.write(CARD, tmp_path)
    assert models.read(tmp_path) == CARD
    assert file.name == "card.json"
    assert models.encode(models.read(tmp_path)) == file.read_bytes()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": 2}, "format"),
        ({"name": ""}, "name"),
        ({"features": []}, "features"),
        ({"features": ["a", "b", "a"]}, "features"),
        ({"features": ["a", 1]}, "features[1]"),
        ({"opset": 0}, "opset"),
        ({"sha256": "short"}, "sha256"),
        ({"dataset": {"dvc": 1}}, "dataset[...]"),
        ({"quality": {"rmse": "good"}}, "quality[...]"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_broken_field_is_named_with_a_remedy(change: dict[str, Any], field: str) -> None:
    """The field at fault stands in the error and in its words."""
    found = refusal(change)
    assert found.field == field
    assert field.partition("[")[0] in found.what
    assert found.remedy


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_what_is_no_card_is_refused(content: bytes) -> None:
    """Bytes of any sort end in the one error."""
    with pytest.raises(BadCard) as caught:
        models.decode(content)
    assert caught.value.field == "$"


def test_a_missing_field_is_named() -> None:
    """A card without its kind says so."""
    card = json.loads(models.encode(CARD))
    del card["kind"]
    with pytest.raises(BadCard) as caught:
        models.decode(json.dumps(card).encode())
    assert caught.value.field == "kind"


def test_a_folder_without_a_card_is_told(tmp_path: Path) -> None:
    """The file that is missing is named."""
    with pytest.raises(BadCard, match=r"card\.json cannot be read"):
        models.read(tmp_path)


def test_a_model_that_was_changed_is_noticed() -> None:
    """The card belongs to these bytes and to no others."""
    models.check(CARD, CONTENT)
    with pytest.raises(BadCard, match="sha256") as caught:
        models.check(CARD, CONTENT + b"!")
    assert caught.value.field == "sha256"

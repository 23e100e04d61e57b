"""The card of a model version: what a server must know of `model.onnx` to feed it and to say what it predicts.

It stands as `card.json` beside the model in the version's artifact folder. The model has one input, `features`, float32
[N, number of features], a missing value being NaN, and one output, `prediction`, float32 [N, 1]; N is free.
"""

import hashlib
import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

CARD, MODEL = "card.json", "model.onnx"
"""Names of the two files."""
INPUT, OUTPUT = "features", "prediction"
"""Names of the model's input and output."""
CHAMPION, CHALLENGER = "champion", "challenger"
"""Aliases: what is served by default, and what a release tests."""
FORMAT = 1

_NAMED = re.compile(r"field `(?P<field>[^`]+)`")
_PATH = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")


class BadCard(ValueError):
    """A card that cannot be read, or that does not belong to the model beside it.

    Attributes:
        field: the field at fault, `$` for the whole card.
        what: the card and what is wrong with it.
        remedy: what to do about it.
    """

    def __init__(self, field: str, what: str, remedy: str) -> None:
        super().__init__(f"{what} - {remedy}")
        self.field = field
        self.what = what
        self.remedy = remedy


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of one model."""

    format: int = FORMAT
    name: Annotated[str, Meta(min_length=1)]
    """Of the registered model, e.g. `delay-boosting`."""
    service: Annotated[str, Meta(min_length=1)]
    """Feature service that its features are from (contracts.views_flights)."""
    features: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Columns of the input, in order: features of the service, not always all of them."""
    label: str
    """What is predicted, with its unit, e.g. `arrival_delay, minutes`."""
    kind: str
    """`linear`, `boosting`, `network`, or what was made of them."""
    opset: Annotated[int, Meta(ge=1)]
    """Version of ONNX' operators."""
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """Of model.onnx."""
    dataset: dict[str, str]
    """Where the training set is from: hashes of DVC and of the file, versions of the tables, hash of the registry."""
    quality: dict[str, float]
    """Figures on the held-out rows, by name."""


def encode(card: Card) -> bytes:
    """The card as it stands in card.json: the same card gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(card, order="deterministic"), indent=2) + b"\n"


def decode(content: bytes, place: str = CARD) -> Card:
    """The card that these bytes are.

    Args:
        content: of card.json.
        place: where it is from, for the message.

    Raises:
        BadCard: with the field that is at fault.
    """
    try:
        card = msgspec.json.decode(content, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise _refusal(failure, place) from None
    if card.format != FORMAT:
        raise BadCard(
            "format", f"card {place}: format is {card.format}, not {FORMAT}", "read it with the version that wrote it"
        )
    twice = sorted({name for name in card.features if card.features.count(name) > 1})
    if twice:
        told = f"card {place}: features names {', '.join(twice)} twice"
        raise BadCard("features", told, "name each column of the input once")
    return card


def write(card: Card, folder: Path) -> Path:
    """Write card.json into a folder; where it stands."""
    file = folder / CARD
    file.write_bytes(encode(card))
    return file


def read(folder: Path) -> Card:
    """The card in a folder.

    Raises:
        BadCard: there is none, or it cannot be read.
    """
    file = folder / CARD
    try:
        content = file.read_bytes()
    except OSError as failure:
        raise BadCard("$", f"card {file} cannot be read: {failure}", "take a version that the training wrote") from None
    return decode(content, str(file))


def check(card: Card, model: bytes) -> None:
    """Hold a card to the model beside it.

    Raises:
        BadCard: the model has another hash than the card says.
    """
    found = hashlib.sha256(model).hexdigest()
    if found != card.sha256:
        told = f"model {card.name}: {MODEL} has sha256 {found[:12]}, its card says {card.sha256[:12]}"
        raise BadCard("sha256", told, "the file was changed or cut off: register the model anew")


def _refusal(failure: Exception, place: str) -> BadCard:
    if not isinstance(failure, msgspec.ValidationError):
        return BadCard("$", f"card {place} is no JSON: {failure}", "take a version that the training wrote")
    text = str(failure)
    path, named = _PATH.search(text), _NAMED.search(text)
    field = (path and path["field"]) or (named and named["field"]) or "$"
    return BadCard(field, f"card {place}, field {field}: {_PATH.sub('', text)}", "correct it, or register anew")

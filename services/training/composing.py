"""Registers a composition: a model that is made of others, judged as they are, on the rows held out from them.

What a cascade is worth shows beside a toss: were as many rows passed on to the big model, but drawn by chance, the
error would lie on the line between the two models'. A rule that does no better than that knows nothing.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from contracts import compositions, models
from contracts.compositions import COMPOSITION, BadComposition, Cascade, Composition
from contracts.models import CHAMPION, Card
from training import dataset
from training.dataset import Rows, Vector
from training.errors import BadModel
from training.evaluation import Quality, evaluate
from training.fitting import TRAIN_MEAN
from training.predictors import Composed, Predictor, gathered
from training.registry import Registry, Version


@dataclass(frozen=True)
class Made:
    """A composition and what is known of it.

    Attributes:
        card: what a server must know.
        content: of composition.json.
        quality: figures on the held-out rows of its first member.
        parameters: what it is made of, as text.
        members: as they are named.
    """

    card: Card
    content: bytes
    quality: Quality
    parameters: dict[str, str]
    members: tuple[str, ...]


def compose(registry: Registry, name: str, file: Path) -> tuple[Made, Version]:
    """Judge a composition and register it.

    Args:
        registry: where its members are.
        name: of the registered model.
        file: composition.json.

    Raises:
        BadModel: it cannot be read, or its members do not fit.
        NotRegistered: a member is not there.
    """
    content, composition = _read(file)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        members = gathered(registry, composition, folder / "members")
        first = registry.version(*_named(composition.members()[0]))
        kept = registry.held_out(first, folder)
        made = _made(name, content, composition, members, kept)
        files = folder / "model"
        files.mkdir()
        (files / COMPOSITION).write_bytes(content)
        models.write(made.card, files)
        return made, registry.register_composed(made.card, made.parameters, files, kept)


def _read(file: Path) -> tuple[bytes, Composition]:
    try:
        content = file.read_bytes()
        return content, compositions.decode(content, str(file))
    except OSError as failure:
        raise BadModel(f"composition {file}: it cannot be read: {failure}", "name its file") from None
    except BadComposition as failure:
        raise BadModel(str(failure), "correct it: contracts/compositions.py has an example of each kind") from None


def _named(member: str) -> tuple[str, str]:
    name, _, wanted = member.partition("@")
    return name, wanted or CHAMPION


def _made(name: str, content: bytes, composition: Composition, members: Mapping[str, Predictor], kept: Path) -> Made:
    one = next(iter(members.values())).card
    _check(name, one, members)
    card = Card(
        name=name,
        service=one.service,
        features=one.features,
        label=one.label,
        kind=str(type(composition).__struct_config__.tag),
        opset=max(each.card.opset for each in members.values()),
        sha256=hashlib.sha256(content).hexdigest(),
        dataset=one.dataset,
        quality={},
    )
    try:
        compositions.check(composition, card)
    except BadComposition as failure:
        raise BadModel(str(failure), "name other members, or a feature that they have") from None
    rows = dataset.brought(kept, card.features)
    whole = Composed(card, composition, members)
    quality = evaluate(whole(rows.features), rows.label)
    figures = {**quality.figures(), TRAIN_MEAN: one.quality.get(TRAIN_MEAN, 0.0), **_shares(whole, rows)}
    if isinstance(composition, Cascade):
        figures |= _worth(composition, members, whole, rows)
    parameters = {"composition": msgspec.json.encode(composition).decode()}
    return Made(msgspec.structs.replace(card, quality=figures), content, quality, parameters, tuple(members))


def _check(name: str, one: Card, members: Mapping[str, Predictor]) -> None:
    """Members that take or predict something else cannot be one model."""
    for member, each in members.items():
        if (each.card.features, each.card.label) != (one.features, one.label):
            told = f"composition {name}: {member} takes other features than {one.name}, or predicts something else"
            raise BadModel(told, "compose models that were fitted to the same set")


def _shares(whole: Composed, rows: Rows) -> dict[str, float]:
    return {f"share/{member.replace('@', ':')}": count / len(rows) for member, count in whole.asked.items()}


def _worth(cascade: Cascade, members: Mapping[str, Predictor], whole: Composed, rows: Rows) -> dict[str, float]:
    """What the rule of a cascade is worth: errors of both models, and of a toss that passes on as many rows."""
    passed = whole.asked[cascade.then] / len(rows)
    first, then = (_squared(members[each](rows.features), rows.label) for each in (cascade.first, cascade.then))
    toss = (1 - passed) * first + passed * then
    return {"rmse_first": float(np.sqrt(first)), "rmse_then": float(np.sqrt(then)), "rmse_toss": float(np.sqrt(toss))}


def _squared(predicted: Vector, seen: Vector) -> float:
    return float(np.mean((predicted - seen) ** 2))

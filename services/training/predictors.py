"""Whatever a registered version is, it predicts: one ONNX model, or a composition of several."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from contracts import compositions, models
from contracts.compositions import COMPOSITION, BadComposition, Composition, Given
from contracts.models import CHAMPION, MODEL, BadCard, Card
from training.dataset import Matrix, Vector
from training.errors import BadModel, NotConverted
from training.export import verified
from training.registry import Registry, Version
from training.scoring import Scorer, milliseconds

_DEEPEST = 8


class Predictor(Protocol):
    """A version that can be judged.

    Attributes:
        card: what it says of itself.
        size: bytes of its model, or of its members'.
    """

    @property
    def card(self) -> Card:
        """What it says of itself."""

    @property
    def size(self) -> int:
        """Bytes of its model, or of its members'."""

    def __call__(self, features: Matrix) -> Vector:
        """Predictions, float64 [N], for float32 [N, K]."""

    def milliseconds(self, features: Matrix) -> float:
        """How long the prediction of one row takes, the median of many calls."""

    def broken(self) -> str:
        """What ONNX' checker has against it; empty: nothing."""


class Model:
    """One ONNX model.

    Raises:
        BadModel: it cannot be run.
    """

    def __init__(self, card: Card, content: bytes, what: str) -> None:
        self.card = card
        self.size = len(content)
        self._content = content
        self._what = what
        self._scorer = Scorer(content, len(card.features), what)

    def __call__(self, features: Matrix) -> Vector:
        """Predictions."""
        return self._scorer(features)

    def milliseconds(self, features: Matrix) -> float:
        """How long one row takes."""
        return self._scorer.milliseconds(features)

    def broken(self) -> str:
        """What ONNX' checker has against it."""
        try:
            verified(self._content, self._what)
        except NotConverted as failure:
            return failure.what
        return ""


class Composed:
    """A composition, its members at hand; where a request's parameter would choose, it has none.

    Args:
        card: of the composition.
        composition: what is computed of what.
        members: by their names in it.
    """

    def __init__(self, card: Card, composition: Composition, members: Mapping[str, Predictor]) -> None:
        self.card = card
        self.composition = composition
        self.members = members
        self.size = sum(each.size for each in members.values())
        self.asked: dict[str, int] = {}
        """Member -> rows that it was asked in the last call."""

    def __call__(self, features: Matrix) -> Vector:
        """Predictions."""
        self.asked = dict.fromkeys(self.members, 0)
        steps = self.composition.steps(Given(features, self.card.features, {}))
        try:
            asks = next(steps)
            while True:
                parts = [features if each.rows is None else features[each.rows] for each in asks]
                for each, rows in zip(asks, parts, strict=True):
                    self.asked[each.model] += len(rows)
                found = [self.members[each.model](rows) for each, rows in zip(asks, parts, strict=True)]
                asks = steps.send([each.astype(np.float32)[:, None] for each in found])
        except StopIteration as end:
            return np.asarray(end.value, np.float64)[:, 0]

    def milliseconds(self, features: Matrix) -> float:
        """How long one row takes."""
        return milliseconds(self, features)

    def broken(self) -> str:
        """What ONNX' checker has against its members."""
        return "; ".join(filter(None, (each.broken() for each in self.members.values())))


def predictor(registry: Registry, version: Version, folder: Path, depth: int = 0) -> Predictor:
    """A registered version, fetched and held to its card.

    Args:
        registry: where it is.
        version: which one.
        folder: for its files.
        depth: of the compositions that it is part of.

    Raises:
        BadModel: its files are not what the card says, or cannot be run.
    """
    place = registry.files(version, folder)
    try:
        if (place / COMPOSITION).exists():
            composition, card, _ = compositions.read(place)
            return Composed(card, composition, gathered(registry, composition, folder, depth + 1))
        card = models.read(place)
        content = (place / MODEL).read_bytes()
        models.check(card, content)
    except BadComposition as failure:
        raise BadModel(f"version {version}: {failure}", "register it anew") from None
    except BadCard as failure:
        raise BadModel(f"version {version}: {failure.what}", failure.remedy) from None
    except OSError as failure:
        raise BadModel(f"version {version}: {MODEL} cannot be read: {failure}", "register it anew") from None
    return Model(card, content, str(version))


def gathered(registry: Registry, composition: Composition, folder: Path, depth: int = 1) -> dict[str, Predictor]:
    """The members of a composition, by their names in it: the champions where no version is named.

    Raises:
        BadModel: members lead around in a circle, or their files are not what their cards say.
        NotRegistered: there is no such model, version or alias.
    """
    if depth > _DEEPEST:
        told = f"composition of {', '.join(composition.members())}: it leads around in a circle"
        raise BadModel(told, "let its members be plain models")
    found: dict[str, Predictor] = {}
    for number, member in enumerate(dict.fromkeys(composition.members())):
        name, _, wanted = member.partition("@")
        version = registry.version(name, wanted or CHAMPION)
        found[member] = predictor(registry, version, folder / f"{depth}-{number}", depth)
    return found

"""From a registered version through the gate to an alias.

What is judged is what was registered: the files of the version are fetched and run, nothing is taken from memory.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from contracts.models import CHAMPION, Card
from contracts.views import Undefined
from contracts.views_flights import DEFINITIONS
from training import dataset
from training.dataset import Rows
from training.evaluation import evaluate
from training.fitting import TRAIN_MEAN
from training.gate import Budgets, Candidate, Condition, Held, Rival, judge
from training.predictors import Predictor, predictor
from training.registry import Registry, Version


@dataclass(frozen=True)
class Promotion:
    """What came of it.

    Attributes:
        version: the one that wanted through.
        rival: what it was held against.
        conditions: of the gate, none where the alias stood there already.
        before: version that the alias named before; None: none.
    """

    version: Version
    rival: str
    conditions: tuple[Condition, ...]
    before: str | None

    @property
    def through(self) -> bool:
        """Whether all conditions are met."""
        return all(each.met for each in self.conditions)


def promote(registry: Registry, version: Version, alias: str, budgets: Budgets) -> Promotion:
    """Judge a version and, where all is well, let the alias name it.

    Raises:
        BadModel: its files, or the champion's, are not what the card says.
        BadSet: the held-out rows have no such columns as the champion needs.
        RegistryAway: MLflow does not answer.
    """
    before = registry.named(version.name, alias)
    if before and before.number == version.number:
        return Promotion(version, "itself", (), before.number)
    champion = registry.named(version.name, CHAMPION)
    if champion and champion.number == version.number:
        champion = None  # a champion that becomes the challenger too is held against the mean
    with tempfile.TemporaryDirectory() as folder:
        rival, conditions = _judged(registry, version, champion, budgets, Path(folder))
    promotion = Promotion(version, rival, conditions, before.number if before else None)
    registry.judged(version, through=promotion.through, verdict=_verdict(conditions))
    if promotion.through:
        registry.point(version, alias)
    return promotion


def _judged(
    registry: Registry, version: Version, champion: Version | None, budgets: Budgets, folder: Path
) -> tuple[str, tuple[Condition, ...]]:
    candidate = predictor(registry, version, folder / "candidate")
    rows = registry.held_out(version, folder)
    held = dataset.brought(rows, candidate.card.features)
    if champion:
        rival = _champion(champion, predictor(registry, champion, folder / "champion"), rows)
    else:
        rival = Rival("the mean of the past", np.full(len(held), candidate.card.quality.get(TRAIN_MEAN, 0.0)))
    judgement = Held(held.label, held.days, candidate.card.dataset.get("held_from", ""))
    return rival.name, judge(_candidate(candidate, held), rival, judgement, budgets)


def _candidate(predictor: Predictor, held: Rows) -> Candidate:
    predicted = predictor(held.features)
    return Candidate(
        predicted=predicted,
        quality=evaluate(predicted, held.label),
        leaks=foreign(predictor.card),
        closest=closest(held, predictor.card.features),
        broken=predictor.broken(),
        size=predictor.size,
        latency=predictor.milliseconds(held.features),
    )


def _champion(version: Version, predictor: Predictor, rows: Path) -> Rival:
    held = dataset.brought(rows, predictor.card.features)
    predicted = predictor(held.features)
    return Rival(f"champion {version}", predicted, predictor.card.dataset.get("held_from", ""))


def foreign(card: Card) -> tuple[str, ...]:
    """Features of a card that its feature service does not have: nobody answers them when the model is asked."""
    try:
        service = DEFINITIONS.service(card.service)
    except Undefined:
        return card.features
    known = {each.partition(":")[2] for each in DEFINITIONS.features_of(service)}
    return tuple(name for name in card.features if name not in known)


def closest(rows: Rows, features: Sequence[str]) -> tuple[str, float]:
    """The feature that goes most with the label, and the size of its correlation, where both are there."""
    found = [(_correlation(column, rows.label), name) for column, name in zip(rows.features.T, features, strict=True)]
    size, name = max(found)
    return name, size


def _correlation(column: dataset.Matrix, label: dataset.Vector) -> float:
    there = np.isfinite(column)
    left, right = column[there].astype(np.float64), label[there]
    # Over a handful of rows anything goes with anything.
    if there.sum() < len(label) / 100 or not left.std() or not right.std():
        return 0.0
    return float(abs(np.corrcoef(left, right)[0, 1]))


def _verdict(conditions: Sequence[Condition]) -> str:
    return json.dumps([asdict(each) for each in conditions], indent=2) + "\n"

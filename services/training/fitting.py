"""One model of one kind: fitted, written as ONNX, and judged on the held-out rows as ONNX predicts them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.models import Card
from training import estimators
from training.dataset import Dataset
from training.evaluation import Quality, evaluate
from training.export import Exported, exported
from training.scoring import Scorer

UNIT = "minutes"
TRAIN_MEAN = "train_mean"
"""Figure of the card: the mean label of the rows that were learnt from, what a model without features would say."""


@dataclass(frozen=True)
class Fitted:
    """A model and what is known of it.

    Attributes:
        card: what a server must know.
        content: of model.onnx.
        quality: figures on the held-out rows.
        parameters: of the estimator, as text by name.
        difference: largest distance between ONNX and scikit-learn, of a variant to its original, minutes.
    """

    card: Card
    content: bytes
    quality: Quality
    parameters: dict[str, str]
    difference: float


def fit(data: Dataset, kind: str, name: str) -> Fitted:
    """Fit an estimator of a kind.

    Args:
        data: the training set, split.
        kind: a key of estimators.KINDS.
        name: of the registered model.

    Raises:
        NotConverted: it cannot be written as ONNX.
        Unequal: ONNX predicts something else than scikit-learn.
    """
    model = estimators.fitted(kind, data.train)
    return told(data, kind, name, exported(model, data.held.features), estimators.parameters(model))


def told(  # noqa: PLR0913, PLR0917  all that a card says
    data: Dataset,
    kind: str,
    name: str,
    made: Exported,
    parameters: dict[str, str],
    figures: Mapping[str, float] | None = None,
) -> Fitted:
    """A model with its card, judged on the held-out rows as ONNX predicts them.

    Args:
        data: the training set, split.
        kind: of the model.
        name: of the registered model.
        made: the model as ONNX.
        parameters: of the estimator, as text by name.
        figures: further ones for the card.
    """
    predicted = Scorer(made.content, len(data.features), name)(data.held.features)
    quality = evaluate(predicted, data.held.label)
    card = Card(
        name=name,
        service=data.manifest.service,
        features=data.features,
        label=f"{data.manifest.predicts}, {UNIT}",
        kind=kind,
        opset=made.opset,
        sha256=hashlib.sha256(made.content).hexdigest(),
        dataset=data.lineage,
        quality={**quality.figures(), TRAIN_MEAN: float(data.train.label.mean()), **(figures or {})},
    )
    return Fitted(card, made.content, quality, parameters, made.difference)

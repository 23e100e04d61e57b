"""The pipeline on a set whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from contracts import models
from training import promotion
from training.dataset import Dataset
from training.estimators import KINDS
from training.fitting import Fitted, fit
from unit.training import sets


def test_every_kind_learns(made: Fitted) -> None:
    """The label has noise of 8 minutes and gaps; each kind explains a fair part, the bent feature is the trees' own."""
    assert made.quality.r2 > {"linear": 0.2, "boosting": 0.45, "network": 0.3}[made.card.kind]
    assert made.quality.rmse > 8


def test_trees_see_what_a_line_cannot(data: Dataset) -> None:
    """The baseline is there to be beaten."""
    line, trees = (fit(data, kind, kind).quality for kind in ("linear", "boosting"))
    assert trees.rmse < 0.9 * line.rmse


def test_the_card_says_what_a_server_must_know(made: Fitted, data: Dataset) -> None:
    """Features in order, label with unit, hash of the bytes, lineage, figures; it can be written and read."""
    card = models.decode(models.encode(made.card))
    assert card == made.card
    models.check(card, made.content)
    assert (card.service, card.features, card.label) == ("delay_v1", sets.FEATURES, "arrival_delay, minutes")
    assert card.dataset == data.lineage
    assert card.quality["rmse"] == made.quality.rmse
    assert card.quality["train_mean"] == pytest.approx(data.train.label.mean())


def test_the_kinds_of_the_command_line_are_those_there_are() -> None:
    """`--kind` offers each of them."""
    from training import arguments  # noqa: PLC0415  beside what it is compared with

    assert set(arguments.KINDS) == set(KINDS)


def test_the_feature_that_is_the_label_is_found(data: Dataset) -> None:
    """Given the label among the features, then it is found; gaps do not hide it, and a few rows do not fake it."""
    rows = data.held
    features = rows.features.copy()
    features[:, 3] = rows.label
    features[::2, 3] = np.nan
    name, size = promotion.closest(type(rows)(features, rows.label, rows.days), data.features)
    assert name == data.features[3]
    assert size == pytest.approx(1.0)
    features[3:, 3] = np.nan
    assert promotion.closest(type(rows)(features, rows.label, rows.days), data.features)[0] != data.features[3]


def test_features_that_the_service_does_not_have_are_foreign(made: Fitted) -> None:
    """Nobody could answer them when the model is asked."""
    assert promotion.foreign(made.card) == ()
    card = models.Card(**{**{f: getattr(made.card, f) for f in made.card.__struct_fields__}, "features": ("air_time",)})
    assert promotion.foreign(card) == ("air_time",)

"""Flights that the training held out, kept with a version's run, and the version's files: to judge it by."""

import io
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from contracts import models
from contracts.models import CARD, MODEL, BadCard, Card
from runtime.mlflow import NotRegistered
from trials.local import Matrix
from trials.registry import Registry

_ROWS, _LABEL = "held_out.parquet", "label"

Vector = np.ndarray[Any, np.dtype[np.float64]]


class Registered(NamedTuple):
    """A version that the training has registered.

    Attributes:
        name: of the model.
        version: its number.
        content: of model.onnx.
        card: what it says of itself.
    """

    name: str
    version: str
    content: bytes
    card: Card


class Flights(NamedTuple):
    """Rows and what came of them.

    Attributes:
        features: float32 [N, K], NaN where a value is missing.
        label: arrival delay in minutes, [N].
    """

    features: Matrix
    label: Vector


def registered(registry: Registry, name: str) -> Registered:
    """The version of a model that is in use.

    Raises:
        NotRegistered: there is none that the training made.
    """
    found = registry.current(name)
    try:
        card = models.decode(registry.file(found, CARD), f"of {name}")
    except BadCard as failure:
        raise NotRegistered(failure.what, failure.remedy) from None
    return Registered(name, str(found["version"]), registry.file(found, MODEL), card)


def flights(registry: Registry, model: Registered, most: int = 20_000) -> Flights:
    """The flights that were held out of a version's training, evenly spread where there are more.

    Raises:
        NotRegistered: they are not kept with its run.
    """
    rows = pl.read_parquet(io.BytesIO(registry.of_run(registry.current(model.name), _ROWS)))
    some = rows[np.linspace(0, rows.height - 1, min(most, rows.height), dtype=np.int64).tolist()]
    features = some.select(*model.card.features).to_numpy().astype(np.float32)
    return Flights(np.ascontiguousarray(features), some.get_column(_LABEL).to_numpy().astype(np.float64))


def rmse(predicted: "np.ndarray[Any, Any]", label: Vector) -> float:
    """Root of the mean squared error, in the label's unit."""
    return float(np.sqrt(np.mean((predicted - label) ** 2)))

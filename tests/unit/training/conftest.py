"""Training sets that are made once for all tests, and models fitted to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import dataset
from training.dataset import Dataset
from training.fitting import Fitted, fit
from unit.training import sets


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training set of January and February."""
    return sets.made(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="session")
def data(file: Path) -> Dataset:
    """Return it as numbers, February held out."""
    return dataset.read(file)


@pytest.fixture(scope="session", params=["linear", "boosting", "network"])
def made(request: pytest.FixtureRequest, data: Dataset) -> Fitted:
    """Return a model of each kind."""
    return fit(data, request.param, f"delay-{request.param}")

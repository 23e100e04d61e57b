"""One MLflow server for the session, and the command line on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.mlflow_server import Server
from training.__main__ import main
from unit.training import sets

Run = Callable[..., int]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running server."""
    made = Server(tmp_path_factory.mktemp("mlflow"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training set of January and February."""
    return sets.made(tmp_path_factory.mktemp("sets"))


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the command line, on the session's server."""
    monkeypatch.setenv("TARMAC_MLFLOW", server.address)
    return lambda *words: main([str(word) for word in words])

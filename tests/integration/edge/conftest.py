"""The program, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.edge.processes import built


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the edge program."""
    return built(tmp_path_factory.mktemp("program"))

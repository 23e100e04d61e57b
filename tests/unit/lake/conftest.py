"""A lake of its own for each test."""

from pathlib import Path

import pytest

from unit.lake.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return an empty lake in a folder."""
    return World(tmp_path)

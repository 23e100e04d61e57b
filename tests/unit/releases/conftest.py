"""What all tests of releases stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.releases.cluster import Cluster, standing
from unit.releases.worlds import World


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what Feast asks of Prometheus' client for the whole process when another test imports it."""
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose new version is good."""
    with standing(World(11), tmp_path) as made:
        yield made

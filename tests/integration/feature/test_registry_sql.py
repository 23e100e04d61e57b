"""The registry in the platform's own PostgreSQL, as the chart sets it up."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from feature import registry
from feature.errors import RegistryUnavailable
from feature.settings import ApplySettings
from integration.components.pods import root
from integration.components.test_postgres import PACKAGES, PASSWORDS, Database


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Return PostgreSQL with the chart's scripts and roles."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        with Database(root(Path(folder), PACKAGES)) as made:
            made.up()
            yield made


def settings(database: Database, password: str = PASSWORDS["feast"]) -> ApplySettings:
    """Return what the job is told."""
    address = f"postgresql+psycopg://feast@127.0.0.1:{database.port}/feast"
    return ApplySettings(registry=address, registry_password=password, offline="s3://lake/gold/features")


def test_the_definitions_are_kept_in_postgresql(database: Database) -> None:
    """Everything is new once; a second run, from another process' point of view, finds nothing to do."""
    told = registry.apply(settings(database))
    assert told[-1] == "unchanged 0"
    assert "new feature service delay_v2" in told
    assert registry.apply(settings(database)) == ["unchanged 18"]
    assert database.ask("select count(*) from feature_services where project_id = 'tarmac'") == "2"


def test_a_wrong_password_is_told_without_it(database: Database) -> None:
    """The registry is named, what to do is said, and the password is nowhere."""
    with pytest.raises(RegistryUnavailable) as refused:
        registry.apply(settings(database, "not-the-one"))
    told = f"{refused.value} {refused.value.__cause__}"
    assert f"127.0.0.1:{database.port}" in told
    assert "not-the-one" not in told

"""A real MLflow as the release controller and the bundle meet it: which versions there are, and where aliases point."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.tracking import MlflowClient

from integration.mlflow_server import Server as Mlflow
from lab.settings import PORTS, Settings
from lab.state.web import Web
from releases.errors import BadPlan, NoRegistry
from releases.registry import Registry

NAME = "delay-boosting"
OTHERS = 120
"""More models than the bundle asks for at a time."""


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """Return a server with a model of eleven versions, and many models without any."""
    made = Mlflow(tmp_path_factory.mktemp("mlflow"))
    try:
        made.start()
        client = MlflowClient(made.address, made.address)
        _register(client, NAME)
        run = client.create_run("0").info
        for _ in range(11):
            client.create_model_version(NAME, f"{run.artifact_uri}/model", run.run_id)
        for number in range(OTHERS):
            _register(client, f"other-{number:03d}")
        yield made
    finally:
        made.stop()


def _register(client: MlflowClient, name: str) -> None:
    """Make a model; the client says again what a busy server answered too late, which finds it there."""
    try:
        client.create_registered_model(name)
    except MlflowException as failure:
        if failure.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def test_a_version_is_known_or_refused(mlflow: Mlflow) -> None:
    """A plan for a version that MLflow has goes on; one that it has not, or of no model, is refused by its field."""
    registry = Registry(mlflow.address)
    registry.require(NAME, "11")
    for model, version in ((NAME, "12"), ("nothing", "1")):
        with pytest.raises(BadPlan, match=f"plan, version: MLflow has no version {version} of model {model}"):
            registry.require(model, version)


def test_the_alias_that_the_controller_moves_is_in_the_bundle(mlflow: Mlflow) -> None:
    """Moved twice, recorded as it is last; all models are there, however many; versions in their order."""
    registry = Registry(mlflow.address)
    registry.point(NAME, "challenger", "11")
    registry.point(NAME, "champion", "9")
    registry.point(NAME, "champion", "10")
    with pytest.raises(NoRegistry, match="alias champion of nothing"):
        registry.point("nothing", "champion", "1")
    web = Web(Settings.load({"LAB_PORT_OFFSET": str(mlflow.port - PORTS["mlflow"])}))
    models = web.models()
    assert models[NAME] == {"aliases": {"champion": "10", "challenger": "11"}, "versions": list(range(1, 12))}
    assert len(models) == OTHERS + 1
    assert models["other-007"] == {"aliases": {}, "versions": []}

"""Models of a real MLflow server, registered by the training: serving follows the aliases and outlives the server."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from contracts.models import CHALLENGER, CHAMPION
from integration.mlflow_server import Server as Mlflow
from integration.serving.processes import PATIENCE, Server
from training.__main__ import main
from unit.training import sets

pytestmark = pytest.mark.engines
NAME = "delay-linear"
WIDTH = len(sets.FEATURES)
INPUT = {"name": "features", "shape": [1, WIDTH], "datatype": "FP32", "data": [10.0] * WIDTH}
BODY = json.dumps({"inputs": [INPUT]}).encode()
INFER = f"/v2/models/{NAME}/infer"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """Return a server with two versions of a model, as the training registers them."""
    made = Mlflow(tmp_path_factory.mktemp("mlflow"))
    try:
        made.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TARMAC_MLFLOW", made.address)
            for seed in (1, 2):
                file = sets.made(tmp_path_factory.mktemp("set"), seed=seed)
                assert main(["fit", "--set", str(file), "--kind", "linear", "--name", "delay"]) == 0
        yield made
    finally:
        made.stop()


@pytest.fixture
def client(mlflow: Mlflow) -> MlflowClient:
    """Return MLflow's own client, after version 1 was made champion and nothing challenger."""
    client = MlflowClient(mlflow.address, mlflow.address)
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    client.delete_registered_model_alias(NAME, CHALLENGER)
    return client


@pytest.fixture
def server(mlflow: Mlflow, client: MlflowClient, tmp_path: Path) -> Iterator[Server]:
    """Return a server that answers from the registry."""
    assert client
    running = serving(mlflow, tmp_path)
    try:
        running.until(f"/v2/models/{NAME}/ready")
        yield running
    finally:
        running.end()


def serving(mlflow: Mlflow, models: Path, **settings: str) -> Server:
    """Start the service over HTTP alone."""
    settings = {"TARMAC_MLFLOW": mlflow.address, "TARMAC_MLFLOW_SECONDS": "5", **settings}
    return Server(models, **settings, TARMAC_GRPC_PORT="0")


def asked(server: Server, until: str) -> list[str]:
    """Ask without a pause until a version answers; the versions that answered, each request with success."""
    versions: list[str] = []
    deadline = time.monotonic() + PATIENCE
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        while not versions or versions[-1] != until:
            assert time.monotonic() < deadline, f"version {until} never answered"
            connection.request("POST", INFER, BODY)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200, told
            versions.append(told["model_version"])
    finally:
        connection.close()
    return versions


def test_serving_follows_the_alias_without_a_failed_request(server: Server, client: MlflowClient) -> None:
    """What training registered is served; each request is answered by the old version or the new one, and back."""
    assert asked(server, "1") == ["1"]
    client.set_registered_model_alias(NAME, CHAMPION, "2")
    there = asked(server, "2")
    assert there == sorted(there)
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    back = asked(server, "1")
    assert back == sorted(back, reverse=True)
    told = server.ask("GET", f"/v2/models/{NAME}")[1]
    assert told["versions"] == ["1", "2"]
    assert told["inputs"][0]["parameters"]["features"] == list(sets.FEATURES)


def test_predictions_are_told_by_version(server: Server) -> None:
    """As a histogram, under the name that a release looks for."""
    assert server.ask("POST", INFER, BODY)[0] == 200
    page = server.ask("GET", "/metrics")[1]
    assert f'serving_prediction_bucket{{le="+Inf",model="{NAME}",version="1"}} 1.0' in page


def test_a_track_answers_by_its_own_alias(mlflow: Mlflow, client: MlflowClient, tmp_path: Path) -> None:
    """Where a request names the model alone; while there is no such alias the champion answers there as well."""
    running = serving(mlflow, tmp_path, TARMAC_ALIAS=CHALLENGER)
    try:
        running.until("/readyz")
        assert asked(running, "1") == ["1"]
        client.set_registered_model_alias(NAME, CHALLENGER, "2")
        there = asked(running, "2")
        assert there == sorted(there)
    finally:
        assert running.end() == 0


def test_a_composition_is_served_from_the_registry(mlflow: Mlflow, client: MlflowClient, tmp_path: Path) -> None:
    """As the training registered it; its member is swapped under it without a failed request."""
    parts = {"kind": "by_parameter", "parameter": "way", "ways": {"old": f"{NAME}@1"}, "otherwise": NAME}
    file = tmp_path / "composition.json"
    file.write_text(json.dumps(parts), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TARMAC_MLFLOW", mlflow.address)
        assert main(["compose", "delay-routed", str(file)]) == 0
    running = serving(mlflow, tmp_path / "models")
    try:
        running.until("/v2/models/delay-routed/ready")
        assert running.ask("GET", "/v2/models/delay-routed")[1]["parameters"]["members"] == [f"{NAME}/1", f"{NAME}/1"]
        status, told = running.ask("POST", "/v2/models/delay-routed/infer", BODY)
        assert (status, told["model_name"], told["model_version"]) == (200, "delay-routed", "1")
        client.set_registered_model_alias(NAME, CHAMPION, "2")
        assert asked(running, "2")[-1] == "2"
        status, new = running.ask("POST", "/v2/models/delay-routed/infer", BODY)
        assert (status, new["outputs"] != told["outputs"]) == (200, True)
        old = json.dumps({**json.loads(BODY), "parameters": {"way": "old"}}).encode()
        assert running.ask("POST", "/v2/models/delay-routed/infer", old)[1]["outputs"] == told["outputs"]
    finally:
        assert running.end() == 0


def test_predictions_go_on_without_mlflow(server: Server, mlflow: Mlflow, client: MlflowClient) -> None:
    """With what is loaded; a server that starts meanwhile serves what was kept, and both follow once it is back."""
    mlflow.stop()
    status, told = server.ask("POST", f"/v2/repository/models/{NAME}/load", b"{}")
    assert (status, "MLflow" in told["error"]) == (503, True)
    assert asked(server, "1") == ["1"]
    assert server.ask("GET", "/readyz")[0] == 200
    second = serving(mlflow, server.models)
    try:
        second.until(f"/v2/models/{NAME}/ready")
        assert asked(second, "1") == ["1"]
        mlflow.start()
        client.set_registered_model_alias(NAME, CHAMPION, "2")
        assert asked(server, "2")[-1] == asked(second, "2")[-1] == "2"
    finally:
        assert second.end() == 0

"""From a training set through a real MLflow server to an alias, by the command line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import mlflow
import numpy as np
import onnxruntime
import pytest
from mlflow.tracking import MlflowClient

from contracts import models
from integration.mlflow_server import Server, free_port
from integration.training.conftest import Run
from unit.training import sets

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def client(server: Server) -> MlflowClient:
    """Return MLflow's own client, which knows nothing of us."""
    return MlflowClient(tracking_uri=server.address, registry_uri=server.address)


def files(server: Server, name: str, version: str, folder: Path) -> Path:
    """Fetch a version's files as anybody would."""
    uri = MlflowClient(server.address, server.address).get_model_version_download_uri(name, version)
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder), tracking_uri=server.address))


def test_a_fit_leaves_a_version_with_all_it_came_from(
    run: Run, file: Path, client: MlflowClient, server: Server, tmp_path: Path
) -> None:
    """MLflow's own client finds files, signature, parameters, figures and lineage; onnxruntime runs the model."""
    assert run("fit", "--set", file, "--kind", "linear", "--name", "whole") == 0
    version = client.get_model_version("whole-linear", "1")
    place = files(server, "whole-linear", "1", tmp_path)
    assert {each.name for each in place.iterdir()} >= {"model.onnx", "MLmodel", "card.json"}
    card = models.read(place)
    models.check(card, (place / "model.onnx").read_bytes())
    session = onnxruntime.InferenceSession(place / "model.onnx")
    rows = np.full((2, len(card.features)), np.nan, np.float32)
    assert session.run(None, {"features": rows})[0].shape == (2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, when its way of serving is imported
        served = mlflow.pyfunc.load_model(str(place))
        assert served.predict(rows)["prediction"].shape == (2, 1)
    told = served.metadata
    assert [(each.name, each.shape) for each in told.signature.inputs] == [("features", (-1, len(card.features)))]
    history = client.get_run(str(version.run_id))
    assert history.inputs
    assert history.data.params["estimator"] == "Ridge"
    assert history.data.metrics["rmse"] == pytest.approx(card.quality["rmse"])
    assert version.tags["dataset.dvc"] == sets.MD5
    assert version.tags["dataset.delta/silver/flights"] == "7"
    assert version.tags["dataset.registry"] == card.dataset["registry"]
    contexts = {each.tags[0].value: json.loads(each.dataset.source) for each in history.inputs.dataset_inputs}
    assert contexts == {"training": card.dataset, "evaluation": card.dataset}


def test_the_same_fit_again_adds_nothing(run: Run, file: Path, client: MlflowClient, capsys: Capture) -> None:
    """Given the same set and code, then no second version and no second run, and the command says so."""
    for _ in range(2):
        assert run("fit", "--set", file, "--kind", "linear", "--name", "twice") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "registered as twice-linear version 1" in lines[3]
    assert "stands already as twice-linear version 1" in lines[7]
    assert len(client.search_model_versions("name = 'twice-linear'")) == 1


def test_the_first_version_has_to_beat_the_mean_and_becomes_champion(
    run: Run, file: Path, client: MlflowClient, tmp_path: Path, capsys: Capture
) -> None:
    """Each condition is told, the alias names the version, the verdict stands beside the run; again changes nothing."""
    assert run("fit", "--set", file, "--kind", "boosting", "--name", "first") == 0
    assert run("promote", "first-boosting", "1") == 0
    version = client.get_model_version_by_alias("first-boosting", "champion")
    assert (version.version, version.tags["gate"]) == ("1", "passed")
    told = capsys.readouterr().out
    assert "against the mean of the past" in told
    assert "first-boosting version 1 is champion now" in told
    verdict = json.loads(Path(client.download_artifacts(str(version.run_id), "gate.json", str(tmp_path))).read_text())
    assert [each["name"] for each in verdict] == [
        "held_out", "better", "calibrated", "no_leaks", "checker", "size", "latency",
    ]  # fmt: skip
    assert run("promote", "first-boosting", "1") == 0
    assert "is champion already" in capsys.readouterr().out


def test_a_worse_version_does_not_take_the_champions_place(
    run: Run, file: Path, client: MlflowClient, tmp_path: Path, capsys: Capture
) -> None:
    """Given a champion and a later model of worse data, then it is refused with the reason, and the alias stays."""
    assert run("fit", "--set", file, "--kind", "linear", "--name", "worse") == 0
    assert run("promote", "worse-linear", "1") == 0
    noisy = sets.made(tmp_path, per_day=10, noise=200, seed=5)
    assert run("fit", "--set", noisy, "--kind", "linear", "--name", "worse") == 0
    capsys.readouterr()
    assert run("promote", "worse-linear", "2") == 2
    told = capsys.readouterr()
    assert "NOT MET  better" in told.out
    assert "does not become champion: better" in told.err
    assert client.get_model_version_by_alias("worse-linear", "champion").version == "1"
    assert client.get_model_version("worse-linear", "2").tags["gate"] == "refused"


def test_a_fit_may_promote_what_it_made(
    run: Run, file: Path, client: MlflowClient, tmp_path: Path, capfd: Capture
) -> None:
    """Each version is held to the gate at once; one that is refused keeps none of the others, and ends with 2."""
    kinds = ("--kind", "linear", "--kind", "boosting")
    assert run("fit", "--set", file, *kinds, "--name", "both", "--promote", "champion") == 0
    for name in ("both-linear", "both-boosting"):
        assert client.get_model_version_by_alias(name, "champion").version == "1"
    noisy = sets.made(tmp_path, per_day=10, noise=200, seed=5)
    client.delete_registered_model_alias("both-boosting", "champion")
    assert run("fit", "--set", noisy, *kinds, "--name", "both", "--promote", "champion") == 2
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert "both-linear version 2 does not become champion" in line["event"]
    assert client.get_model_version_by_alias("both-linear", "champion").version == "1"
    assert client.get_model_version("both-boosting", "2").tags["gate"] in ("passed", "refused")


def test_a_better_version_takes_it(run: Run, file: Path, client: MlflowClient, tmp_path: Path, capsys: Capture) -> None:
    """Given a champion that learnt little, then a model of more rows replaces it, first as challenger."""
    little = sets.made(tmp_path, per_day=4, noise=60, seed=3)
    assert run("fit", "--set", little, "--kind", "linear", "--name", "better") == 0
    assert run("fit", "--set", file, "--kind", "linear", "--name", "better") == 0
    client.set_registered_model_alias("better-linear", "champion", "1")
    assert run("promote", "better-linear", "2", "--alias", "challenger") == 0
    assert client.get_model_version_by_alias("better-linear", "challenger").version == "2"
    assert client.get_model_version_by_alias("better-linear", "champion").version == "1"
    assert run("promote", "better-linear", "challenger") == 0
    assert client.get_model_version_by_alias("better-linear", "champion").version == "2"
    assert "version 1 was before" in capsys.readouterr().out


class TestTrouble:
    """Each failure under its name, with an exit code that says whether to try again."""

    @pytest.mark.parametrize("words", [("nobody", "1"), ("whole-linear", "99"), ("whole-linear", "challenger")])
    def test_what_is_not_registered_is_told(self, run: Run, file: Path, words: tuple[str, str], capfd: Capture) -> None:
        """Model, version and alias stand in the message; exit code 2."""
        assert run("fit", "--set", file, "--kind", "linear", "--name", "whole") == 0
        assert run("promote", *words) == 2
        line = json.loads(capfd.readouterr().err.splitlines()[-1])
        assert line["kind"] == "NotRegistered"
        assert f"model {words[0]}, version {words[1]}" in line["event"]

    def test_a_file_that_was_changed_in_the_store_is_noticed(  # noqa: PLR0913, PLR0917  fixtures
        self, run: Run, file: Path, client: MlflowClient, server: Server, tmp_path: Path, capfd: Capture
    ) -> None:
        """Given other bytes under the version's model.onnx, then it is not judged at all."""
        assert run("fit", "--set", file, "--kind", "linear", "--name", "changed") == 0
        place = files(server, "changed-linear", "1", tmp_path)
        (place / "model.onnx").write_bytes(b"a pickle, say")
        source = str(client.get_model_version("changed-linear", "1").source)
        client.log_model_artifacts(source.removeprefix("models:/"), str(place))
        assert run("promote", "changed-linear", "1") == 2
        line = json.loads(capfd.readouterr().err.splitlines()[-1])
        assert line["kind"] == "BadModel"
        assert "its card says" in line["event"]

    def test_a_server_that_is_away_is_worth_another_try(
        self, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
    ) -> None:
        """Nothing listens: exit code 1, the address in the message."""
        address = f"http://127.0.0.1:{free_port()}"
        monkeypatch.setenv("TARMAC_MLFLOW", address)
        monkeypatch.setenv("TARMAC_MLFLOW_SECONDS", "1")
        assert run("fit", "--set", file, "--kind", "linear", "--name", "away") == 1
        line = json.loads(capfd.readouterr().err.splitlines()[-1])
        assert line["kind"] == "RegistryAway"
        assert address in line["event"]

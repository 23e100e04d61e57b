"""Models that are made of others, through a real MLflow server, by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from contracts import compositions
from integration.mlflow_server import Server
from integration.training.conftest import Run
from integration.training.test_registry import files

Capture = pytest.CaptureFixture[str]
CASCADE = {"kind": "cascade", "first": "pair-linear", "then": "pair-boosting", "unsure": {"kind": "beyond", "high": 12}}


@pytest.fixture
def client(server: Server) -> MlflowClient:
    """Return MLflow's own client."""
    return MlflowClient(tracking_uri=server.address, registry_uri=server.address)


@pytest.fixture
def pair(run: Run, file: Path, client: MlflowClient) -> None:
    """Two models, both champions."""
    assert run("fit", "--set", file, "--kind", "linear", "--kind", "boosting", "--name", "pair") == 0
    for kind in ("linear", "boosting"):
        client.set_registered_model_alias(f"pair-{kind}", "champion", "1")


def written(folder: Path, parts: object) -> Path:
    """A composition's file."""
    file = folder / "composition.json"
    file.write_text(json.dumps(parts), "utf-8")
    return file


@pytest.mark.usefixtures("pair")
def test_a_cascade_is_registered_with_what_its_rule_is_worth(
    run: Run, client: MlflowClient, server: Server, tmp_path: Path, capsys: Capture
) -> None:
    """Its error lies between its members'; shares and the toss stand in card and metrics. Again adds nothing."""
    assert run("compose", "pair-cascade", written(tmp_path, CASCADE)) == 0
    assert run("compose", "pair-cascade", written(tmp_path, CASCADE)) == 0
    told = capsys.readouterr().out
    assert "registered as pair-cascade version 1" in told
    assert "stands already as pair-cascade version 1" in told
    composition, card, _ = compositions.read(files(server, "pair-cascade", "1", tmp_path / "files"))
    assert (card.kind, composition.members()) == ("cascade", ("pair-linear", "pair-boosting"))
    quality = card.quality
    assert quality["rmse_then"] < quality["rmse"] < quality["rmse_first"]
    assert quality["rmse_then"] < quality["rmse_toss"] < quality["rmse_first"]
    assert quality["share/pair-linear"] == 1
    assert 0 < quality["share/pair-boosting"] < 1
    version = client.get_model_version("pair-cascade", "1")
    metrics = client.get_run(str(version.run_id)).data.metrics
    assert metrics["rmse_toss"] == pytest.approx(quality["rmse_toss"])


@pytest.mark.usefixtures("pair")
def test_a_composition_passes_the_gate_as_any_model(
    run: Run, client: MlflowClient, tmp_path: Path, capsys: Capture
) -> None:
    """Judged by what it predicts with its members; its size is theirs together."""
    parts = {"kind": "ensemble", "members": [{"model": "pair-linear"}, {"model": "pair-boosting@1", "weight": 3}]}
    assert run("compose", "pair-mean", written(tmp_path, parts)) == 0
    assert run("promote", "pair-mean", "1") == 0
    told = capsys.readouterr().out
    assert "pair-mean version 1 is champion now" in told
    assert client.get_model_version_by_alias("pair-mean", "champion").version == "1"


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("parts", "kind", "words"),
    [
        ({**CASCADE, "then": "nobody"}, "NotRegistered", "model nobody, version champion"),
        ({**CASCADE, "then": "pair-linear@9"}, "NotRegistered", "model pair-linear, version 9"),
        ({"kind": "cascade"}, "BadModel", "missing required field"),
        (
            {"kind": "by_feature", "feature": "moon", "ways": [{"below": 1, "model": "pair-linear"}],
             "otherwise": "pair-boosting"}, "BadModel", "moon",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_composed_is_told(  # noqa: PLR0913, PLR0917  fixtures and cases
    run: Run, client: MlflowClient, tmp_path: Path, capfd: Capture, parts: object, kind: str, words: str
) -> None:
    """With the name that is at fault, exit code 2; nothing is registered."""
    assert run("compose", "odd", written(tmp_path, parts)) == 2
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert line["kind"] == kind
    assert words in line["event"]
    assert not client.search_model_versions("name = 'odd'")

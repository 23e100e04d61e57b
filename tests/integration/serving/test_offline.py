"""Batch inference: the rows of a file in, their predictions in the lake."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from integration.lake.conftest import gateway_in
from serving.__main__ import main
from unit.serving.graphs import linear, point, put, put_composition
from unit.training import sets

WIDTH = len(sets.FEATURES)
ROUTED = {"kind": "by_feature", "feature": sets.FEATURES[0], "ways": [{"below": 10, "model": "m"}], "otherwise": "big"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models and a lake, which the command is told of."""
    models = tmp_path / "models"
    for name, version, factor in (("m", "1", 1.0), ("m", "2", 2.0), ("big", "1", 10.0)):
        folder = put(models, name, version, linear(WIDTH, factor), card=True)
        card = json.loads((folder / "card.json").read_bytes())
        (folder / "card.json").write_bytes(msgspec.json.encode({**card, "features": sets.FEATURES}))
    point(models, "m", champion="1")
    put_composition(models, "whole", "1", ROUTED, features=sets.FEATURES)
    put(models, "bare", "1", linear(WIDTH))
    monkeypatch.setenv("TARMAC_MODELS", str(models))
    monkeypatch.setenv("TARMAC_LAKE", str(tmp_path / "lake"))
    return tmp_path


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows as the lake makes them, of ten days."""
    return sets.made(tmp_path_factory.mktemp("rows"), days=10, per_day=600)


def run(*words: object) -> int:
    """Run the command."""
    return main(["offline", *map(str, words)])


def sums(rows: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """What a model of factor 1 says of the rows."""
    matrix = pl.read_parquet(rows).select(pl.col(*sets.FEATURES).cast(pl.Float32).fill_null(float("nan"))).to_numpy()
    return np.asarray(matrix @ np.ones((WIDTH, 1), np.float32), np.float32)[:, 0]


def test_every_row_has_its_prediction(place: Path, rows: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In order, more than are run at a time, by the version that the alias names; missing values count as such."""
    assert run("m", "--rows", rows) == 0
    told = json.loads(capfd.readouterr().out)
    file = place / "lake/predictions/m/1/flights.parquet"
    assert told == {"file": str(file), "model": "m", "version": "1", "rows": 6000}
    found = pl.read_parquet(file)
    assert found.columns == ["flight_id", "predicted_at", "model", "version", "prediction"]
    assert found.get_column("flight_id").equals(pl.read_parquet(rows).get_column("flight_id"))
    np.testing.assert_allclose(found.get_column("prediction").to_numpy(), sums(rows), rtol=1e-4)
    meta = json.loads(pl.read_parquet_metadata(file)["tarmac.prediction"])
    assert (meta["model"], meta["version"], len(meta["model_sha256"]), len(meta["rows_sha256"])) == ("m", "1", 64, 64)


def test_the_same_rows_give_the_same_bytes(place: Path, rows: Path) -> None:
    """Whatever else was run; another version gives others, beside them."""
    file = place / "lake/predictions/m/1/flights.parquet"
    assert run("m", "--rows", rows) == 0
    before = file.read_bytes()
    assert run("m@2", "--rows", rows) == 0
    assert run("m", "--rows", rows) == 0
    assert file.read_bytes() == before
    assert (place / "lake/predictions/m/2/flights.parquet").read_bytes() != before
    assert sorted(each.name for each in file.parent.iterdir()) == ["flights.parquet"]


def test_predictions_go_into_the_object_store(
    place: Path, rows: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the lake is one; the same bytes again. While it is away the job may be run again: exit code 1."""
    folder = place / "s3"
    folder.mkdir()
    with gateway_in(folder) as store:
        for name, value in store.store.environment.items():
            monkeypatch.setenv(name, value)
        file = folder / "objects/lake/predictions/m/1/flights.parquet"
        assert run("m", "--rows", rows) == 0
        before = file.read_bytes()
        assert pl.read_parquet(before).height == 6000
        assert run("m", "--rows", rows) == 0
        assert file.read_bytes() == before
        capfd.readouterr()
        store.stop()
        assert run("m", "--rows", rows) == 1
        assert json.loads(capfd.readouterr().err.splitlines()[-1])["kind"] == "StoreAway"


def test_days_may_be_chosen(place: Path, rows: Path) -> None:
    """By the time of the prediction, the last day left out; the rest of the file is not written."""
    out = place / "day.parquet"
    assert run("m", "--rows", rows, "--from", "2013-01-03", "--to", "2013-01-05", "--out", out) == 0
    days = pl.read_parquet(out).get_column("predicted_at").dt.date().unique().sort().to_list()
    assert [f"{day:%F}" for day in days] == ["2013-01-03", "2013-01-04"]


def test_a_composition_predicts_rows_as_well(place: Path, rows: Path) -> None:
    """With its members, which nobody named."""
    out = place / "whole.parquet"
    assert run("whole", "--rows", rows, "--out", out) == 0
    first = pl.read_parquet(rows).get_column(sets.FEATURES[0]).fill_null(float("nan")).to_numpy().astype(np.float32)
    wanted = np.where(first < 10, sums(rows), 10 * sums(rows))
    np.testing.assert_allclose(pl.read_parquet(out).get_column("prediction").to_numpy(), wanted, rtol=1e-4)


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        (("nobody", "--rows", "{rows}"), "ModelUnknown", "nobody"),
        (("m@7", "--rows", "{rows}"), "VersionUnknown", "no version or alias 7"),
        (("bare", "--rows", "{rows}"), "BadRows", "no card"),
        (("m", "--rows", "{rows}.nowhere"), "BadRows", "cannot be read"),
        (("m", "--rows", "{rows}", "--from", "2014-01-01"), "BadRows", "none of that time"),
        (("m", "--rows", "{few}"), "BadRows", sets.FEATURES[-1]),
        (("m", "--rows", "{words}"), "BadRows", "is no number"),
        (("m", "--rows", "{rows}", "--out", "{rows}/x"), "BadRows", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told(  # noqa: PLR0913, PLR0917  fixtures and cases
    place: Path, rows: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], kind: str, told: str
) -> None:
    """One line with the cause, and exit code 2; nothing is written."""
    frame = pl.read_parquet(rows)
    frame.drop(sets.FEATURES[-1]).write_parquet(place / "few.parquet")
    frame.with_columns(pl.lit("x").alias(sets.FEATURES[-1])).write_parquet(place / "words.parquet")
    names = {"rows": rows, "few": place / "few.parquet", "words": place / "words.parquet"}
    assert run(*(each.format(**names) for each in words)) == 2
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert line["kind"] == kind
    assert told in line["event"]
    assert not (place / "lake").exists()

"""Versions of files: the real git and the real DVC, with a folder and with an object store as remote."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from integration.lake.conftest import KEY, SECRET, Gateway
from lake.__main__ import main
from lake.build import build
from lake.errors import BadRequest, ToolFailed
from lake.versions import Workspace
from unit.lake.worlds import World, days_of_flights

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")


@pytest.fixture(params=["folder", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a remote."""
    monkeypatch.setenv("TARMAC_S3_ACCESS_KEY", KEY)
    monkeypatch.setenv("TARMAC_S3_SECRET_KEY", SECRET)
    if request.param == "folder":
        return str(tmp_path / "remote")
    gateway: Gateway = request.getfixturevalue("gateway")
    monkeypatch.setenv("TARMAC_S3_ENDPOINT", f"http://127.0.0.1:{gateway.port}")
    return "s3://dvc/sets"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    """Return `lake version` in a workspace; gives what it printed."""

    def act(*words: object) -> str:
        assert main(["version", "--folder", str(tmp_path / "work"), *map(str, words)]) == 0
        return capsys.readouterr().out

    return act


def test_a_set_is_kept_brought_back_and_compared(remote: str, run: Callable[..., str], tmp_path: Path) -> None:
    """Given two versions of a file, then either comes back from the remote byte for byte, and what differs is told."""
    work = tmp_path / "work"
    run("begin", remote)
    file = work / "sets" / "train.parquet"
    file.parent.mkdir()
    pl.DataFrame({"label": [1, 2, 3]}).write_parquet(file)
    first_bytes = file.read_bytes()
    first = json.loads(run("keep", file, "-m", "three rows"))["commit"]
    pl.DataFrame({"label": [1, 2, 3, 4]}).write_parquet(file)
    second = json.loads(run("keep", file, "-m", "four rows"))["commit"]

    told = json.loads(run("diff", first, second))
    assert [each["path"] for each in told["modified"]] == ["sets/train.parquet"]

    shutil.rmtree(work / ".dvc" / "cache")  # as on another machine: only the remote has the contents
    run("checkout", file, first)
    assert file.read_bytes() == first_bytes
    run("checkout", file, second)
    assert pl.read_parquet(file).height == 4

    file.unlink()
    run("pull")
    assert pl.read_parquet(file).height == 4


def test_lineage_knows_what_dvc_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From DVC's pointer over the manifest and the tables to the log: one chain."""
    world = World(tmp_path)
    world.add(days_of_flights(3))
    build(world.lake)
    monkeypatch.setenv("TARMAC_LAKE", world.root)
    work = tmp_path / "work"
    Workspace(work).begin(str(tmp_path / "remote"))
    out = work / "train.parquet"
    asked = ["training-set", "--from", "2013-01-02", "--to", "2013-01-03", "--service", "delay_v1", "--out", str(out)]
    assert main(asked) == 0
    Workspace(work).keep(out, "the second of January")
    capsys.readouterr()
    assert main(["lineage", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dvc"] in (work / "train.parquet.dvc").read_text()
    assert told["intact"]
    assert {each["name"] for each in told["tables"]} >= {"silver/flights", "bronze/weather.read.v1"}


def test_a_failing_tool_is_told_with_its_own_words(tmp_path: Path) -> None:
    """No such commit: git says so, and so do we."""
    work = Workspace(tmp_path / "work")
    work.begin(str(tmp_path / "remote"))
    with pytest.raises(ToolFailed, match="no-such-commit"):
        work.checkout(tmp_path / "work" / "a.parquet", "no-such-commit")
    with pytest.raises(BadRequest, match="not inside"):
        work.keep(tmp_path / "elsewhere.parquet", "outside")

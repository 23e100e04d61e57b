"""Versions of files: the real DVC over repositories of git, with a folder and with an object store as remote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from integration.lake.conftest import KEY, SECRET, Gateway
from lake import remote as contents
from lake.__main__ import main
from lake.build import build
from lake.errors import BadRequest, StoreAway, ToolFailed
from lake.versions import Workspace
from runtime.store import Store
from unit.lake.worlds import World, days_of_flights


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


def test_no_program_git_and_no_home_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a pod: nothing on PATH, no home, a user without a name; all that DVC keeps lies in the folder."""

    def nameless(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nameless)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    work = Workspace(tmp_path / "work")
    work.begin(str(tmp_path / "remote"))
    file = work.folder / "train.parquet"
    file.write_bytes(b"first")
    work.keep(file, "first")
    file.write_bytes(b"second")
    second = work.keep(file, "second")
    work.checkout(file, "HEAD~1")
    assert file.read_bytes() == b"first"
    work.checkout(file, second[:7])
    assert file.read_bytes() == b"second"
    theirs = work.clone(tmp_path / "colleague").folder / file.name
    assert theirs.with_name("train.parquet.dvc").read_bytes() == file.with_name("train.parquet.dvc").read_bytes()
    assert {each.name for each in tmp_path.iterdir()} == {"work", "remote", "colleague"}


def test_a_clone_has_pointers_and_contents_only_where_they_were_pushed(tmp_path: Path) -> None:
    """A colleague's clone knows every version, and gets the bytes of those that their maker has sent."""
    work = Workspace(tmp_path / "work")
    work.begin(str(tmp_path / "remote"))
    file = work.folder / "sets" / "train.parquet"
    file.parent.mkdir()
    file.write_bytes(b"kept")
    commit = work.keep(file, "kept, not sent", push=False)
    clone = work.clone(tmp_path / "colleague")
    theirs = clone.folder / "sets" / "train.parquet"
    assert theirs.with_name("train.parquet.dvc").exists()
    with pytest.raises(ToolFailed, match=r"train\.parquet"):
        clone.checkout(theirs, commit)
    work.push()
    clone.checkout(theirs, commit)
    assert theirs.read_bytes() == b"kept"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")
def test_the_repository_is_one_of_git(tmp_path: Path) -> None:
    """Whoever has the program git reads the history, and finds nothing left over."""
    work = Workspace(tmp_path / "work")
    work.begin(str(tmp_path / "remote"))
    file = work.folder / "train.parquet"
    for content in (b"first", b"second"):
        file.write_bytes(content)
        work.keep(file, content.decode())

    def git(*words: str) -> list[str]:
        done = subprocess.run(["git", *words], cwd=work.folder, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert git("log", "--format=%an %s") == ["lake second", "lake first", "lake the remote of the data"]
    assert git("status", "--porcelain") == []
    git("fsck", "--strict")


def test_what_lies_in_a_remote_is_counted_and_cleared(remote: str, run: Callable[..., str], tmp_path: Path) -> None:
    """Every byte that was pushed is found there, in a folder as in an object store; afterwards none is."""
    run("begin", remote)
    file = tmp_path / "work" / "train.parquet"
    for content in (b"first", b"the second", b"first"):
        file.write_bytes(content)
        run("keep", file, "-m", "a version")
    place = Store(remote, os.environ.get("TARMAC_S3_ENDPOINT", ""), KEY, SECRET)
    assert sorted(contents.sizes(place).values()) == [len(b"first"), len(b"the second")]
    contents.clear(place)
    assert contents.sizes(place) == {}


def test_a_remote_that_is_away_is_told(tmp_path: Path) -> None:
    """No object store answers: the error names the remote and its address."""
    assert contents.sizes(Store(str(tmp_path / "none"))) == {}
    with pytest.raises(StoreAway, match=r"s3://dvc/sets at http://127\.0\.0\.1:9"):
        contents.sizes(Store("s3://dvc/sets", "http://127.0.0.1:9", KEY, SECRET))


def test_a_failing_tool_is_told_with_its_own_words(tmp_path: Path) -> None:
    """No such commit: git says so, and so do we."""
    work = Workspace(tmp_path / "work")
    work.begin(str(tmp_path / "remote"))
    with pytest.raises(ToolFailed, match="no-such-commit"):
        work.checkout(tmp_path / "work" / "a.parquet", "no-such-commit")
    with pytest.raises(BadRequest, match="not inside"):
        work.keep(tmp_path / "elsewhere.parquet", "outside")
    with pytest.raises(BadRequest, match=r"a\.parquet\.dvc is not in commit HEAD"):
        work.checkout(tmp_path / "work" / "a.parquet", "HEAD")
    with pytest.raises(ToolFailed, match="begin"):
        Workspace(tmp_path).checkout(tmp_path / "a.parquet", "HEAD")

"""`lake data`: training sets kept with the real DVC; what is cut off or fails leaves the older version in place."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.lake.conftest import KEY, ROOT, SECRET, Gateway, until
from lake import manifest
from lake.__main__ import main
from lake.build import build
from lake.history import History
from runtime.store import Store
from unit.lake.worlds import World, days_of_flights

DAYS = ("--from=2013-01-02", "--to=2013-01-03")
Data = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the workspace, which is not there yet."""
    monkeypatch.setenv("TARMAC_WORKSPACE", str(tmp_path / "volume" / "data"))
    return tmp_path / "volume" / "data"


@pytest.fixture
def built(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a lake of three days, built; in a folder, or where the test says `s3`, in an object store."""
    store = None
    if getattr(request, "param", "folder") == "s3":
        gateway: Gateway = request.getfixturevalue("gateway")
        store = Store(gateway.store.root, gateway.store.endpoint, KEY, SECRET)
        for name, value in gateway.store.environment.items():
            monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    world = World(tmp_path, store)
    monkeypatch.setenv("TARMAC_LAKE", world.root)
    world.add(days_of_flights(3))
    build(world.lake)
    return world


@pytest.fixture
def data(folder: Path, built: World, capfd: pytest.CaptureFixture[str]) -> Data:
    """Return the command line: its answer; with `code`, the error that it ends with, and the answer if there is one."""

    def act(*words: str, code: int = 0) -> Any:  # noqa: ANN401  JSON
        assert main(["data", *words]) == code
        told = capfd.readouterr()
        answers = [json.loads(line) for line in told.out.splitlines()]
        if not code:
            (answer,) = answers
            return answer["answer"]
        *_, error = [json.loads(line) for line in told.err.splitlines()]
        return error, *(each["answer"] for each in answers)

    assert built.root
    assert not folder.exists()
    return act


def _more(world: World) -> None:
    """Let the lake go on: later days, and another flight on the second of January."""
    world.add(days_of_flights(2, first=1, per_day=25))
    build(world.lake)


@pytest.mark.parametrize("built", ["folder", "s3"], indirect=True)
def test_two_versions_are_kept_compared_and_brought_back(built: World, folder: Path, data: Data) -> None:
    """Given a set built twice while the lake went on, then either comes back, each with the bytes of its manifest."""
    first = data("build", "january", *DAYS)
    assert first["new"]
    assert first["rows"] == 24
    assert not data("build", "january", *DAYS)["new"]
    _more(built)
    second = data("build", "january", *DAYS)
    assert second["sha256"] != first["sha256"]

    (listed,) = data("list")["sets"]
    assert [each["commit"] for each in listed["versions"]] == [second["commit"], first["commit"]]
    assert [each["rows"] for each in listed["versions"]] == [second["rows"], first["rows"]]

    told = data("diff", "january", first["commit"][:7])
    assert told["modified"]
    assert told["fields"]["rows"] == [first["rows"], second["rows"]]
    before, after = told["fields"]["table silver/flights"]
    assert before < after
    assert data("diff", "january", "HEAD")["fields"] == {}

    shutil.rmtree(folder / ".dvc" / "cache")  # only the remote has the contents
    back = data("checkout", "january", first["commit"][:8])
    assert back["sha256"] == first["sha256"] == manifest.digest(folder / "sets" / "january.parquet")
    assert len(data("list")["sets"][0]["versions"]) == 3
    assert SECRET not in (folder / ".dvc" / "config").read_text()  # and none was asked for but the lake's own


def test_a_set_is_made_again_whatever_the_lake_has_become(built: World, data: Data) -> None:
    """Given later rows, then the manifest's own versions give the same bytes; where a version is gone, that is told."""
    data("build", "january", *DAYS, "--service=delay_v2", "--lead=90")
    _more(built)
    told = data("rebuild", "january")
    assert told["same"]
    assert told["rebuilt"] == told["sha256"]
    built.lake.vacuum("silver/flights", 0, dry=False)
    (error,) = data("rebuild", "january", code=2)
    assert error["kind"] == "TableMissing"
    assert "silver/flights@" in error["event"]


def test_other_bytes_are_told_and_refused(folder: Path, data: Data) -> None:
    """Given a manifest that promises other bytes, then both are in the answer, and the exit code is 2."""
    made = data("build", "january", *DAYS)
    beside = manifest.beside(folder / "sets" / "january.parquet")
    beside.write_text(beside.read_text().replace(made["sha256"], "0" * 64))
    _git(folder, "commit", "--all", "--message", "a lie")
    error, answer = data("rebuild", "january", code=2)
    assert (error["kind"], answer["same"], answer["rebuilt"]) == ("Differs", False, made["sha256"])


def test_the_chain_goes_from_dvc_to_the_log(folder: Path, data: Data) -> None:
    """Commit, DVC's pointer, the registry's hash, the tables, and the newest offset of each partition."""
    made = data("build", "january", *DAYS)
    told = data("lineage", "january")
    tables = {each["name"]: each for each in told["tables"]}
    assert (told["commit"], told["sha256"], told["intact"]) == (made["commit"], made["sha256"], True)
    assert told["dvc"] in (folder / "sets" / "january.parquet.dvc").read_text()
    assert told["registry"] == made["registry"]
    assert tables["bronze/flight.departed.v1"]["log"] == {"0": 3 * 24 - 1}


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        (("build", "a/b", *DAYS), "BadRequest", "a/b"),
        (("build", "january", "--from=2013-01-03", "--to=2013-01-02"), "BadRequest", "ends before it begins"),
        (("build", "january", "--from=2013-01-03"), "BadRequest", "--to"),
        (("build", "january", *DAYS, "--service=delay_v9"), "BadRequest", "delay_v9"),
        (("build", "january", "--from=2019-01-01", "--to=2019-01-02"), "EmptyRange", "no flight"),
        (("build", "january", *DAYS, "--with=arrival_delay"), "Leak", "arrival_delay"),
        (("lineage", "february"), "BadRequest", "february"),
        (("checkout", "january", "0000000"), "BadRequest", "0000000"),
        (("diff", "january", "0000000", "HEAD"), "BadRequest", "0000000"),
        (("diff", "january", "HEAD", "0"), "BadRequest", "'0'"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    folder: Path, data: Data, words: tuple[str, ...], kind: str, told: str
) -> None:
    """Exit code 2, the kind, the object and a remedy; the set that was kept is as it was."""
    made = data("build", "january", *DAYS)
    (error,) = data(*words, code=2)
    assert (error["kind"], bool(error["remedy"])) == (kind, True)
    assert told in error["event"]
    _is_as_it_was(folder, made)


def test_a_leak_that_is_allowed_is_said_of_the_set(data: Data) -> None:
    """Whoever lists the sets sees that it lies."""
    data("build", "cheat", *DAYS, "--with=arrival_delay", "--allow-leak=arrival_delay")
    assert data("list")["sets"][0]["versions"][0]["leaks"] == ["arrival_delay"]


class TestNothingHalfDone:
    """What fails or is killed leaves the older version, and no trace."""

    def test_a_remote_that_refuses(self, built: World, folder: Path, data: Data, tmp_path: Path) -> None:
        """Given contents that cannot be pushed, then no commit names them; when they can, they are kept."""
        made = data("build", "january", *DAYS)
        _more(built)
        remote = Path(built.root) / "dvc"
        remote.rename(tmp_path / "aside")
        remote.write_text("not a folder")
        (error,) = data("build", "january", *DAYS, code=2)
        assert error["kind"] == "ToolFailed"
        _is_as_it_was(folder, made)
        (error,) = data("build", "february", *DAYS, code=2)
        assert [each["name"] for each in data("list")["sets"]] == ["january"]
        _is_as_it_was(folder, made)
        remote.unlink()
        (tmp_path / "aside").rename(remote)
        assert data("build", "january", *DAYS)["sha256"] != made["sha256"]

    @pytest.mark.parametrize("name", ["january", "february"])
    def test_a_pod_that_is_killed(self, built: World, folder: Path, data: Data, name: str) -> None:
        """Given a build killed between file and commit, then the next act finds what was there before it."""
        made = data("build", "january", *DAYS)
        _more(built)
        file = folder / "sets" / f"{name}.parquet"
        before = file.stat().st_mtime_ns if file.exists() else 0
        paths = os.pathsep.join(str(ROOT / each) for each in ("services", "platform"))
        with subprocess.Popen(
            [sys.executable, "-m", "lake", "data", "build", name, *DAYS],
            env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            process_group=0,
        ) as process:  # fmt: skip
            until(lambda: file.exists() and file.stat().st_mtime_ns != before, "the file of the set")
            os.killpg(process.pid, 9)
            assert process.wait(20) == -9
        until(lambda: _nobody_holds(folder), "the end of a child that was on its way to become DVC")
        (folder / ".git" / "index.lock").touch()  # git's own, had it been killed a moment later
        assert [each["name"] for each in data("list")["sets"]] == ["january"]
        _is_as_it_was(folder, made)
        assert data("build", name, *DAYS)["sha256"] != made["sha256"]

    def test_two_at_once(self, folder: Path, data: Data) -> None:
        """A second act is told that one is under way, and may try again: exit code 1."""
        data("build", "january", *DAYS)
        with (folder.parent / "data.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            (error,) = data("list", code=1)
        assert error["kind"] == "Contended"
        assert len(data("list")["sets"]) == 1


def _git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    return subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def _nobody_holds(folder: Path) -> bool:
    """Whether the lock of the workspace is free: a child has it open too, from its fork until DVC runs in it."""
    with (folder.parent / "data.lock").open("w") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _is_as_it_was(folder: Path, made: dict[str, Any]) -> None:
    """The newest commit, the file and its manifest are those of a version; nothing else lies about."""
    file = folder / "sets" / "january.parquet"
    assert History(folder).head() == made["commit"]
    assert manifest.read(file).sha256 == manifest.digest(file) == made["sha256"]
    assert _git(folder, "status", "--porcelain") == ""
    assert {each.name.removesuffix(".dvc").removesuffix(".manifest.json") for each in file.parent.glob("[!.]*")} == {
        file.name
    }
    assert not list(file.parent.glob("*.part"))

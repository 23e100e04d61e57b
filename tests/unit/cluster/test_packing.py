"""Volumes packed and unpacked by the words that a node's shell gets, with a client of containerd that writes down."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.cluster.packing import packing, placing, unpacking

_CTR = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
echo "noise, as a client may print it"
[ "$4 $5" != "pause gone" ]
"""


@pytest.fixture
def ctr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a client on PATH that knows every container but `gone`; return where it writes what it was asked."""
    program = tmp_path / "bin/ctr"
    program.parent.mkdir()
    program.write_text(_CTR)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a node's volumes: a file with holes, two names of one file, a link, and another's volume."""
    folder = tmp_path / "volumes"
    for name in ("pvc-1", "pvc-2", "pvc-3"):
        (folder / name).mkdir(parents=True)
    (folder / "pvc-1").chmod(0o777)
    with (folder / "pvc-1/index").open("wb") as file:
        file.truncate(5_000_000)
        file.write(b"head")
    os.link(folder / "pvc-1/index", folder / "pvc-1/again")
    (folder / "pvc-1/link").symlink_to("pvc-1/index")
    (folder / "pvc-2/rows").write_text("1,2,3")
    (folder / "pvc-3/other").write_text("stays")
    return folder


def _packed(root: Path, *containers: str, folders: tuple[str, ...] = ("pvc-1", "pvc-2")) -> tuple[int, bytes]:
    ended = subprocess.run(packing("ctr", str(root), folders, containers), capture_output=True, check=False)
    return ended.returncode, ended.stdout


def _unpacked(root: Path, folders: dict[str, str], archive: bytes) -> None:
    there = sorted(path.name for path in root.iterdir())
    subprocess.run(unpacking(str(root), folders), input=archive, check=True, capture_output=True)
    assert sorted(path.name for path in root.iterdir()) == sorted([".unpacking", *there])
    subprocess.run(placing(str(root), folders), check=True, capture_output=True)
    assert not (root / ".unpacking").exists()


def test_what_was_packed_comes_back_under_new_names(root: Path, ctr: Path) -> None:
    """Content, modes, holes and hard links; what a symbolic link says is left as it is, and so are other folders."""
    code, archive = _packed(root, "one")
    assert code == 0
    _unpacked(root, {"pvc-1": "kept-1", "pvc-2": "kept-2"}, archive)
    assert (root / "kept-1/index").read_bytes() == (root / "pvc-1/index").read_bytes()
    assert (root / "kept-1").stat().st_mode == (root / "pvc-1").stat().st_mode
    assert (root / "kept-1/index").stat().st_blocks * 512 < 1_000_000
    assert (root / "kept-1/again").samefile(root / "kept-1/index")
    assert str((root / "kept-1/link").readlink()) == "pvc-1/index"
    assert (root / "kept-2/rows").read_text() == "1,2,3"
    assert (root / "pvc-3/other").read_text() == "stays"
    assert ctr.exists()


def test_what_a_folder_held_before_is_gone(root: Path, ctr: Path) -> None:
    """A volume that stands gets what was kept, and nothing else stays in it."""
    _, archive = _packed(root)
    (root / "pvc-2/rows").write_text("4")
    (root / "pvc-2/later").write_text("5")
    _unpacked(root, {"pvc-1": "pvc-1", "pvc-2": "pvc-2"}, archive)
    assert {path.name: path.read_text() for path in (root / "pvc-2").iterdir()} == {"rows": "1,2,3"}
    assert not ctr.exists()


def test_an_archive_that_is_cut_off_changes_nothing(root: Path) -> None:
    """Neither what stands, nor what is to come, nor anything beside them."""
    (root / "pvc-1/more").write_bytes(os.urandom(200_000))
    _, archive = _packed(root)
    there = sorted(path.name for path in root.iterdir())
    words = unpacking(str(root), ["pvc-1", "pvc-2"])
    ended = subprocess.run(words, input=archive[: len(archive) // 2], check=False, capture_output=True)
    assert ended.returncode != 0
    assert sorted(path.name for path in root.iterdir()) == there
    assert (root / "pvc-1/more").stat().st_size == 200_000


def test_what_is_not_placed_is_thrown_away(root: Path, ctr: Path) -> None:
    """A reset that failed meanwhile leaves nothing beside the volumes, and these as they were."""
    _, archive = _packed(root)
    there = sorted(path.name for path in root.iterdir())
    subprocess.run(unpacking(str(root), ["pvc-1", "pvc-2"]), input=archive, check=True, capture_output=True)
    subprocess.run(placing(str(root), {}), check=True, capture_output=True)
    assert sorted(path.name for path in root.iterdir()) == there
    assert not ctr.exists()


def test_containers_stand_still_and_go_on(root: Path, ctr: Path) -> None:
    """Each that could be held is let go afterwards; one that had ended is no failure; the archive holds no noise."""
    code, archive = _packed(root, "one", "gone", "two")
    assert code == 0
    calls = [line.split()[-2:] for line in ctr.read_text().splitlines()]
    assert calls == [["pause", "one"], ["pause", "gone"], ["pause", "two"], ["resume", "one"], ["resume", "two"]]
    assert b"noise" not in archive


def test_they_go_on_where_packing_fails(root: Path, ctr: Path) -> None:
    """A folder that is not there is a failure, and nobody is left standing."""
    code, _ = _packed(root, "one", folders=("pvc-9",))
    assert code != 0
    assert ctr.read_text().splitlines()[-1].endswith("resume one")


def test_they_go_on_where_nobody_reads(root: Path, ctr: Path) -> None:
    """A command that is killed takes its end of the pipe along; the containers are let go all the same."""
    (root / "pvc-2/large").write_bytes(os.urandom(4_000_000))
    with subprocess.Popen(packing("ctr", str(root), ["pvc-2"], ["one"]), stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read(10)
        process.stdout.close()
        process.wait(20)
    assert ctr.read_text().splitlines()[-1].endswith("resume one")

"""Jumps that are refused before anything is touched."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab import jump
from lab.checkpoint import Snapshot, stashes
from lab.checkpoint.store import digest
from lab.errors import BadInput
from lab.jump import engine
from lab.progress import Progress
from lab.settings import Settings
from lab.spec import Course
from lab.stack.manifests import Manifests, workplace
from lab.state.record import Record

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a checkout whose labs are copies of the real ones, on a cluster that does not exist.

    Working copies are made in a lab's own folder: in the real one, a test at the same time would find them.
    """
    made = tmp_path / "checkout"
    shutil.copytree(ROOT / "labs", made / "labs", ignore=shutil.ignore_patterns("work", "work-*"))
    for each in ("platform", "services", "requirements"):
        (made / each).symlink_to(ROOT / each)
    return replace(Settings.load({"HOME": str(tmp_path), "LAB_NAME": "nowhere"}), root=made)


@pytest.fixture
def display() -> Progress:
    """Return a display that nobody looks at."""
    return Progress("en", io.StringIO(), quiet=True)


def test_only_what_stands_can_be_kept(settings: Settings, display: Progress) -> None:
    """Another lab's state would be put back as this one's."""
    Record(settings).converged("02", {})
    with pytest.raises(BadInput, match="lab 01 does not stand"):
        jump.keep(settings, "01", jump.START, display, list)


def test_only_the_start_can_be_kept_as_the_start(settings: Settings, display: Progress) -> None:
    """A trainee's working copy is neither start nor solution."""
    Record(settings).converged("01", {})
    assert not workplace(settings, Course(settings.root).folder("01")).exists()
    with pytest.raises(BadInput, match="is not its solved") as error:
        jump.keep(settings, "01", jump.SOLVED, display, list)
    assert "lab goto 01 --state solved" in error.value.remedy.en


def test_a_solution_that_is_not_done_is_not_kept(settings: Settings, display: Progress) -> None:
    """Put back, it would be taken for the solution; the message names what is missing."""
    Record(settings).converged("01", {})
    course = Course(settings.root)
    work = Manifests(settings, course.folder("01"), course.lab("01"))
    work.replace("solved")
    with pytest.raises(BadInput, match="not solved yet: bulkhead") as error:
        jump.keep(settings, "01", jump.SOLVED, display, lambda: ["bulkhead"])
    assert "lab solve 01" in error.value.remedy.en


def test_a_stash_of_another_version_is_not_put_back(settings: Settings, display: Progress) -> None:
    """Its data would not fit the programs; the message says what to do with it."""
    store = stashes(settings)
    archive = store.partial()
    archive.write_bytes(b"x")
    told = Snapshot(lab="01", state="own", key="other", made=1.0, digest=digest(archive), bytes=1, volumes=[])
    kept = store.keep(told, 3)
    with pytest.raises(BadInput, match="another version"):
        jump.restore(settings, kept.name, display)
    assert kept.archive.exists()


def test_a_solution_is_its_seeds_where_one_decides(settings: Settings) -> None:
    """Lab 04's holds the answers of one seed; a start holds for all."""
    other = replace(settings, seed="7")
    one = replace(settings, seed="3")
    assert engine._key(one, "04", jump.SOLVED) != engine._key(other, "04", jump.SOLVED)
    assert engine._key(one, "04", jump.START) == engine._key(other, "04", jump.START)

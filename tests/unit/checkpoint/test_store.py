"""Kept states: found by what they depend on, never half there, and known by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.checkpoint import Kept, Snapshot, Store, whole
from lab.checkpoint.store import digest
from lab.errors import BadInput


def _kept(store: Store, content: bytes, *, state: str = "start", made: float = 1.0, most: int = 1) -> Kept:
    archive = store.partial()
    archive.write_bytes(content)
    told = Snapshot(
        lab="04", state=state, key="k", made=made, digest=digest(archive), bytes=len(content), volumes=[],
        work={"a.yaml": "x: 1\n"},
    )  # fmt: skip
    return store.keep(told, most)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty one."""
    return Store(tmp_path / "kept")


def test_it_is_found_by_lab_state_and_key(store: Store) -> None:
    """And by nothing less: another checkout's, or another state, is none."""
    kept = _kept(store, b"content")
    assert store.find("04", "start", "k") == kept
    assert store.find("04", "start", "other") is None
    assert store.find("04", "solved", "k") is None
    assert store.find("01", "start", "k") is None
    assert kept.archive.read_bytes() == b"content"
    assert kept.snapshot.work == {"a.yaml": "x: 1\n"}


def test_the_newest_takes_the_place_of_the_one_before(store: Store) -> None:
    """Of a lab's state one is kept, of a trainee's own several; names tell them apart."""
    _kept(store, b"one")
    two = _kept(store, b"two", made=2.0)
    assert store.all() == [two]
    own = [_kept(store, b"own", state="own", made=moment * 100.0, most=3) for moment in range(1, 6)]
    assert [each.name for each in store.all() if each.snapshot.state == "own"] == [each.name for each in own[2:]]
    assert len({each.name for each in own}) == 5


def test_what_was_not_finished_is_not_there(store: Store, tmp_path: Path) -> None:
    """An archive without what is told of it, or with half of it, counts as none."""
    kept = _kept(store, b"content")
    told = kept.archive.with_suffix(".json")
    told.write_text(told.read_text()[:40])
    assert store.all() == []
    told.unlink()
    assert store.all() == []
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [kept.archive.name]


def test_a_damaged_archive_is_told_before_anything_is_changed(store: Store) -> None:
    """The message names the file and what to do."""
    kept = _kept(store, b"content")
    whole(kept)
    kept.archive.write_bytes(b"contenT")
    with pytest.raises(BadInput, match="SHA-256") as error:
        whole(kept)
    assert str(kept.archive) in error.value.remedy.en
    assert str(kept.archive) in error.value.remedy.fr


def test_a_name_that_nothing_is_kept_under(store: Store) -> None:
    """The message names those that there are."""
    kept = _kept(store, b"content")
    with pytest.raises(BadInput, match="nothing is kept as other") as error:
        store.named("other")
    assert kept.name in error.value.remedy.en

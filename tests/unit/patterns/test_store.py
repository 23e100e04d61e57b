"""A site's store: what was kept stays kept, in order, and no more than its bound."""

import os
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns.store import DiskStore, Held, MemoryStore


def reading(sequence: int) -> Held:
    """A reading as a site makes one."""
    return Held(sequence, b'{"n": %d}' % sequence)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 5)),
        st.tuples(st.just("forward"), st.integers(1, 400)),
        st.tuples(st.just("crash"), st.integers(0, 60)),
    ),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_a_crash_at_any_point_loses_nothing_kept_and_repeats_no_order(steps: list[tuple[str, int]]) -> None:
    """Whatever is put, forwarded and cut short in the middle of a write: all that was put comes out, in order."""
    with tempfile.TemporaryDirectory() as name:
        store = DiskStore(Path(name), 10_000)
        kept, arrived = 0, 0
        for step, count in steps:
            if step == "put":
                store.put([reading(kept + 1 + i) for i in range(count)])
                kept += count
            elif step == "forward":
                batch = store.first(count)
                assert [it.sequence for it in batch] == list(range(arrived + 1, min(arrived + count, kept) + 1))
                if batch:
                    arrived = batch[-1].sequence
                    store.forget(arrived)
            else:
                crash_while_writing(store, Path(name), reading(kept + 1), count)
                store = DiskStore(Path(name), 10_000)
        assert store.first(100_000) == [reading(sequence) for sequence in range(arrived + 1, kept + 1)]
        assert store.latest() == (reading(kept) if kept else None)
        store.close()


def crash_while_writing(store: DiskStore, folder: Path, half: Held, count: int) -> None:
    """End with `count` bytes of a line on the disk that was never acknowledged (never the whole line)."""
    scratch = DiskStore(folder / "scratch", 10)
    scratch.put([half])
    scratch.close()
    line = (folder / "scratch" / "readings.log").read_bytes().splitlines(keepends=True)[-1]
    (folder / "scratch" / "readings.log").unlink()
    store.close()
    with (folder / "readings.log").open("ab") as file:
        file.write(line[: min(count, len(line) - 1)])


def test_a_crash_during_compaction_leaves_the_old_file(tmp_path: Path) -> None:
    """A half-written new file is no harm: the old one counts until the new one has taken its place."""
    store = DiskStore(tmp_path, 100)
    store.put([reading(1), reading(2)])
    (tmp_path / "readings.new").write_bytes(b"half")
    store.close()
    with closing(DiskStore(tmp_path, 100)) as again:
        assert again.first(9) == [reading(1), reading(2)]


def test_the_file_stays_small_and_the_newest_reading_is_known_after_all_arrived(tmp_path: Path) -> None:
    """Ten thousand readings that all arrived leave a file of a few kilobytes, and the site can still answer."""
    store = DiskStore(tmp_path, 100)
    for begin in range(1, 10_000, 10):
        store.put([reading(begin + i) for i in range(10)])
        store.forget(begin + 9)
    assert (tmp_path / "readings.log").stat().st_size < 32_000
    store.close()
    with closing(DiskStore(tmp_path, 100)) as again:
        assert len(again) == 0
        assert again.latest() == reading(10_000)


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A put that fails is told, and what is put later is not hidden behind its remains."""
    store = DiskStore(tmp_path, 100)
    store.put([reading(1)])

    def full(_handle: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            store.put([reading(2)])
    store.put([reading(2), reading(3)])
    store.close()
    with closing(DiskStore(tmp_path, 100)) as again:
        assert again.first(9) == [reading(1), reading(2), reading(3)]


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_full_store_gives_up_the_oldest_and_counts_them(kind: str, tmp_path: Path) -> None:
    """The bound holds; the newest readings are the ones that stay."""
    store = MemoryStore(10) if kind == "memory" else DiskStore(tmp_path, 10)
    store.put([reading(sequence) for sequence in range(1, 26)])
    assert [it.sequence for it in store.first(99)] == list(range(16, 26))
    assert store.dropped == 15
    store.close()


def test_a_number_that_is_known_is_not_kept_twice(tmp_path: Path) -> None:
    """A sensor that did not hear the acknowledgement hands its reading over again; the store knows it."""
    store = DiskStore(tmp_path, 10)
    store.put([reading(1), reading(2)])
    store.put([reading(2), reading(3)])
    assert [it.sequence for it in store.first(9)] == [1, 2, 3]
    assert [it.sequence for it in store.first(9, after=1)] == [2, 3]
    store.close()

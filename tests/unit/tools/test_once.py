"""What is made once into the cache: one maker at a time, whole or not at all."""

import threading
from pathlib import Path

import pytest

from lab.tools import once


def test_many_who_ask_at_once_get_one(tmp_path: Path) -> None:
    """Eight threads want the same file: one makes it, all get it."""
    made, barrier = list[int](), threading.Barrier(8)

    def make(scratch: Path) -> Path:
        made.append(1)
        path = scratch / "x"
        path.write_text("whole")
        return path

    def ask() -> None:
        barrier.wait()
        assert once.made(tmp_path / "cache" / "thing", make).read_text() == "whole"

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert made == [1]


def test_a_maker_that_fails_leaves_nothing_and_may_try_again(tmp_path: Path) -> None:
    """Half a thing is never taken for the thing."""
    target = tmp_path / "cache" / "thing"

    def fail(scratch: Path) -> Path:
        (scratch / "half").write_text("half")
        message = "disk full"
        raise OSError(message)

    with pytest.raises(OSError, match="disk full"):
        once.made(target, fail)
    assert [path.name for path in target.parent.iterdir() if not path.name.startswith(".")] == []

    def make(scratch: Path) -> Path:
        (scratch / "folder").mkdir()
        return scratch / "folder"

    assert once.made(target, make).is_dir()

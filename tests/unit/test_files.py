"""Small files: whole or not at all, and private where they have to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import files


def test_what_was_there_is_replaced_and_nothing_else_left(tmp_path: Path) -> None:
    """The folder is made; text and bytes are taken as they are."""
    file = tmp_path / "deep/er/record.json"
    files.write(file, "é")
    files.write(file, b"{}")
    assert file.read_bytes() == b"{}"
    assert list(file.parent.iterdir()) == [file]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the end of writing: the old file stays, and no half of a new one."""
    file = tmp_path / "record.json"
    files.write(file, "old")

    def full(_: Path, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        files.write(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_private_file_is_its_owners(tmp_path: Path) -> None:
    """Whatever was readable before; others are as the user's mask says."""
    file = tmp_path / "kubeconfig"
    file.touch(0o644)
    files.write(file, "x", private=True)
    assert file.stat().st_mode & 0o777 == 0o600
    mask = os.umask(0o027)
    try:
        files.write(tmp_path / "page", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"a": ', b"\xff"])
def test_what_cannot_be_read_counts_as_empty(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, cut off, no UTF-8, no object."""
    file = tmp_path / "record.json"
    if content is not None:
        file.write_bytes(content)
    assert files.remembered(file) == {}

"""What is made once into the cache: whoever asks meanwhile, in this command or another, waits for it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def made(target: Path, make: Callable[[Path], Path]) -> Path:
    """Return a file or folder of the cache, made where it is not there yet.

    Args:
        target: where it lies; appears only when complete.
        make: called with an empty folder beside the target; returns what is to become the target, inside that folder.

    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                make(Path(scratch)).rename(target)
    return target

"""Small files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

_OWNER, _ANYBODY = 0o600, 0o666


def write(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file in place of what was there; a reader never sees half of it.

    Args:
        path: of the file; its folder is made.
        content: text is written as UTF-8.
        private: at no moment anybody but its owner can read it.

    Raises:
        OSError: it cannot be written; what was there is still there.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(partial, flags, _OWNER if private else _ANYBODY), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remembered(path: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds; missing or unreadable, it counts as empty."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

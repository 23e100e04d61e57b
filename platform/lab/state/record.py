"""What the tool remembers of a cluster between commands: which lab stands, how long phases took, who holds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lab import files
from lab.errors import Busy
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

_KEEP = 5
"""Earlier durations per phase that the usual time is the median of."""


class Record:
    """The record file of one cluster; missing or unreadable, it counts as empty."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.folder / "record.json"

    def lab(self) -> str | None:
        """Return the lab that was last brought up, None where none stands."""
        lab = self._read().get("lab")
        return str(lab) if lab else None

    def usual(self) -> dict[str, float]:
        """Return each phase's usual seconds on this machine: the median of its last runs that did something."""
        runs: dict[str, list[float]] = self._read().get("seconds", {})
        return {name: sorted(seconds)[len(seconds) // 2] for name, seconds in runs.items() if seconds}

    def converged(self, lab: str, seconds: dict[str, float]) -> None:
        """Remember that a lab stands and how long its phases took."""
        content = self._read()
        runs = content.setdefault("seconds", {})
        for name, took in seconds.items():
            runs[name] = [*runs.get(name, []), round(took, 2)][-_KEEP:]
        self._write(content | {"lab": lab, "converged": time.time()})

    def cleared(self) -> None:
        """Remember that no lab stands."""
        content = self._read()
        content.pop("lab", None)
        self._write(content)

    def _read(self) -> dict[str, Any]:
        return files.remembered(self._path)

    def _write(self, content: dict[str, Any]) -> None:
        files.write(self._path, json.dumps(content))


@contextmanager
def lock(settings: Settings, command: str, say: Say, wait: float = 600) -> Iterator[None]:
    """Hold the cluster for one command; a second one says who holds it and waits.

    The operating system lets go when the holder dies, however it dies.

    Raises:
        Busy: the holder is still at it after `wait` seconds.

    """
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / f"{settings.name}.lock"
    holder = path.with_suffix(".holder")
    guard = FileLock(path)
    try:
        try:
            guard.acquire(timeout=0)
        except Timeout:
            who = _holder(holder)
            say(Text(en=f"waiting: {who} holds the cluster", fr=f"attente : {who} tient le cluster"))
            guard.acquire(timeout=wait, poll_interval=0.2)
    except Timeout as error:
        who = _holder(holder)
        raise Busy(
            Text(en=f"{who} still holds cluster {settings.name}", fr=f"{who} tient encore le cluster {settings.name}"),
            Text(
                en="wait for it to end, or end it, then run again", fr="attendez sa fin, ou terminez-le, puis relancez"
            ),
        ) from error
    try:
        holder.write_text(f"`lab {command}` (process {os.getpid()})")
        yield
    finally:
        holder.unlink(missing_ok=True)
        guard.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return "another command"

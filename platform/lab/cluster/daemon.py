"""Programs that outlive the command that starts them: found again later, and never mistaken for another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_GRACE_SECONDS = 30
_started: list[subprocess.Popen[bytes]] = []
"""Kept, so that Python does not take a program that is to live on for a forgotten child."""


@dataclass(frozen=True)
class Daemon:
    """One detached program, with its files `<name>.pid` and `<name>.log`.

    A process number alone says nothing after a reboot; the file also holds when that process was born.

    Attributes:
        name: what it is called.
        folder: where its files are.

    """

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Return the file that receives both outputs, readable by its owner only."""
        return self.folder / f"{self.name}.log"

    def start(self, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Start the program in a session of its own.

        Raises:
            OSError: it cannot start.

        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            process = subprocess.Popen(  # noqa: S603  argv is a list of ours
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        _started.append(process)
        self._file.write_text(json.dumps({"pid": process.pid, "born": born(process.pid)}))

    def pid(self) -> int | None:
        """Return its process number, None where it does not run."""
        try:
            record = json.loads(self._file.read_text())
            number, birth = int(record["pid"]), str(record["born"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return number if born(number) == birth else None

    def end(self) -> None:
        """Ask it to end, then make it, and forget it; its log stays."""
        number = self.pid()
        if number is not None:
            self._signal(number, signal.SIGTERM)
            if not until(lambda: self.pid() is None, _GRACE_SECONDS):
                self._signal(number, signal.SIGKILL)
                until(lambda: self.pid() is None, _GRACE_SECONDS)
        _started[:] = [each for each in _started if each.poll() is None]
        self._file.unlink(missing_ok=True)

    def tail(self, lines: int = 8) -> str:
        """Return the last lines that it printed."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @staticmethod
    def _signal(number: int, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(number, which)


def born(pid: int) -> str | None:
    """Return when a process was born, as boot and tick; None where it does not run (or is only a zombie)."""
    try:
        # The program's name stands in parentheses and may hold spaces; state and start time follow it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else f"{boot}/{fields[19]}"


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; say whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

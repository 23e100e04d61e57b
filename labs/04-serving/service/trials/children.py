"""Processes of a trial's own: a server or a worker that may be ended and started again without harm to anybody."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.models import MODEL
from runtime.peer import Peer, PeerFailure
from trials.stage import NotThere, Stage

_SECONDS = 60.0
_KIB = 1024
_FAMILY = "TARMAC_"


class Child:
    """A process that answers probes; it is ended where it is left.

    Args:
        stage: ends the wait for it.
        words: after `python -m`.
        settings: its variables; of this process' own only those that are not settings.
    """

    def __init__(self, stage: Stage, words: Sequence[str], settings: Mapping[str, str]) -> None:
        self._stage = stage
        self._words = [sys.executable, "-m", *words]
        self.port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FAMILY)}
        self._env = {**own, "TARMAC_TRACES": "", "TARMAC_LOG_LEVEL": "error", "TARMAC_PORT": str(self.port), **settings}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self) -> float:
        """Start it and wait until it is ready; the seconds that took.

        Raises:
            NotThere: it is not, in time or at all.
        """
        begun = time.monotonic()
        self._process = subprocess.Popen(self._words, env=self._env)  # noqa: S603  our own
        self._stage.until(self._ready, f"a process of {' '.join(self._words[2:])}", _SECONDS)
        return time.monotonic() - begun

    def kill(self) -> None:
        """Let it end at once, as a machine does that loses its power."""
        self._ended(signal.SIGKILL)

    def end(self) -> None:
        """Let it end in its own way."""
        self._ended(signal.SIGTERM)

    def resident(self) -> int:
        """Bytes of memory that it holds; 0 where it does not run."""
        return resident(self._process.pid) if self._process else 0

    def _ready(self) -> bool | None:
        if self._process is None or self._process.poll() is not None:
            raise NotThere(f"process {' '.join(self._words[2:])} has ended", "the conductor's log has what it said")
        try:
            return True if Peer(self.address).text("/readyz", 2) else None
        except PeerFailure:
            return None

    def _ended(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
            return
        process.kill()
        process.wait()


def resident(process: int) -> int:
    """Bytes of memory that a process holds, as the kernel counts them."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * _KIB
    return 0


def free_port() -> int:
    """A TCP port of this pod that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def put(root: Path, name: str, content: bytes) -> None:
    """Write version 1 of a model into a folder that a server can read."""
    folder = root / name / "1"
    folder.mkdir(parents=True)
    (folder / MODEL).write_bytes(content)


def server(stage: Stage, models: Path) -> Child:
    """A server of the models in a folder."""
    return Child(stage, ["serving", "serve"], {"TARMAC_MODELS": str(models), "TARMAC_GRPC_PORT": "0"})

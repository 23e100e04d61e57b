"""Processes of a trial's own: a server or a worker that may be ended and started again without harm to anybody."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.models import MODEL
from runtime.peer import Peer, PeerFailure
from trials.stage import NotThere, Stage

_SECONDS = 60.0
_KIB = 1024
_FAMILY = "TARMAC_"
_EDGE = "edge"
"""The program of the edge image; this image has it, too."""


class Child:
    """A process that answers probes; it is ended where it is left.

    Args:
        stage: ends the wait for it.
        words: its command.
        settings: its variables; of this process' own only those that are not settings.
        probe: path that answers once it is ready.
    """

    def __init__(self, stage: Stage, words: Sequence[str], settings: Mapping[str, str], probe: str = "/readyz") -> None:
        self._stage = stage
        self._words = words
        self._probe = probe
        self.port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FAMILY)}
        self._env = {**own, "TARMAC_PORT": str(self.port), **settings}
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

    @property
    def title(self) -> str:
        """What it is, for messages."""
        return f"process {' '.join(self._words[-2:])}"

    def launch(self) -> None:
        """Start it, and do not wait."""
        self._process = subprocess.Popen(self._words, env=self._env)  # noqa: S603  our own

    def start(self) -> float:
        """Start it and wait until it is ready; the seconds that took.

        Raises:
            NotThere: it is not, in time or at all.
        """
        begun = time.monotonic()
        self.launch()
        self._stage.until(self._ready, self.title, _SECONDS)
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

    def mapped(self) -> int:
        """Bytes of the files that it runs from; 0 where it does not run."""
        return mapped(self._process.pid) if self._process else 0

    def check(self) -> None:
        """See that it runs.

        Raises:
            NotThere: it does not.
        """
        if self._process is None or self._process.poll() is not None:
            raise NotThere(f"{self.title} has ended", "the conductor's log has what it said")

    def _ready(self) -> bool | None:
        self.check()
        try:
            return True if Peer(self.address).text(self._probe, 2) else None
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


def mapped(process: int) -> int:
    """Bytes of the files that a process has mapped: its program, and every library that it runs on."""
    lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    files = {Path(path) for line in lines if (path := "".join(line.split(maxsplit=5)[5:])).startswith("/")}
    return sum(each.stat().st_size for each in files if each.is_file())


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
    return service(stage, ["serving", "serve"], {"TARMAC_MODELS": str(models), "TARMAC_GRPC_PORT": "0"})


def service(stage: Stage, words: Sequence[str], settings: Mapping[str, str]) -> Child:
    """One of our services, by what follows `python -m`; it writes of errors only."""
    quiet = {"TARMAC_TRACES": "", "TARMAC_LOG_LEVEL": "error"}
    return Child(stage, [sys.executable, "-m", *words], {**quiet, **settings})


def edge(stage: Stage, models: Path) -> Child:
    """The program of the edge image, on the one model in a folder and the library that the server runs on, too.

    Raises:
        NotThere: this image lacks one of the two.
    """
    program, library = shutil.which(_EDGE), _library()
    if program is None or library is None:
        raise NotThere(
            f"program {_EDGE} or the library of onnxruntime is not in this image", "take the lab's own image"
        )
    return Child(stage, [program], {"TARMAC_MODELS": str(models), "TARMAC_LIBRARY": str(library)}, "/v2/health/ready")


def _library() -> Path | None:
    files = metadata.files("onnxruntime") or ()
    return next((Path(str(each.locate())) for each in files if each.name.startswith("libonnxruntime.so")), None)

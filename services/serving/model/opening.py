"""Examines a version and makes a session of it: in this process, or as a program whose process is then gone.

    python -m serving.model.opening   a line of JSON for each on its input: what was found, or the error

`serving.model.isolation` is the other side of it.
"""

import contextlib
import os
import resource
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contracts.models import MODEL
from runtime.errors import ServiceError
from serving.errors import NotServable
from serving.model.examination import examined
from serving.model.forks import serve
from serving.model.isolation import Found, Task
from serving.model.session import Options, Session
from serving.model.version import check
from serving.source.artifact import Artifact
from serving.source.folder import Source

NICE = 10
_NO_MEMORY = "bad_alloc"
"""How onnxruntime says that memory was not enough."""


@dataclass(frozen=True)
class Opener:
    """Makes a version of a model ready, in this process.

    Attributes:
        source: where models come from.
        options: how sessions use the machine.
        largest: bytes that one may have.
    """

    source: Source
    options: Options
    largest: int

    def open(self, name: str, version: str) -> tuple[Artifact, Session]:
        """The version, ready to be run.

        Raises:
            SourceUnavailable: its files cannot be had.
            Artifact: it cannot be served.
        """
        return opened(name, version, self.source.folder(name, version), self.options, self.largest)


def opened(name: str, version: str, folder: Path, options: Options, largest: int) -> tuple[Artifact, Session]:
    """The version in a folder, ready to be run.

    Raises:
        ServiceError: as `Opener.open`.
    """
    artifact = examined(name, version, folder, largest)
    session = Session(artifact, options)
    if artifact.card:
        check(artifact.card, artifact, session)
    return artifact, session


def done(told: bytes) -> bytes:
    """Do a task, in a process of its own; both as JSON."""
    return msgspec.json.encode(_found(msgspec.json.decode(told, type=Task)))


def _found(task: Task) -> Found:
    options = Options(task.threads, written=Path(task.written) / MODEL)
    if task.memory:
        # Where a container's memory runs out, the kernel ends all that is in it, the server as well.
        resource.setrlimit(resource.RLIMIT_DATA, (task.memory, task.memory))
    before = _peak()
    try:
        artifact, _ = opened(task.name, task.version, Path(task.folder), options, task.largest)
    except MemoryError:
        return _too_little(task)
    except ServiceError as failure:
        if _NO_MEMORY in failure.what:
            return _too_little(task)
        return Found(kind=type(failure).__name__, what=failure.what, remedy=failure.remedy)
    return Found(artifact.sha256, artifact.size, _peak() - before)


def _too_little(task: Task) -> Found:
    told = f"model {task.name} version {task.version}: {task.memory} bytes are not enough to make it ready"
    return Found(kind=NotServable.__name__, what=told, remedy="give the server more memory, or a smaller graph")


def _peak() -> int:
    """The most bytes that this process had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stand_back() -> None:
    """Let the server go first, both for the core and, where memory runs out, with its life."""
    os.nice(NICE)
    with contextlib.suppress(OSError):  # a system without it
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


if __name__ == "__main__":
    stand_back()
    serve(done)

"""Has a version examined and its graph optimised in a process of its own, and only then takes it into this one.

Two reasons. onnxruntime holds the interpreter's lock while it makes a session, and the examination needs it as well: in
a thread of this process both would hold up every request. And what the examination meets may be made to break it: a
file on which a parser crashes or takes all memory ends that process, not this one.

That process stays for a few seconds, and forks itself for the next version (`serving.model.forks`).

What is left to do here is to read the graph that the other process wrote, which needs no optimising any more, and to
map its weights: for a model of 50 MB a quarter of the time that copying them takes, in which nobody is answered.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from contracts import models
from contracts.models import CARD, MODEL, BadCard, Card
from runtime.errors import ServiceError
from serving.errors import CardWrong, NotOnnx, NotServable, OutsideFolder, SourceUnavailable, TooBig
from serving.model.forks import Broken, Forks
from serving.model.memory import container_room
from serving.model.session import Options, Session
from serving.source.artifact import Artifact
from serving.source.folder import Source

# The program is named and not imported: it brings ONNX' own library, which this process need not hold in memory.
PROGRAM = "serving.model.opening"
_ERRORS: Mapping[str, type[ServiceError]] = {
    each.__name__: each for each in (CardWrong, NotOnnx, NotServable, OutsideFolder, SourceUnavailable, TooBig)
}


class Task(msgspec.Struct):
    """What the program is told.

    Attributes:
        name: of the model.
        version: of the model.
        folder: of its files.
        largest: bytes that they may have.
        threads: that work on one operator.
        written: folder for the optimised model.
        memory: bytes that it may take for it; 0: whatever there is.
    """

    name: str
    version: str
    folder: str
    largest: int
    threads: int
    written: str
    memory: int = 0


class Found(msgspec.Struct, omit_defaults=True):
    """What the program tells: hash and size of the files, or the error by the name of its class.

    Attributes:
        memory: bytes that the session took at most while it was made.
    """

    sha256: str = ""
    size: int = 0
    memory: int = 0
    kind: str = ""
    what: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Isolated:
    """Makes a version of a model ready, most of it in another process.

    Attributes:
        source: where models come from.
        options: how sessions use the machine.
        largest: bytes that one may have.
        seconds: that the other process may take.
        room: bytes that there are for it; None: nobody bounds them.
        forks: the other process.
    """

    source: Source
    options: Options
    largest: int
    seconds: float
    room: Callable[[], int | None] = container_room
    forks: Forks = field(default_factory=lambda: Forks(PROGRAM))

    def open(self, name: str, version: str) -> tuple[Artifact, Session]:
        """The version, ready to be run.

        Raises:
            SourceUnavailable: its files cannot be had.
            Artifact: it cannot be served.
        """
        folder = self.source.folder(name, version)
        with tempfile.TemporaryDirectory(prefix="serving-") as scratch:
            room = self._room()
            task = Task(name, version, str(folder), self.largest, self.options.threads, scratch, room or 0)
            found = self._done(task)
            # The session that this process makes now is of the same size, and nobody could take it back.
            if room is not None and found.memory > room:
                told = f"model {name} version {version}: its session takes {found.memory} bytes, {room} are left"
                raise TooBig(told, "give the server more memory, or export a smaller graph")
            card = _card(task)
            if card and card.sha256 != found.sha256:
                raise CardWrong(f"model {name} version {version}: its card changed meanwhile", "write a version once")
            artifact = Artifact(name, version, folder, _optimised(task), found.sha256, found.size, card)
            return artifact, Session(artifact, Options(self.options.threads, optimise=False))

    def _done(self, task: Task) -> Found:
        """What the other process found.

        Raises:
            ServiceError: what it found is an error, or it did not come to an end.
        """
        title = f"model {task.name} version {task.version}"
        try:
            found = msgspec.json.decode(self.forks.done(msgspec.json.encode(task), self.seconds), type=Found)
        except TimeoutError:
            raise NotServable(f"{title}: it was not ready after {self.seconds:g} s", "make it smaller") from None
        except Broken as broken:
            told = f"{title}: the process that examined it {broken}"
            bound = f" (it may take {task.memory} bytes)" if task.memory else ""
            remedy = f"export the model to ONNX anew, and see whether memory was enough{bound}"
            raise NotServable(told, remedy) from None
        if found.kind:
            raise _ERRORS.get(found.kind, NotServable)(found.what, found.remedy)
        return found

    def _room(self) -> int | None:
        """Bytes that there are for a session and what makes it."""
        room = self.room()
        return None if room is None else room + self.forks.memory

    def close(self) -> None:
        """Let the other process end."""
        self.forks.close()


def _optimised(task: Task) -> Path:
    """The graph that the other process wrote, its weights beside it.

    Raises:
        TooBig: a few bytes of a model were made to be more than a model may have.
    """
    size = sum(each.stat().st_size for each in Path(task.written).iterdir())
    if size > task.largest:
        told = f"model {task.name} version {task.version}: it has {size} bytes once it is optimised"
        raise TooBig(f"{told}; {task.largest} are the limit", "set TARMAC_MODEL_BYTES, or make it smaller")
    return Path(task.written) / MODEL


def _card(task: Task) -> Card | None:
    folder = Path(task.folder)
    try:
        return models.read(folder) if (folder / CARD).exists() else None
    except BadCard as failure:
        raise CardWrong(f"model {task.name} version {task.version}: {failure.what}", failure.remedy) from None

"""Other programs: the one place that starts them, so that a failure is told the same way everywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from lab.errors import LabError
from lab.text import Text

_TAIL_LINES = 20
_GRACE_SECONDS = 10
"""How long a program that is asked to end may take before it is killed."""
_DRAIN_SECONDS = 2
"""How long its outputs are read after its end: a daemon that it left behind may hold them open for ever."""
_running: set[subprocess.Popen[str]] = set()
_interrupted = threading.Event()
_starting = False
"""Whether the main thread is starting a program that `_running` does not know yet."""
_late = False
"""Whether it was interrupted meanwhile."""


class CommandFailed(LabError):
    """A program ended with a non-zero code, could not start, or took too long.

    Attributes:
        code: its exit code; 127 when it could not start, 124 when it took too long.
        output: the last lines that it printed.

    """

    def __init__(self, what: Text, reason: Text, output: str, code: int) -> None:
        """Name the step, the reason and the program's last words."""
        self.code = code
        self.output = output
        super().__init__(
            Text(
                en=f"{what.en}: {reason.en}\n{output}".rstrip(),
                fr=f"{what.fr} : {reason.fr}\n{output}".rstrip(),
            ),
            Text(
                en="read the program's last lines above; run `lab doctor` if the machine may be the cause",
                fr="lisez les dernières lignes du programme ci-dessus ; lancez `lab doctor` si la machine est en cause",
            ),
        )


def run(  # noqa: PLR0913  one door for every program: each option is one that some caller needs
    argv: Sequence[str | Path],
    *,
    what: Text,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002  the standard library's own name
    timeout: float | None = None,
    stream: Callable[[str], None] | None = None,
    accept: Collection[int] = (0,),
) -> str:
    """Run a program to its end and return its standard output.

    Args:
        argv: the program and its arguments; never a shell line.
        what: the step in the user's words, for the error.
        env: variables added to the tool's own environment.
        cwd: where it runs.
        input: text for its standard input; without it, standard input is empty.
        timeout: seconds after which it is ended.
        stream: receives every line of both outputs as it comes.
        accept: exit codes that are no failure.

    Each program leads a process group of its own, so that a time-out or Ctrl-C ends its children with it.

    Raises:
        CommandFailed: the program ended with a code that is not accepted.

    """
    words = [str(word) for word in argv]
    go_on(what)
    _hold()
    try:
        process = subprocess.Popen(  # noqa: S603  argv is a list of ours
            words,
            stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            text=True,
            errors="replace",
            process_group=0,
        )
    except OSError as error:
        _let_through()
        reason = Text(en=f"{words[0]} cannot start", fr=f"{words[0]} ne démarre pas")
        raise CommandFailed(what, reason, str(error), 127) from error
    _running.add(process)
    if _interrupted.is_set() and threading.current_thread() is not threading.main_thread():
        # The interruption came between the question above and the line before: nobody else has seen this program.
        _signal(process, signal.SIGTERM)
    try:
        _let_through()
        return _finish(process, what, input, timeout, stream, accept)
    except KeyboardInterrupt:
        _end(process)
        raise
    finally:
        _running.discard(process)


def interrupt() -> None:
    """End every program that runs, whichever thread waits for it; other threads start none any more.

    The main thread still may: what it began, it cleans up. Asked a second time, it kills. Called by the main thread.

    Raises:
        KeyboardInterrupt: at once, or as soon as a program that the main thread is just starting can be ended.

    """
    global _late  # noqa: PLW0603  a handler of signals has no other way to tell
    end_all()
    if _starting:
        _late = True
        return
    raise KeyboardInterrupt


def end_all() -> None:
    """End every program that runs; other threads start none any more."""
    number = signal.SIGKILL if _interrupted.is_set() else signal.SIGTERM
    _interrupted.set()
    for process in tuple(_running):
        _signal(process, number)


def _hold() -> None:
    """Put an interruption of the main thread off: a program that starts belongs to nobody until it is noted."""
    global _starting  # noqa: PLW0603  as above
    if threading.current_thread() is threading.main_thread():
        _starting = True


def _let_through() -> None:
    """Let interruptions of the main thread through again, the one that was put off first."""
    global _starting, _late  # noqa: PLW0603  as above
    if threading.current_thread() is threading.main_thread():
        _starting = False
        if _late:
            _late = False
            raise KeyboardInterrupt


def go_on(what: Text) -> None:
    """Return at once, unless the command was interrupted: what runs or waits in other threads asks before it goes on.

    Raises:
        CommandFailed: it was; names the step.

    """
    if _interrupted.is_set() and threading.current_thread() is not threading.main_thread():
        raise CommandFailed(what, Text(en="interrupted", fr="interruption"), "", 130)


def found(program: str) -> Path | None:
    """Return the program's path when it is on PATH."""
    path = shutil.which(program)
    return Path(path) if path else None


def _finish(  # noqa: PLR0913, PLR0917  as `run`
    process: subprocess.Popen[str],
    what: Text,
    text: str | None,
    timeout: float | None,
    stream: Callable[[str], None] | None,
    accept: Collection[int],
) -> str:
    out: list[str] = []
    # One for each output: what a program says as it fails must not be pushed out by what it had printed before.
    told: deque[str] = deque(maxlen=_TAIL_LINES)
    failed: deque[str] = deque(maxlen=_TAIL_LINES)
    readers = [
        threading.Thread(target=_read, args=(process.stdout, (out.append, told.append), stream), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, (failed.append,), stream), daemon=True),
    ]
    if text is not None:
        # On its own thread: a program that never reads must not outwait the time-out.
        threading.Thread(target=_feed, args=(process.stdin, text), daemon=True).start()
    for reader in readers:
        reader.start()
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        _signal(process, signal.SIGKILL)
        process.wait()
        reason = Text(en=f"no end after {timeout:.0f} s", fr=f"pas de fin après {timeout:.0f} s")
        raise CommandFailed(what, reason, "".join((*told, *failed)), 124) from error
    except BaseException:
        # Waiting for the child keeps half-written files from being read later.
        _end(process)
        raise
    deadline = time.monotonic() + _DRAIN_SECONDS
    for reader in readers:
        reader.join(max(0.0, deadline - time.monotonic()))
    if code not in accept:
        reason = Text(en=f"exit code {code}", fr=f"code de sortie {code}")
        raise CommandFailed(what, reason, "".join((*told, *failed)), code)
    return "".join(out)


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal the program and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _end(process: subprocess.Popen[str]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _feed(pipe: IO[str] | None, text: str) -> None:
    if pipe is None:
        return
    # A program that ends before it read all breaks the pipe; its exit code tells why.
    with suppress(BrokenPipeError), pipe:
        pipe.write(text)


def _read(pipe: IO[str] | None, keep: tuple[Callable[[str], None], ...], stream: Callable[[str], None] | None) -> None:
    if pipe is None:
        return
    with pipe:
        for line in pipe:
            for put in keep:
                put(line)
            if stream:
                stream(line.rstrip("\n"))

"""A process that has imported what its tasks need, and forks itself for each of them.

To start an interpreter and import onnxruntime and ONNX' own library takes half a second of work, to fork a process
that did so takes a few milliseconds: a server that begins with six models waits for one import instead of six. What a
task breaks is its own fork. While nobody asks, the process ends, and gives its memory back.
"""

import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

IDLE_SECONDS = 5.0
"""After which the process ends by itself."""
_WORDS = 300
"""Last characters of what a broken process wrote that are told."""


class Broken(Exception):
    """A task came to no result.

    Attributes:
        code: with which its process ended; negative: the signal that ended it.
        words: last that it wrote to standard error.
    """

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"ended with {code}: {words}")
        self.code = code
        self.words = words


class Forks:
    """The side that asks.

    Args:
        program: module whose `__main__` calls `serve`.

    Attributes:
        close: ends the process, whatever it is at.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        """What it writes to standard error."""
        self.close: Callable[[], object] = lambda: None

    def done(self, task: bytes, seconds: float) -> bytes:
        """The result of a task, one line.

        Args:
            task: one line.
            seconds: that it may take, the start of the process included.

        Raises:
            TimeoutError: it took longer, and was ended.
            Broken: its process ended without one.
        """
        with self._asking:
            process, words = self._started()
            told = _asked(process, task, seconds)
            if told == b"" and process.wait() == 0:  # it left, being idle, at the very moment in which it was asked
                process, words = self._started()
                told = _asked(process, task, seconds)
            if told is None:
                self.close()
                raise TimeoutError
            code, _, found = told.rstrip(b"\n").partition(b" ")
            if found:
                return found
            raise Broken(int(code) if code else process.wait(), _last(words))

    @property
    def memory(self) -> int:
        """Bytes that the process has while it waits for tasks, of which a fork needs none of its own."""
        process = self._process
        if process is None or process.poll() is not None:
            return 0
        try:
            return int(Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1]) * resource.getpagesize()
        except OSError:  # a system without it
            return 0

    def _started(self) -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
        """The process, and an empty file for what it will write to standard error."""
        if self._process is None or self._words is None or self._process.poll() is not None:
            self.close()
            self._words = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  the process writes to it
            # Where this process found its modules, that one does; each of its tasks has one core.
            env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(  # noqa: S603  our own
                [sys.executable, "-m", self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self._words, env=env, start_new_session=True, bufsize=0,
            )  # fmt: skip
            self.close = weakref.finalize(self, _end, self._process, self._words)
        # Both sides write at the same place of the file: what an earlier task said is gone for either.
        self._words.seek(0)
        self._words.truncate()
        return self._process, self._words


def _asked(process: "subprocess.Popen[bytes]", task: bytes, seconds: float) -> bytes | None:
    """What a process says of a task: nothing where it ended, None where it took too long."""
    assert process.stdin  # noqa: S101  it was started with pipes
    assert process.stdout  # noqa: S101
    try:
        process.stdin.write(task + b"\n")
    except BrokenPipeError:
        return b""
    if not select.select([process.stdout], [], [], seconds)[0]:
        return None
    return process.stdout.readline()


def _last(words: IO[bytes]) -> str:
    words.seek(0)
    return words.read().decode("utf-8", "replace").strip()[-_WORDS:]


def _end(process: "subprocess.Popen[bytes]", words: IO[bytes]) -> None:
    """End a process with the fork that is at work; nobody waits for what it would find."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for each in (process.stdin, process.stdout, words):
        if each:
            each.close()


def serve(work: Callable[[bytes], bytes]) -> None:
    """Answer tasks that come on standard input, each in a fork, until they end or nobody asks.

    Args:
        work: makes one line of one line.
    """
    # Straight from the file: what a buffer holds no fork may read, and `select` would not see.
    coming = os.fdopen(0, "rb", buffering=0, closefd=False)
    while select.select([coming], [], [], IDLE_SECONDS)[0]:
        task = coming.readline()
        if not task:
            return
        sys.stdout.buffer.write(_forked(work, task))
        sys.stdout.buffer.flush()


def _forked(work: Callable[[bytes], bytes], task: bytes) -> bytes:
    """What a fork made of a task: the code with which it ended, and its line where there is one."""
    ours, its = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(ours)
            os.write(its, work(task))
            code = 0
        except BaseException:  # noqa: BLE001  a fork must not go on as if it were its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(its)
    with os.fdopen(ours, "rb") as result:
        found = result.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return b"%d %b\n" % (code, found) if code == 0 else b"%d\n" % code

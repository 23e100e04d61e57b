"""The parent of a site's process: it brings the process back after a crash, and ends with it when that is final."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVICE = Path(__file__).parents[3] / "labs" / "01-patterns" / "service"

_SITE = """
import os, signal, sys, time
from patterns import edge
edge._PAUSE = 0.05

def run():
    with open(sys.argv[1], "a") as log:
        log.write(f"{os.getpid()}\\n")
    exec(sys.argv[2])

edge.keep(run)
"""


@contextmanager
def kept(log: Path, body: str) -> Iterator[subprocess.Popen[bytes]]:
    """A parent whose child notes its process id and then does `body`."""
    env = {**os.environ, "PYTHONPATH": str(_SERVICE)}
    process = subprocess.Popen([sys.executable, "-c", _SITE, str(log), body], env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def starts(log: Path, count: int) -> list[int]:
    """Process ids of the first `count` children, waited for."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        lines = log.read_text().split() if log.exists() else []
        if len(lines) >= count:
            return [int(line) for line in lines]
        time.sleep(0.02)
    raise AssertionError(f"{log} never named {count} processes")


def test_a_crash_brings_another_process_and_a_signal_ends_it(tmp_path: Path) -> None:
    """Exit code 1 starts a new process, again and again; SIGTERM reaches it and both end well."""
    log = tmp_path / "starts"
    body = f"n = len(open({str(log)!r}).readlines()); os._exit(1) if n < 3 else None; "
    body += "signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); open(sys.argv[1], 'a').write('0'); time.sleep(60)"
    with kept(log, body) as process:
        children = starts(log, 4)  # three processes, and the third's word that it listens
        assert len(set(children)) == 4
        assert process.pid not in children
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_permanent_failure_ends_the_parent_with_the_same_code(tmp_path: Path) -> None:
    """What trying again does not help is not tried again."""
    with kept(tmp_path / "starts", "os._exit(2)") as process:
        assert process.wait(10) == 2
    assert len(starts(tmp_path / "starts", 1)) == 1


def test_a_killed_process_is_reported_as_killed(tmp_path: Path) -> None:
    """The kernel's kill, for want of memory say, shows in the pod's exit code and is not hidden."""
    with kept(tmp_path / "starts", "os.kill(os.getpid(), signal.SIGKILL)") as process:
        assert process.wait(10) == 137

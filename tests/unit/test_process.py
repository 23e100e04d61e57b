"""Other programs: how they are run, how they fail, and that they end with all they started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.cluster.daemon import born, until
from lab.process import CommandFailed, found, run
from lab.text import Text

_WHAT = Text(en="making the thing", fr="fabrication de la chose")


def _child(folder: Path) -> int:
    """Return the number of the process that a script wrote down, as soon as it did."""
    file = folder / "child"
    assert until(lambda: file.exists() and file.read_text().endswith("\n"), 10)
    return int(file.read_text())


def test_what_it_prints_is_returned() -> None:
    """Standard output comes back whole; the other output does not mix in."""
    assert run(["sh", "-c", "echo one; echo two >&2; echo three"], what=_WHAT) == "one\nthree\n"


def test_it_gets_input_and_environment(tmp_path: Path) -> None:
    """What it is given arrives: text, a variable beside our own, the folder."""
    output = run(
        ["sh", "-c", 'cat; echo "$LAB_TEST $HOME"; pwd'], what=_WHAT, input="in", env={"LAB_TEST": "x"}, cwd=tmp_path
    )
    assert output == f"inx {os.environ['HOME']}\n{tmp_path}\n"


def test_without_input_it_reads_nothing() -> None:
    """A program that asks on its standard input gets an end at once instead of waiting for ever."""
    assert run(["cat"], what=_WHAT, timeout=10) == ""


def test_a_program_that_reads_nothing_is_no_trouble() -> None:
    """More input than a pipe holds, and nobody reads it: its exit code decides."""
    assert run(["true"], what=_WHAT, input="x" * 1_000_000) == ""


def test_a_failure_tells_step_code_and_last_words() -> None:
    """The step in the user's words, the exit code, the last lines of both outputs, in both languages."""
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", "for i in $(seq 50); do echo line $i; done; echo no space left >&2; exit 7"], what=_WHAT)
    error = caught.value
    assert error.code == 7
    assert error.render("en").startswith("making the thing: exit code 7\n")
    assert error.render("fr").startswith("fabrication de la chose : code de sortie 7\n")
    assert "no space left" in error.output
    assert "line 50" in error.output
    assert "line 20\n" not in error.output


def test_a_program_that_is_not_there_is_told() -> None:
    """Exit code 127, as a shell would give, and the program's name."""
    with pytest.raises(CommandFailed, match="no-such-program cannot start") as caught:
        run(["no-such-program"], what=_WHAT)
    assert caught.value.code == 127
    assert found("no-such-program") is None


def test_a_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    """What takes too long is killed with everything it started, even if that ignores being asked."""
    script = f"trap '' TERM; (trap '' TERM; sleep 60) & echo $! > {tmp_path}/child; wait"
    started = time.monotonic()
    with pytest.raises(CommandFailed, match="no end after 1 s") as caught:
        run(["sh", "-c", script], what=_WHAT, timeout=1)
    assert time.monotonic() - started < 5
    assert caught.value.code == 124
    assert until(lambda: born(_child(tmp_path)) is None, 5)


def test_a_time_out_holds_while_input_waits() -> None:
    """A program that never reads its input cannot outwait the time-out."""
    with pytest.raises(CommandFailed, match="no end after 0 s"):
        run(["sleep", "60"], what=_WHAT, input="x" * 1_000_000, timeout=0.3)


def test_a_daemon_that_it_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A program that ends well while its daemon keeps the outputs open: the run is over, the daemon lives."""
    started = time.monotonic()
    output = run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; echo done"], what=_WHAT)
    assert output == "done\n"
    assert time.monotonic() - started < 10
    assert born(_child(tmp_path)) is not None
    os.kill(_child(tmp_path), signal.SIGKILL)


def test_lines_come_as_they_are_printed(tmp_path: Path) -> None:
    """A long build can be followed: the program only goes on when its first line was seen."""
    seen: list[str] = []

    def follow(line: str) -> None:
        seen.append(line)
        (tmp_path / "seen").touch()

    script = f"echo first; until test -e {tmp_path}/seen; do sleep 0.02; done; echo last >&2"
    run(["sh", "-c", script], what=_WHAT, stream=follow, timeout=10)
    assert seen == ["first", "last"]


_INTERRUPTED = """
import signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from lab import process
from lab.text import Text

def stop(*_):
    process.interrupt()

signal.signal(signal.SIGINT, stop)
folder = sys.argv[1]
what = Text.plain("waiting")
script = "(sleep 60) & echo $! > {folder}/{name}; wait"

def work(name):
    process.run(["sh", "-c", script.format(folder=folder, name=name)], what=what)

try:
    with ThreadPoolExecutor(1) as pool:
        jobs = [pool.submit(work, "child"), pool.submit(work, "second")]
        if sys.argv[2] == "main":
            work("main")
        jobs[0].result()
except KeyboardInterrupt:
    process.run(["sh", "-c", f"touch {folder}/cleaned"], what=what)
    sys.exit(130)
"""


@pytest.mark.parametrize("where", ["thread", "main"])
def test_ctrl_c_ends_every_program_of_every_thread(tmp_path: Path, where: str) -> None:
    """One Ctrl-C ends what each thread waits for, starts nothing new, and still lets the command clean up."""
    path = ":".join(each for each in sys.path if each)
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path), where], env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    ) as command:  # fmt: skip
        child = _child(tmp_path)
        if where == "main":
            assert until((tmp_path / "main").exists, 10)
        command.send_signal(signal.SIGINT)
        assert command.wait(10) == 130
    assert until(lambda: born(child) is None, 5)
    assert (tmp_path / "cleaned").exists()
    assert not (tmp_path / "second").exists()

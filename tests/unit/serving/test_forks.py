"""Tasks in forks of one process: what one breaks is its own, and the process goes when nobody asks."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.model.forks import Broken, Forks

PROGRAM = """
import os, sys, time
from serving.model import forks
forks.IDLE_SECONDS = 0.5
TOLD = []

def work(task):
    word = task.decode().strip()
    TOLD.append(word)
    if word == "crash":
        os.abort()
    if word == "fail":
        raise ValueError("it was asked to")
    if word == "sleep":
        time.sleep(60)
    return f"{os.getppid()} {len(TOLD)}".encode()

if __name__ == "__main__":
    if os.path.exists("broken"):
        sys.exit("no such library")
    forks.serve(work)
"""


@pytest.fixture
def forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """Return the asking side of a program that is told what to do."""
    (tmp_path / "told.py").write_text(PROGRAM, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Forks("told")
    yield made
    made.close()


def test_tasks_share_a_process_and_nothing_else(forks: Forks) -> None:
    """Each sees what was imported, and nothing of the one before."""
    assert forks.memory == 0
    first, second = forks.done(b"a", 20), forks.done(b"b", 20)
    assert first == second
    assert first.endswith(b" 1")
    assert forks.memory > 1_000_000


@pytest.mark.parametrize(("word", "code", "said"), [(b"crash", -6, ""), (b"fail", 1, "ValueError: it was asked to")])
def test_what_breaks_is_told_and_harms_no_other(forks: Forks, word: bytes, code: int, said: str) -> None:
    """With its code and its last words, and those alone."""
    parent = forks.done(b"a", 20)
    with pytest.raises(Broken) as broken:
        forks.done(word, 20)
    assert broken.value.code == code
    assert broken.value.words.endswith(said)
    assert forks.done(b"b", 20) == parent
    with pytest.raises(Broken) as again:
        forks.done(b"crash", 20)
    assert again.value.words == ""


def test_what_takes_too_long_is_ended_with_its_process(forks: Forks) -> None:
    """And the next task gets another one."""
    parent = int(forks.done(b"a", 20).split()[0])
    with pytest.raises(TimeoutError):
        forks.done(b"sleep", 0.2)
    assert not Path(f"/proc/{parent}").exists()
    assert int(forks.done(b"b", 20).split()[0]) != parent


def test_a_process_that_nobody_asks_leaves(forks: Forks) -> None:
    """Its memory is the server's again; whoever comes later is answered all the same."""
    parent = int(forks.done(b"a", 20).split()[0])
    _until(lambda: forks.memory == 0)
    assert int(forks.done(b"b", 20).split()[0]) != parent


def test_a_process_that_leaves_while_it_is_asked_is_replaced(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears of it."""
    parent = int(forks.done(b"a", 20).split()[0])
    process = forks._process
    assert process is not None
    _until(lambda: _ended(parent))
    found = process.poll
    monkeypatch.setattr(process, "poll", lambda looks=[None]: looks.pop() if looks else found())  # it was there still
    assert int(forks.done(b"b", 20).split()[0]) != parent


def test_a_program_that_does_not_start_is_told(forks: Forks) -> None:
    """Once, with what it said."""
    Path("broken").touch()
    with pytest.raises(Broken, match="ended with 1: no such library"):
        forks.done(b"a", 20)
    Path("broken").unlink()
    assert forks.done(b"a", 20)


def test_a_process_ends_with_who_asks(forks: Forks) -> None:
    """Also at work."""
    parent = int(forks.done(b"a", 20).split()[0])
    forks.close()
    assert not Path(f"/proc/{parent}").exists()


def _ended(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)

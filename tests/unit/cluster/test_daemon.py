"""Detached programs: found again, never mistaken, ended with all they started."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cluster.daemon import Daemon, born, until


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    """Return a daemon that does not run."""
    return Daemon("thing", tmp_path)


def test_it_outlives_the_program_that_starts_it(tmp_path: Path) -> None:
    """The starting command ends; the daemon goes on, and the next command finds it."""
    script = (
        "import sys; from pathlib import Path; from lab.cluster.daemon import Daemon;"
        f"Daemon('thing', Path({str(tmp_path)!r})).start(['sleep', '60'])"
    )
    path = ":".join(each for each in sys.path if each)
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": path})
    daemon = Daemon("thing", tmp_path)
    pid = daemon.pid()
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    daemon.end()
    assert daemon.pid() is None
    assert born(pid) is None


def test_a_process_of_the_same_number_is_not_it(daemon: Daemon) -> None:
    """After a reboot the number may be anybody's: it is neither taken for the daemon nor ended."""
    with subprocess.Popen(["sleep", "60"]) as somebody:
        record = daemon.folder / "thing.pid"
        record.write_text(json.dumps({"pid": somebody.pid, "born": "another boot/123"}))
        assert daemon.pid() is None
        daemon.end()
        assert somebody.poll() is None
        assert not record.exists()
        somebody.kill()


@pytest.mark.parametrize("content", ["", "4711", "{", '{"pid": "x"}', "[]"])
def test_a_damaged_file_counts_as_none(daemon: Daemon, content: str) -> None:
    """A half-written or older file stops nobody."""
    (daemon.folder / "thing.pid").write_text(content)
    assert daemon.pid() is None
    daemon.end()
    assert not (daemon.folder / "thing.pid").exists()


def test_its_end_is_its_childrens_end(daemon: Daemon, tmp_path: Path) -> None:
    """What the daemon started ends with it."""
    daemon.start(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait"])
    child = tmp_path / "child"
    assert until(lambda: child.exists() and child.read_text() != "", 5)
    daemon.end()
    assert until(lambda: born(int(child.read_text())) is None, 5)


def test_its_words_are_kept_for_its_owner_only(daemon: Daemon) -> None:
    """Both outputs go to the log, which nobody else reads; the last lines can be shown."""
    daemon.start(["sh", "-c", "echo one; echo two >&2; echo three"])
    assert until(lambda: daemon.pid() is None, 5)
    assert daemon.tail(2) == "two\nthree"
    assert stat.S_IMODE(daemon.log.stat().st_mode) == 0o600

"""What is remembered between commands, and the lock that keeps two of them apart, with real processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster.daemon import until
from lab.errors import Busy
from lab.settings import Settings
from lab.state.record import Record, lock
from lab.text import Text

_HOLD = """
import os, sys
from lab.settings import Settings
from lab.state.record import lock
with lock(Settings.load(os.environ), "up 01", print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a user without any cluster."""
    return Settings.load({"HOME": str(tmp_path)})


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start another command that holds the cluster until its input ends."""
    path = ":".join(each for each in sys.path if each)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD], env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": path},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        assert command.stdout is not None
        assert command.stdout.readline() == "held\n"
        yield command
        command.kill()


def test_a_second_command_says_who_holds_the_cluster_and_waits(
    settings: Settings, holder: subprocess.Popen[str]
) -> None:
    """It names command and process in both languages, waits, and goes on as soon as the first ends."""
    said: list[Text] = []
    got = threading.Event()

    def second() -> None:
        with lock(settings, "reset 01", said.append):
            got.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert until(lambda: bool(said), 10)
    assert not got.is_set()
    for words in (said[0].en, said[0].fr):
        assert "`lab up 01`" in words
        assert str(holder.pid) in words
    assert holder.stdin is not None
    holder.stdin.close()
    thread.join(10)
    assert got.is_set()
    assert len(said) == 1


def test_a_holder_that_does_not_end_makes_the_second_give_up(settings: Settings, holder: subprocess.Popen[str]) -> None:
    """After its patience the second command ends with code 4, naming cluster, holder and remedy."""
    with pytest.raises(Busy) as caught, lock(settings, "down", lambda _: None, wait=0.5):
        pass
    assert caught.value.exit_code == 4
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert "`lab up 01`" in words
        assert "tarmac" in words
        assert str(holder.pid) in words


def test_a_holder_that_dies_holds_nothing(settings: Settings, holder: subprocess.Popen[str]) -> None:
    """Killed, crashed, powered off: the next command begins at once, without a word about the dead one."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    said: list[Text] = []
    with lock(settings, "up 01", said.append, wait=1):
        pass
    assert not said


def test_the_lock_is_free_after_an_error(settings: Settings) -> None:
    """A command that fails lets go, and leaves nothing that names it."""
    with pytest.raises(ZeroDivisionError), lock(settings, "up 01", lambda _: None):
        raise ZeroDivisionError
    with lock(settings, "up 01", lambda _: None, wait=0):
        pass
    assert not list(settings.home.glob("*.holder"))


def test_clusters_do_not_hold_each_other(settings: Settings, tmp_path: Path) -> None:
    """Two clusters side by side: a command on one does not wait for the other."""
    other = Settings.load({"HOME": str(tmp_path), "LAB_NAME": "other"})
    with lock(settings, "up 01", lambda _: None), lock(other, "up 01", lambda _: None, wait=0):
        assert settings.folder != other.folder


@pytest.mark.parametrize(
    ("runs", "usual"), [([3.0], 3.0), ([1.0, 9.0, 2.0], 2.0), ([100.0, 1.0, 1.0, 2.0, 3.0, 4.0], 2.0)]
)
def test_the_usual_time_is_the_median_of_the_last_five_runs(
    settings: Settings, runs: list[float], usual: float
) -> None:
    """One slow run does not spoil what is shown, and an old machine's times fade."""
    for seconds in runs:
        Record(settings).converged("01", {"cluster": seconds})
    assert Record(settings).usual() == {"cluster": usual}


def test_the_lab_that_stands_is_remembered_until_it_is_cleared(settings: Settings) -> None:
    """`lab check` without a number means the lab that stands; clearing keeps the usual times."""
    assert Record(settings).lab() is None
    Record(settings).converged("02", {"kafka": 1.5})
    assert Record(settings).lab() == "02"
    Record(settings).cleared()
    assert Record(settings).lab() is None
    assert Record(settings).usual() == {"kafka": 1.5}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00"])
def test_a_damaged_record_counts_as_empty(settings: Settings, content: str) -> None:
    """A full disk or a power cut may leave half a file: no command fails for it, the next one writes a new one."""
    settings.folder.mkdir(parents=True)
    (settings.folder / "record.json").write_text(content)
    assert Record(settings).lab() is None
    assert Record(settings).usual() == {}
    Record(settings).converged("01", {"cluster": 1.0})
    assert Record(settings).lab() == "01"
    assert not list(settings.folder.glob("*.part"))

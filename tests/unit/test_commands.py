"""The command line as a process: exit codes, one clear message in the user's language, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.cluster.daemon import born, until
from lab.commands import COMMANDS
from lab.settings import PORTS
from own_ports import own_ports

_ROOT = Path(__file__).resolve().parents[2]
_REMEDY = {"en": "What to do: ", "fr": "Que faire : "}
_OFFSET = str(13000 + own_ports())  # below the ports that connections of other tests take for themselves
"""Ports that no cluster of this machine uses."""


@dataclass
class Shell:
    """A user's shell: a home, and a folder of programs before all others.

    Attributes:
        home: the user's home.
        bin: first folder of PATH.

    """

    home: Path
    bin: Path

    def program(self, name: str, script: str) -> None:
        """Put a program on PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def start(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """Start `lab`."""
        environment = {
            "HOME": str(self.home), "PATH": f"{self.bin}:{os.environ['PATH']}", "LAB_PORT_OFFSET": _OFFSET,
            "PYTHONPATH": str(_ROOT / "platform"), "LAB_LANG": "en", **variables,
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-m", "lab", *words], env=environment, cwd=self.home, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def lab(self, *words: str, **variables: str) -> tuple[int, str, str]:
        """Run `lab`; return its exit code and both outputs."""
        with self.start(*words, **variables) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def left(self) -> list[str]:
        """Return what is left of clusters in the home: neither an empty folder nor a lock counts."""
        return [str(path) for path in self.home.rglob("*") if path.is_file() and path.suffix not in (".lock", ".pyc")]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a user's shell on a machine whose engine knows no container."""
    made = Shell(tmp_path / "home", tmp_path / "bin")
    made.home.mkdir()
    made.bin.mkdir()
    made.program("docker", 'case "$1" in ps) echo ID ;; *) exit 1 ;; esac')
    return made


@pytest.fixture(params=["en", "fr"])
def language(request: pytest.FixtureRequest) -> str:
    """Return each language in turn."""
    return str(request.param)


@pytest.mark.parametrize(
    ("words", "language", "told"),
    [
        (("up", "99"), "en", "there is no lab '99'"),
        (("up", "no"), "fr", "il n'y a pas de lab 'no'"),
        (("prepare", "1", "99"), "en", "there is no lab '99'"),
        (("prepare", "9"), "fr", "le lab 09 n'existe pas encore"),
        (("check", "9"), "en", "lab 09 does not exist yet"),
        (("check", "9"), "fr", "le lab 09 n'existe pas encore"),
        (("up",), "en", "which lab? None stands yet"),
        (("check", "01"), "fr", "le cluster tarmac est absent"),
        (("reset", "01"), "en", "cluster tarmac is absent"),
        (("solve", "01"), "fr", "le cluster tarmac est absent"),
        (("support", "01"), "en", "cluster tarmac is absent"),
        (("release", "status"), "fr", "le cluster tarmac est absent"),
        (("release", "back"), "en", "cluster tarmac is absent"),
        (("release", "start", "nowhere.yaml"), "en", "plan nowhere.yaml: No such file or directory"),
        (("release", "start", "--model", "m"), "fr", "lab release start : il n'y a pas de version"),
        (("data", "list"), "fr", "quel lab ? Aucun n'est debout"),
        (("data", "lineage", "a/b"), "en", "training set 'a/b': the name cannot be one"),
        (("data", "diff", "january", "12"), "fr", "commit '12' : ce n'en est pas un"),
        (
            ("data", "build", "january", "--from", "2013-01-03", "--to", "2013-01-03"),
            "fr",
            "période du 2013-01-03 au 2013-01-03 : elle finit avant de commencer",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line_with_its_remedy(
    shell: Shell, words: tuple[str, ...], language: str, told: str
) -> None:
    """Exit code 2; what is wrong on one line, what to do on the next; standard output stays empty; nothing is left."""
    code, out, err = shell.lab(*words, LAB_LANG=language)
    first, second = err.splitlines()
    assert (code, out, first) == (2, "", told)
    assert second.startswith(_REMEDY[language])
    assert not shell.left()


@pytest.mark.parametrize(
    ("variable", "value", "language"),
    [
        ("LAB_NAME", "Room 2", "en"),
        ("LAB_PORT_OFFSET", "-1", "fr"),
        ("LAB_CLUSTER", "minikube", "en"),
        ("LAB_HOME", "here", "fr"),
    ],
)
def test_a_wrong_setting_is_told_by_every_command(shell: Shell, variable: str, value: str, language: str) -> None:
    """The variable, its value and what it accepts; exit code 2, nothing is left."""
    code, out, err = shell.lab("status", **{"LAB_LANG": language, variable: value})
    assert (code, out) == (2, "")
    assert f"{variable}={value!r}" in err
    assert err.splitlines()[1].startswith(_REMEDY[language])
    assert not shell.left()


def test_an_unknown_command_or_option_is_told(shell: Shell) -> None:
    """Exit code 2 and the name of the program as the user knows it."""
    for words in (("nonsense",), ("up", "01", "--nonsense"), ("up", "01", "--output", "xml")):
        code, out, err = shell.lab(*words)
        assert (code, out) == (2, "")
        assert err.startswith("Usage: lab ")
        assert words[-1] in err


def test_no_right_to_use_docker_is_told(shell: Shell, language: str) -> None:
    """Exit code 3, with the group and the command that help; nothing is left."""
    shell.program("docker", 'echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1')
    code, out, err = shell.lab("up", "01", LAB_LANG=language, USER="ada")
    assert (code, out) == (3, "")
    assert "usermod -aG docker ada" in err
    assert _REMEDY[language] in err
    assert not shell.left()


def test_a_taken_port_stops_before_anything_is_made(shell: Shell, language: str) -> None:
    """Exit code 3; the port, its service, how to find who holds it, and the way around; nothing is left."""
    port = PORTS["prometheus"] + int(_OFFSET)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        code, _, err = shell.lab("up", "01", LAB_LANG=language)
    assert code == 3, err
    assert all(word in err for word in (f"{port} (prometheus)", "ss -ltnp", "LAB_PORT_OFFSET", _REMEDY[language]))
    assert not shell.left()


def test_an_unknown_context_is_told_with_those_that_exist(shell: Shell, language: str) -> None:
    """Exit code 2, the variable, the contexts of the user's file; nothing is left."""
    shell.program(
        "kubectl",
        'case "$1" in version) echo \'{"clientVersion": {"minor": "37"}}\' ;; config) echo training ;; esac',
    )
    code, _, err = shell.lab("up", "01", LAB_LANG=language, LAB_CLUSTER="context:nowhere")
    assert code == 2, err
    assert "LAB_CLUSTER=context:nowhere" in err
    assert "training" in err
    assert not shell.left()


def test_doctor_goes_on_where_docker_refuses(shell: Shell, language: str) -> None:
    """The machine's examination tells all it finds and ends with 3 where something is bad."""
    shell.program("docker", 'echo "permission denied" >&2; exit 1')
    code, out, _ = shell.lab("doctor", "--output", "json", LAB_LANG=language, PIP_INDEX_URL="http://127.0.0.1:9")
    findings = {each["name"]: each for each in json.loads(out)}
    assert code == 3
    assert findings["engine"]["level"] == "bad"
    assert "docker" in findings["engine"]["remedy"][language]
    assert findings["PyPI"]["level"] == "warning"
    assert findings["cores"]["what"]["fr"]


def test_training_sets_need_a_lab_that_has_a_lake(shell: Shell, language: str) -> None:
    """Lab 01 stands: one line says that it has no lake, the next which lab to bring up; exit code 2."""
    record = shell.home / ".local/state/tarmac/tarmac/record.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"lab": "01"}')
    code, out, err = shell.lab("data", "list", LAB_LANG=language)
    first, second = err.splitlines()
    assert (code, out) == (2, "")
    assert first == {"en": "lab 01 has no lake", "fr": "le lab 01 n'a pas de lac"}[language]
    assert second.startswith(_REMEDY[language])
    assert "lab up 02" in second


@pytest.mark.parametrize("act", ["build", "list", "lineage", "rebuild", "diff", "checkout"])
def test_every_act_on_training_sets_explains_itself(shell: Shell, act: str) -> None:
    """In English and French, as the commands do."""
    code, out, _ = shell.lab("data", act, "--help")
    assert code == 0
    assert out.startswith(f"Usage: lab data {act} ")
    assert " / " in " ".join(out.split())


@pytest.mark.parametrize("act", ["status", "start", "back", "pause", "resume"])
def test_every_act_on_releases_explains_itself(shell: Shell, act: str) -> None:
    """In English and French, as the commands do; nobody has to guess the plan's fields that options replace."""
    code, out, _ = shell.lab("release", act, "--help")
    assert code == 0
    assert out.startswith(f"Usage: lab release {act} ")
    assert " / " in " ".join(out.split())
    assert act != "start" or all(option in out for option in ("--model", "--version", "--strategy", "[PLAN]"))


def test_status_of_an_absent_cluster_is_no_error(shell: Shell) -> None:
    """It says so, for people and for machines, and names where things would be."""
    code, out, _ = shell.lab("status", "--output", "json")
    facts = json.loads(out)
    assert (code, facts["status"], facts["backend"], facts["files"]) == (0, "absent", "kind", [])
    assert str(shell.home) in shell.lab("status")[1]
    assert not shell.left()


def test_down_of_an_absent_cluster_is_no_error(shell: Shell) -> None:
    """Removing what is not there is done already."""
    assert shell.lab("down")[0] == 0
    assert not shell.left()


@pytest.mark.parametrize(("number", "language"), [(signal.SIGINT, "en"), (signal.SIGTERM, "fr"), (signal.SIGHUP, "en")])
def test_an_interrupted_command_ends_its_programs_and_says_how_to_go_on(
    shell: Shell, tmp_path: Path, number: signal.Signals, language: str
) -> None:
    """Ctrl-C, `kill` or a closed terminal: exit code 130, no program survives, the lock is free."""
    shell.program("docker", f"echo $$ > {tmp_path}/child; exec sleep 60")
    child = tmp_path / "child"
    with _heard(number), shell.start("up", "01", LAB_LANG=language) as process:
        assert until(lambda: child.exists() and child.read_text().endswith("\n"), 20)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert {"en": "run the same command again", "fr": "relancez la même commande"}[language] in err
    assert "Traceback" not in err
    assert until(_gone(child), 5)
    shell.program("docker", 'case "$1" in ps) echo ID ;; *) exit 1 ;; esac')
    assert shell.lab("down")[0] == 0


@contextmanager
def _heard(number: signal.Signals) -> Iterator[None]:
    """Let what is started hear a signal, though tests run under `nohup`: who is started deaf to it stays so."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def _gone(file: Path) -> Callable[[], bool]:
    return lambda: born(int(file.read_text())) is None


def test_a_second_command_says_who_holds_the_cluster(shell: Shell, tmp_path: Path) -> None:
    """Two commands at once: the second names the first, waits, and does its work when the first ends."""
    go = tmp_path / "go"
    shell.program("docker", f'until test -e {go}; do sleep 0.05; done; case "$1" in ps) echo ID ;; *) exit 1 ;; esac')
    with shell.start("down") as first:
        assert until(lambda: bool(list(shell.home.rglob("*.holder"))), 20)
        with shell.start("down", LAB_LANG="fr") as second:
            assert second.stderr is not None
            line = second.stderr.readline()
            assert "`lab down`" in line
            assert str(first.pid) in line
            go.touch()
            assert first.wait(20) == 0
            second.communicate(timeout=20)
    assert second.returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(shell: Shell, name: str) -> None:
    """`--help` of each command says what it does; kubectl's own help is kubectl's."""
    if name == "kubectl":
        assert "kubectl" in shell.lab("--help")[1]
        return
    code, out, _ = shell.lab(name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: lab {name} ")

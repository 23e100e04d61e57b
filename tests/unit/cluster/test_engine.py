"""The container engine: what is said when it refuses, is missing or does not start; nothing real is started."""

import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import engine
from lab.cluster.daemon import Daemon
from lab.cluster.engine import Engine
from lab.errors import LabError, MissingRequirement
from lab.process import CommandFailed

from .conftest import Machine

_ANSWERS = 'case "$1" in ps) echo ID ;; image) echo sha256:1 ;; *) : ;; esac'
_REFUSES = 'echo "Got permission denied while trying to connect to the Docker daemon socket" >&2; exit 1'
_SILENT = 'echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1'
_DAEMON = """
echo "$*" > $STATE/arguments
test -e $STATE/refuse && { echo "failed to start daemon: overlay2 not supported"; exit 1; }
: > $STATE/socket
trap 'rm -f $STATE/socket; exit 0' TERM
while :; do sleep 0.05; done
"""


def _both(error: LabError) -> tuple[str, str]:
    return error.render("en"), error.render("fr")


def test_the_machines_own_engine_is_used(machine: Machine) -> None:
    """An engine that answers is taken as it is; nothing is installed or started."""
    machine.program("docker", _ANSWERS)
    found = engine.ensure(machine.say)
    assert found.command == ("docker",)
    assert {call.split()[1] for call in machine.calls()} == {"ps"}
    assert not machine.said


def test_podman_serves_where_docker_is_silent(machine: Machine) -> None:
    """Another engine that answers is as good."""
    machine.program("docker", _SILENT)
    machine.program("podman", "exit 0")
    found = engine.running()
    assert found is not None
    assert found.command == ("podman",)


def test_no_right_to_use_docker_names_user_and_group(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker runs but refuses us: the error names the user, the group and the command; exit code 3."""
    monkeypatch.setenv("USER", "ada")
    machine.program("docker", _REFUSES)
    with pytest.raises(MissingRequirement) as caught:
        engine.ensure(machine.say)
    for words in _both(caught.value):
        assert "docker" in words
        assert "usermod -aG docker ada" in words
    assert caught.value.exit_code == 3


def test_a_user_without_engine_learns_how_to_get_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine and not root: nothing is tried, the package is named, nothing is left."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingRequirement) as caught:
        engine.ensure(machine.say)
    assert all("apt install docker.io" in words for words in _both(caught.value))
    assert not machine.settings().home.exists()


def test_root_on_a_system_without_apt_learns_what_is_missing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a Debian-like system: the tool does not guess its package manager, it names the package."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "found", lambda program: None if "/" in program else _on_path(program))
    with pytest.raises(MissingRequirement) as caught:
        engine.ensure(machine.say)
    assert all("docker.io" in words for words in _both(caught.value))


@pytest.mark.usefixtures("started")
def test_the_daemon_is_started_detached_and_answers(machine: Machine) -> None:
    """Root without a running engine: the daemon is started with our configuration and outlives the command."""
    found = engine.ensure(machine.say)
    folder = machine.state / "engine"
    assert found.command == ("docker",)
    assert (machine.state / "arguments").read_text() == f"--config-file {folder}/daemon.json\n"
    assert json.loads((folder / "daemon.json").read_text())["log-level"] == "warn"
    assert engine._daemon().pid() is not None
    assert stat.S_IMODE((folder / "runtime").stat().st_mode) == 0o755


@pytest.mark.usefixtures("started")
def test_two_phases_at_once_start_one_daemon(machine: Machine) -> None:
    """Images and cluster may both need the engine at the same moment."""
    found: list[Engine] = []
    threads = [threading.Thread(target=lambda: found.append(engine.ensure(machine.say))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(machine.calls("dockerd")) == 1


@pytest.mark.usefixtures("started")
def test_a_daemon_that_cannot_start_is_told_with_its_last_words(machine: Machine) -> None:
    """The error shows what dockerd printed and where its log is, at once and not after the time-out."""
    machine.answer("refuse")
    with pytest.raises(MissingRequirement, match="overlay2 not supported") as caught:
        engine.ensure(machine.say)
    assert all("dockerd.log" in words for words in _both(caught.value))


@pytest.mark.parametrize("content", ["999999999", "", "no number", "1"])
def test_process_numbers_of_a_dead_daemon_are_forgotten(tmp_path: Path, content: str) -> None:
    """After a power cut dockerd would take whoever has its old number for itself: such a file goes away."""
    file = tmp_path / "docker.pid"
    file.write_text(content)
    engine.forget_dead([file, tmp_path / "not there"])
    assert not file.exists()


def test_the_process_number_of_a_living_daemon_stays(machine: Machine, tmp_path: Path) -> None:
    """A daemon that runs keeps its file."""
    # The kernel names a process after its program's file, so a copy of `sleep` passes for dockerd.
    sleep = (tmp_path / "basics" / "sleep").resolve()
    (machine.bin / "dockerd").write_bytes(sleep.read_bytes())
    (machine.bin / "dockerd").chmod(0o755)
    daemon = Daemon("d", tmp_path)
    daemon.start([machine.bin / "dockerd", "60"])
    file = tmp_path / "docker.pid"
    file.write_text(f"{daemon.pid()}\n")
    try:
        engine.forget_dead([file])
        assert file.exists()
    finally:
        daemon.end()


def test_images_are_built_with_the_network_closed(machine: Machine, tmp_path: Path) -> None:
    """All that enters an image was fetched before: the build cannot reach out."""
    machine.program("docker", _ANSWERS)
    Engine(("docker",), lacks_resource=False).build(tmp_path, tmp_path / "Dockerfile", "image:1", {"parent": "p:1"})
    (call,) = machine.calls("docker build")
    assert "--network none" in call
    assert "--build-arg parent=p:1" in call


def test_an_archive_appears_only_when_complete(machine: Machine, tmp_path: Path) -> None:
    """A save that fails half way leaves nothing that a later run would load."""
    machine.program("docker", 'printf half > "$3"; echo "no space left on device" >&2; exit 1')
    archive = tmp_path / "cache" / "image.tar"
    with pytest.raises(CommandFailed, match="no space left"):
        Engine(("docker",), lacks_resource=False).save(archive, "image:1")
    assert not archive.exists()


def test_a_missing_image_is_none(machine: Machine) -> None:
    """An image that the engine does not hold is no error."""
    machine.program("docker", "exit 1")
    assert Engine(("docker",), lacks_resource=False).image_id("image:1") is None


@pytest.fixture
def started(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let root start a fake daemon on this machine, and end it with the test."""
    socket = machine.state / "socket"
    machine.program("docker", f"case $1 in ps) test -e {socket} ;; esac")
    machine.program("dockerd", _DAEMON)
    machine.program("iptables", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "_SOCKET", socket)
    monkeypatch.setattr(engine, "_PID_FILES", ())
    monkeypatch.setattr(engine, "_FOLDER", machine.state / "engine")
    monkeypatch.setattr(engine, "_START_SECONDS", 10)
    # Never the systemd of the machine that runs the tests.
    monkeypatch.setattr(engine, "lacks_resource", lambda: True)
    yield
    engine._daemon().end()


def _on_path(program: str) -> Path | None:
    return next(
        (path for path in (Path(each) / program for each in os.environ["PATH"].split(":")) if path.exists()), None
    )

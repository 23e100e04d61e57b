"""The machine's examination: judgements with any figure, and a few looks at the real machine."""

import os
import socket
import ssl
from pathlib import Path

import pytest

from lab.cluster import engine as engines
from lab.diagnose import Finding, Level, examine, machine, repair, require
from lab.errors import MissingRequirement
from lab.settings import Settings
from lab.text import Text
from own_ports import own_ports

GIB = 1 << 30
_CONTROLLERS = {"cpu", "memory", "pids", "io"}
_OVERLAY = "nodev\tproc\nnodev\toverlay\n\text4\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a user without any cluster, on ports that nobody else uses."""
    return Settings.load({"HOME": str(tmp_path), "LAB_PORT_OFFSET": str(13400 + own_ports())})


def _told(finding: Finding, level: Level, *words: str) -> None:
    """See that a finding has this level and that what it says, with its remedy, holds these words in both languages."""
    assert finding.level is level
    remedy = finding.remedy
    assert remedy is not None
    for language in ("en", "fr"):
        told = f"{finding.what.in_(language)} {remedy.in_(language)}"
        assert all(word in told for word in words), told
    assert finding.what.en != remedy.en


@pytest.mark.parametrize(("count", "level"), [(1, Level.WARNING), (2, Level.GOOD), (16, Level.GOOD)])
def test_cores(count: int, level: Level) -> None:
    """Two cores carry a lab; one is slow, which is said and forbids nothing."""
    assert machine.cores(count).level is level


def test_one_core_is_told() -> None:
    """The figure and the figure that is needed are both named."""
    _told(machine.cores(1), Level.WARNING, "1", "2")


@pytest.mark.parametrize(
    ("gib", "level"), [(0.5, Level.BAD), (1.9, Level.BAD), (2.5, Level.WARNING), (4.1, Level.GOOD)]
)
def test_memory(gib: float, level: Level) -> None:
    """Below half of what a lab needs nothing can work; between half and all of it, it may."""
    assert machine.memory({"MemAvailable": int(gib * GIB / 1024)}).level is level


def test_low_memory_is_told() -> None:
    """What is free and what is needed are both named."""
    _told(machine.memory({"MemAvailable": 1024 * 1024}), Level.BAD, "1.0", "4")


@pytest.mark.parametrize(
    ("gib", "cached", "level"),
    [(1, True, Level.BAD), (4, True, Level.GOOD), (4, False, Level.BAD), (16, False, Level.GOOD)],
)
def test_disk(gib: int, level: Level, *, cached: bool) -> None:
    """A first run needs room for what it builds; later ones hardly any."""
    assert machine.disk(gib * GIB, cached=cached).level is level


def test_a_full_disk_is_told() -> None:
    """How much is to be freed is named, and LAB_CACHE as the other way out."""
    _told(machine.disk(1 * GIB, cached=False), Level.BAD, "14", "LAB_CACHE")


def test_a_low_inotify_limit_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, its value and the command that raises it; only root is offered to have it done."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    finding = machine.inotify("max_user_instances", 128, 256)
    _told(finding, Level.WARNING, "128", "sysctl -w fs.inotify.max_user_instances=256")
    assert finding.fix is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert machine.inotify("max_user_instances", 128, 256).fix is not None
    assert machine.inotify("max_user_instances", 256, 256).level is Level.GOOD


@pytest.mark.parametrize(
    ("filesystems", "controllers", "loadable", "missing"),
    [
        ("nodev\tproc\n", _CONTROLLERS, False, ["overlay"]),
        (_OVERLAY, _CONTROLLERS - {"pids"}, False, ["cgroup pids"]),
        ("", set(), False, ["overlay", "cgroup cpu", "cgroup memory", "cgroup pids"]),
    ],
)
def test_a_kernel_that_cannot_carry_containers(
    filesystems: str, controllers: set[str], missing: list[str], *, loadable: bool
) -> None:
    """Each thing that the kernel lacks is named."""
    _told(machine.kernel(filesystems, controllers, loadable=loadable), Level.BAD, *missing, "modprobe overlay")


@pytest.mark.parametrize(("filesystems", "loadable"), [(_OVERLAY, False), ("nodev\tproc\n", True)])
def test_a_module_that_only_waits_to_be_loaded_is_no_lack(filesystems: str, *, loadable: bool) -> None:
    """A fresh machine has not loaded overlay yet: the engine does so."""
    assert machine.kernel(filesystems, _CONTROLLERS, loadable=loadable).level is Level.GOOD


def test_a_port_that_another_program_holds_is_named(settings: Settings) -> None:
    """A really taken port is found and named with its service; the remedy names program and variable."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", settings.port("prometheus")))
        holder.listen()
        found = {each.name: each for each in examine(settings, ours_runs=False, network=False)}["ports"]
        _told(found, Level.BAD, str(settings.port("prometheus")), "prometheus", "ss -ltnp", "LAB_PORT_OFFSET")
        ours = {each.name: each for each in examine(settings, ours_runs=True, network=False)}["ports"]
        assert ours.level is Level.GOOD
    free = {each.name: each for each in examine(settings, ours_runs=False, network=False)}["ports"]
    assert free.level is Level.GOOD


def test_a_port_that_was_just_left_is_free(settings: Settings) -> None:
    """Connections that still linger after their server ended do not count as taken."""
    port = settings.port("ingest")
    with socket.create_server(("127.0.0.1", port)) as server:
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = server.accept()
        served.close()
        client.close()
    assert "ingest" not in machine._taken(settings)


@pytest.mark.parametrize(("now", "level"), [(0, Level.BAD), (1_700_000_000, Level.BAD), (1_800_000_000, Level.GOOD)])
def test_clock(now: float, level: Level) -> None:
    """A clock from before the tool was made cannot be right."""
    assert machine.clock(now).level is level


def test_an_old_clock_is_told() -> None:
    """The date that the machine believes and the command that sets it are named."""
    _told(machine.clock(0), Level.BAD, "1970-01-01", "timedatectl")


def test_a_machine_without_certificate_authorities_is_told(tmp_path: Path) -> None:
    """No registry could be trusted: the package to install is named."""
    missing = str(tmp_path / "none.pem")
    paths = ssl.DefaultVerifyPaths(missing, missing, "", missing, "", "")
    _told(machine.certificates(paths), Level.BAD, "ca-certificates")
    (tmp_path / "none.pem").touch()
    assert machine.certificates(paths).level is Level.GOOD


def test_an_engine_that_refuses_us_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lab doctor` tells missing rights beside all the rest instead of stopping at them."""
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'permission denied' >&2\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("USER", "ada")
    _told(machine.engine(), Level.BAD, "docker", "usermod -aG docker ada")


def test_a_user_without_engine_learns_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root and no engine: bad, with the package's name; for root on Debian it is good, one will be started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _told(machine.engine(), Level.BAD, "docker.io")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engines, "found", lambda program: Path("/usr/bin/apt-get") if program == "apt-get" else None)
    assert machine.engine().level is Level.GOOD


def test_bad_findings_stop_a_command_with_all_of_them(settings: Settings) -> None:
    """`lab up` changes nothing on a machine that cannot carry it, and names every finding and every remedy."""
    require(examine(settings, ours_runs=True, network=False)[:1])
    bad = [machine.disk(1 * GIB, cached=True), machine.ports(settings, ["kafka"]), machine.cores(1)]
    with pytest.raises(MissingRequirement) as caught:
        require(bad)
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert all(each in words for each in ("LAB_CACHE", "(kafka)", "ss -ltnp"))
        assert "cores" not in words
    assert caught.value.exit_code == 3


def test_repair_does_what_can_be_done_and_no_more() -> None:
    """Only findings that are not good and bring their own repair are repaired."""
    done: list[str] = []

    def finding(name: str, level: Level, *, fixable: bool) -> Finding:
        fix = (lambda: done.append(name)) if fixable else None
        return Finding(name, level, Text.plain(name), Text.plain("remedy"), fix)

    findings = [
        finding("good", Level.GOOD, fixable=True),
        finding("low", Level.WARNING, fixable=True),
        finding("bad", Level.BAD, fixable=False),
    ]
    assert repair(findings) == ["low"]
    assert done == ["low"]


def test_this_machine_can_be_examined(settings: Settings) -> None:
    """Every finding of a real machine has a name of its own, says something in both languages, and a remedy if bad."""
    findings = examine(settings, ours_runs=False, network=False)
    assert len({each.name for each in findings}) == len(findings)
    assert all(each.what.en and each.what.fr for each in findings)
    assert all(each.remedy for each in findings if each.level is not Level.GOOD)

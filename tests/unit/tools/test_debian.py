"""Debian packages on any machine: installed as root, told otherwise, and laid out for images from Debian's archives."""

import os
from pathlib import Path

import pytest

from lab import tools
from lab.errors import MissingRequirement
from lab.process import CommandFailed
from lab.settings import Settings
from lab.text import Text
from lab.tools import debian
from unit.wire import Wire

APT = """
record()
if ARGS[0] == "indextargets":
    print(told("archives-after") if told("updated") and told("archives-after") else told("archives"), end="")
elif ARGS[0] == "update":
    (STATE / "updated").write_text("yes")
elif ARGS[0] == "install":
    if told("lists-missing") and not told("updated"):
        fail("E: Unable to locate package " + ARGS[-1])
    if told("brings"):
        program = pathlib.Path(told("brings"))
        program.write_text("#!/bin/sh")
        program.chmod(0o755)
elif ARGS[0] == "download":
    pathlib.Path(ARGS[-1] + "_1.0_amd64.deb").write_text("package")
"""
MMDEBSTRAP = """
sources = ARGS.pop() if ARGS[-1].endswith("sources.list") else None
record(sources=pathlib.Path(sources).read_text() if sources else "")
pathlib.Path(ARGS[-1]).write_text("root")
if told("mmdebstrap-fails"):
    fail(told("mmdebstrap-fails"))
"""
DPKG = """
record()
program = pathlib.Path(ARGS[-1]) / "usr" / "bin" / "promtool"
program.parent.mkdir(parents=True)
program.write_text("promtool")
"""


def _quiet(_: Text) -> None:
    """Tell nobody."""


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be root, whoever runs the tests; a test may change that."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def apt(wire: Wire) -> Wire:
    """Return a Debian-like machine."""
    wire.program("apt-get", APT)
    wire.program("mmdebstrap", MMDEBSTRAP)
    return wire


def _sources(apt: Wire) -> list[str]:
    (call,) = apt.calls("mmdebstrap")
    return sorted(str(call["sources"]).splitlines())


def test_without_root_one_line_says_what_to_install(apt: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """No attempt is made; the remedy names the package."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingRequirement) as told:
        debian.need("mvn", "maven", _quiet)
    assert told.value.exit_code == 3
    assert "maven" in told.value.remedy.en.splitlines()[0]
    assert "maven" in told.value.remedy.fr
    assert "\n" not in told.value.remedy.en
    assert apt.calls("apt-get") == []


def test_elsewhere_than_on_debian_one_line_says_what_to_install(wire: Wire) -> None:
    """A machine without apt is told the same way, root or not."""
    assert not list(wire.programs.iterdir())
    with pytest.raises(MissingRequirement, match="mmdebstrap"):
        debian.need("mmdebstrap", "mmdebstrap", _quiet)


def test_a_missing_program_is_installed(apt: Wire) -> None:
    """As root on Debian the package comes by itself, without questions, and is told."""
    apt.tell("brings", str(apt.programs / "mvn"))
    news = list[str]()
    assert debian.need("mvn", "maven", lambda each: news.append(each.en)) == apt.programs / "mvn"
    (install,) = apt.calls("apt-get", "install")
    assert install["env"]["DEBIAN_FRONTEND"] == "noninteractive"
    assert install["args"][-1] == "maven"
    assert "DPkg::Lock::Timeout=300" in install["args"]
    assert news == ["installing from the distribution: maven"]
    assert debian.need("mvn", "maven", _quiet) == apt.programs / "mvn"
    assert len(apt.calls("apt-get", "install")) == 1


def test_a_fresh_machine_reads_the_package_lists_first(apt: Wire) -> None:
    """An install that does not find its package is tried once more after an update."""
    apt.tell("lists-missing", "yes")
    debian.install(["maven"], _quiet)
    assert [call["args"][0] for call in apt.calls("apt-get")] == ["install", "update", "install"]


def test_a_package_without_the_program_is_told(apt: Wire) -> None:
    """An install that does not bring the program is an error, not a loop."""
    with pytest.raises(MissingRequirement, match="install the package maven"):
        debian.need("mvn", "maven", _quiet)
    assert apt.calls("apt-get", "install")


def test_debians_own_archives_are_turned_to_our_release(apt: Wire, tmp_path: Path) -> None:
    """On Debian 13 the machine's own mirrors serve Debian 12, each with its key; whatever is not Debian stays out."""
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    apt.tell(
        "archives",
        f"Debian|http://mirror.bank.example/debian-main/|trixie|main|{key}\n"
        "Debian|http://mirror.bank.example/debian-main/|trixie|contrib|$(SIGNED_BY)\n"
        "Debian|http://mirror.bank.example/debian-main/|trixie-updates|main|$(SIGNED_BY)\n"
        "Debian|http://mirror.bank.example/security/|trixie-security|main|-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
        " mQINBGPL0BUBEADmW5|NdOOHwPIJlgPBGTt7u\n"
        "Debian Backports|http://mirror.bank.example/debian-main/|trixie-backports|main|$(SIGNED_BY)\n"
        "yarn|https://dl.example.org/debian/|stable|main|$(SIGNED_BY)\n",
    )
    debian.rootfs(tmp_path / "root.tar", ["python3"], _quiet)
    assert _sources(apt) == [
        f"deb [signed-by={key}] http://mirror.bank.example/debian-main/ bookworm main",
        "deb http://mirror.bank.example/debian-main/ bookworm-updates main",
        "deb http://mirror.bank.example/security/ bookworm-security main",
    ]
    assert (tmp_path / "root.tar").read_text() == "root"


def test_on_another_distribution_debians_own_archives_are_used(
    apt: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ubuntu's archives hold no Debian: its package of Debian's keys is installed, and mmdebstrap goes to Debian."""
    monkeypatch.setattr(debian, "KEYRING", tmp_path / "keys.gpg")
    apt.tell("archives", "Ubuntu|http://archive.example/ubuntu/|noble|main|$(SIGNED_BY)\n")
    debian.rootfs(tmp_path / "root.tar", ["python3"], _quiet)
    assert apt.calls("apt-get", "install")[0]["args"][-1] == "debian-archive-keyring"
    (call,) = apt.calls("mmdebstrap")
    suite, target = call["args"][-2:]
    assert (suite, call["sources"]) == (debian.SUITE, "")
    assert target.endswith("root.tar")


def test_a_machine_without_package_lists_reads_them(apt: Wire, tmp_path: Path) -> None:
    """Whose an archive is stands in its list: a fresh container has none yet."""
    apt.tell("archives", "$(ORIGIN)|http://mirror.example/debian/|bookworm|main|$(SIGNED_BY)\n")
    apt.tell("archives-after", "Debian|http://mirror.example/debian/|bookworm|main|$(SIGNED_BY)\n")
    debian.rootfs(tmp_path / "root.tar", ["python3"], _quiet)
    assert _sources(apt) == ["deb http://mirror.example/debian/ bookworm main"]


def test_a_root_appears_whole_or_not_at_all(apt: Wire, tmp_path: Path) -> None:
    """An archive that breaks off leaves no half root, and is told with its last words."""
    apt.tell("archives", "Debian|http://mirror.example/debian/|bookworm|main|$(SIGNED_BY)\n")
    apt.tell("mmdebstrap-fails", "E: Unable to locate package python3")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CommandFailed, match="Unable to locate package python3"):
        debian.rootfs(tmp_path / "root.tar", ["python3"], _quiet)
    assert sorted(tmp_path.iterdir()) == before


def test_promtool_comes_out_of_debians_package(apt: Wire, settings: Settings) -> None:
    """Nothing is installed on the machine, no service started; the second time it is there."""
    apt.program("dpkg-deb", DPKG)
    program = tools.promtool(settings)
    assert program == settings.cache / "tools" / "prometheus-debian" / "usr/bin/promtool"
    assert program.read_text() == "promtool"
    assert tools.promtool(settings) == program
    assert len(apt.calls("apt-get", "download")) == 1
    assert apt.calls("apt-get", "install") == []


def test_the_machines_own_promtool_comes_first(wire: Wire, settings: Settings) -> None:
    """What is there is used; and where there is neither, one line says what to install."""
    with pytest.raises(MissingRequirement, match="prometheus"):
        tools.promtool(settings)
    own = wire.program("promtool", "record()\n")
    assert tools.promtool(settings) == own


def test_what_an_image_does_not_need_is_left_out(apt: Wire, tmp_path: Path) -> None:
    """Paths are removed from the root before it becomes an archive, inside that root only."""
    debian.rootfs(tmp_path / "root.tar", ["python3"], _quiet, ["usr/bin/perl*"])
    (call,) = apt.calls("mmdebstrap")
    assert "--customize-hook=rm -rf $1/usr/bin/perl*" in call["args"]

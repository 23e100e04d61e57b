"""Debian packages: installed on this machine, or laid out as the root of an image."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import MissingRequirement
from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import once

_ONE_AT_A_TIME = threading.Lock()
"""apt locks its database; phases of ours that run side by side would fail on it."""
_LOCKED = 300
"""Seconds that apt waits for another one: a new machine fetches what it lacks by itself."""
SUITE = "bookworm"
"""The release inside our images: its systemd is the last that still runs on cgroup v1."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian's keys, where the package of that name puts them."""


def install(packages: Sequence[str], say: Say) -> None:
    """Install packages with apt.

    Raises:
        MissingRequirement: this is not Debian-like, or we are not root: the user must install them.
        CommandFailed: apt failed.

    """
    names = " ".join(packages)
    if not found("apt-get") or os.geteuid() != 0:
        raise _missing(names)
    say(Text(en=f"installing from the distribution: {names}", fr=f"installation depuis la distribution : {names}"))
    what = Text(en=f"installing {names}", fr=f"installation de {names}")
    command = [
        "apt-get", "install", "-qq", "-y", "--no-install-recommends", "-o", f"DPkg::Lock::Timeout={_LOCKED}", *packages,
    ]  # fmt: skip
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with _ONE_AT_A_TIME:
        try:
            run(command, what=what, env=quiet, timeout=900)
        except CommandFailed:
            # A fresh machine has no package lists, or old ones: fetch them and try once more.
            run(["apt-get", "update", "-qq"], what=what, env=quiet, timeout=300)
            run(command, what=what, env=quiet, timeout=900)


def need(program: str, package: str, say: Say) -> Path:
    """Return the program's path, installing its package when it is missing."""
    path = found(program) or found(f"/usr/sbin/{program}")
    if path is None:
        install([package], say)
        path = found(program) or found(f"/usr/sbin/{program}")
    if path is None:
        raise MissingRequirement(
            Text(en=f"{program} is not on PATH", fr=f"{program} n'est pas dans le PATH"),
            Text(en=f"install the package {package}", fr=f"installez le paquet {package}"),
        )
    return path


def rootfs(target: Path, packages: Sequence[str], say: Say, without: Sequence[str] = ()) -> None:
    """Write a tar archive of a minimal Debian with the given packages, from this machine's own package mirrors.

    Args:
        target: the archive.
        packages: what it holds besides what every Debian does.
        say: told what has to be installed here.
        without: paths (globs) in it that are left out.

    Raises:
        MissingRequirement: mmdebstrap or, on another distribution, Debian's keys are missing and we may not install.
        CommandFailed: an archive does not answer, or lacks a package.

    """
    mmdebstrap = need("mmdebstrap", "mmdebstrap", say)
    what = Text(en=f"Debian root {target.name}", fr=f"racine Debian {target.name}")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        sources = _sources(say)
        listing = Path(scratch) / "sources.list"
        listing.write_text("".join(sources))
        partial = Path(scratch) / "root.tar"
        run(
            [
                mmdebstrap, "--quiet", "--variant=minbase", "--mode=root", "--skip=check/empty",
                f"--include={','.join(packages)}",
                # Documentation goes, licences stay.
                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright",
                "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                # Java's package links manual pages and fails where their folder is excluded.
                "--essential-hook=mkdir -p $1/usr/share/man/man1",
                "--customize-hook=rm -rf $1/var/lib/apt/lists/* $1/var/cache/apt/*.bin $1/var/log/*.log",
                "--customize-hook=rm -f $1/etc/resolv.conf $1/etc/hostname $1/etc/machine-id",
                "--customize-hook=rm -f $1/etc/apt/sources.list",
                *(f"--customize-hook=rm -rf $1/{path}" for path in without),
                SUITE, partial, *([listing] if sources else []),
            ],
            what=what,
            timeout=900,
        )  # fmt: skip
        shutil.move(partial, target)


def extracted(settings: Settings, package: str) -> Path:
    """Return the folder that holds the files of a package, fetched once into the cache; nothing is installed.

    Raises:
        MissingRequirement: this is not Debian-like.
        CommandFailed: apt does not have it.

    """
    if not found("apt-get") or not found("dpkg-deb"):
        raise _missing(package)
    what = Text(en=f"fetching {package}", fr=f"téléchargement de {package}")

    def fetch(scratch: Path) -> Path:
        # Root's apt would hand the download to a user of its own, who may not write here.
        run(
            ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package], what=what, cwd=scratch, timeout=300
        )
        (archive,) = scratch.glob("*.deb")
        run(["dpkg-deb", "-x", archive, scratch / "content"], what=what, timeout=120)
        return scratch / "content"

    return once.made(settings.cache / "tools" / f"{package}-debian", fetch)


def _sources(say: Say) -> list[str]:
    """Return one line for each archive of Debian that apt knows here, turned to our release.

    Another distribution's archives hold none of it: there the list is empty, and mmdebstrap goes to Debian's own, for
    which it needs Debian's keys.
    """
    rows = _archives()
    if not any(row.origin for row in rows):
        # Names come with the package lists, and a fresh machine has none.
        run(["apt-get", "update", "-qq"], what=Text(en="reading apt's archives", fr="lecture des dépôts d'apt"))
        rows = _archives()
    known = {row.line() for row in rows if row.origin == "Debian" and row.component == "main"}
    if known:
        return sorted(known)
    if not KEYRING.exists():
        install(["debian-archive-keyring"], say)
    return []


@dataclass(frozen=True)
class _Archive:
    """One archive as `apt-get indextargets` tells it."""

    origin: str
    address: str
    suite: str
    component: str
    signed_by: str

    def line(self) -> str:
        """Return the line of sources.list that names the same archive for our release."""
        kind = "-security" if "security" in self.suite + self.address else ""
        kind = kind or ("-updates" if "updates" in self.suite else "")
        key = f"[signed-by={self.signed_by}] " if self.signed_by.startswith("/") else ""
        return f"deb {key}{self.address} {SUITE}{kind} main\n"


def _archives() -> list[_Archive]:
    names = ("ORIGIN", "REPO_URI", "RELEASE", "COMPONENT", "SIGNED_BY")
    listing = run(
        ["apt-get", "indextargets", "--format", "|".join(f"$({name})" for name in names), "Created-By: Packages"],
        what=Text(en="listing apt's archives", fr="liste des dépôts d'apt"),
    )
    # A field that apt does not know stays as it was asked for; a key written into the sources spans further lines.
    rows = [["" if word.startswith("$(") else word for word in line.split("|")] for line in listing.splitlines()]
    return [_Archive(*row) for row in rows if len(row) == len(names)]


def _missing(names: str) -> MissingRequirement:
    return MissingRequirement(
        Text(en=f"these programs are missing: {names}", fr=f"ces programmes manquent : {names}"),
        Text(
            en=f"install them with your system's package manager ({names}), or run as root on Debian",
            fr=f"installez-les avec le gestionnaire de paquets du système ({names}), ou relancez en root sur Debian",
        ),
    )

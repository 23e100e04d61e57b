"""Debian packages: installed on this machine, or laid out as the root of an image."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.errors import MissingRequirement
from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.text import Text

SUITE = "bookworm"
"""The release inside our images: its systemd is the last that still runs on cgroup v1."""


def install(packages: Sequence[str], say: Say) -> None:
    """Install packages with apt.

    Raises:
        MissingRequirement: this is not Debian-like, or we are not root: the user must install them.
        CommandFailed: apt failed.

    """
    names = " ".join(packages)
    if not found("apt-get") or os.geteuid() != 0:
        raise MissingRequirement(
            Text(en=f"these programs are missing: {names}", fr=f"ces programmes manquent : {names}"),
            Text(
                en=f"install them with your system's package manager ({names}), or run as root on Debian",
                fr=f"installez-les avec le gestionnaire de paquets du système ({names}), "
                "ou relancez en root sur Debian",
            ),
        )
    say(
        Text(
            en=f"installing from the distribution: {names}",
            fr=f"installation depuis la distribution : {names}",
        )
    )
    what = Text(en=f"installing {names}", fr=f"installation de {names}")
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
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


def rootfs(target: Path, packages: Sequence[str], say: Say) -> None:
    """Write a tar archive of a minimal Debian with the given packages, from this machine's own package mirrors."""
    mmdebstrap = need("mmdebstrap", "mmdebstrap", say)
    what = Text(en=f"Debian root {target.name}", fr=f"racine Debian {target.name}")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        sources = Path(scratch) / "sources.list"
        sources.write_text("".join(_sources()))
        partial = Path(scratch) / "root.tar"
        run(
            [
                mmdebstrap, "--quiet", "--variant=minbase", "--mode=root", "--skip=check/empty",
                f"--include={','.join(packages)}",
                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright",
                "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                # Java's package links manual pages and fails where their folder is excluded.
                "--essential-hook=mkdir -p $1/usr/share/man/man1",
                "--customize-hook=rm -rf $1/var/lib/apt/lists/* $1/var/cache/apt/*.bin $1/var/log/*.log",
                "--customize-hook=rm -f $1/etc/resolv.conf $1/etc/hostname $1/etc/machine-id",
                "--customize-hook=rm -f $1/etc/apt/sources.list",
                SUITE, partial, sources,
            ],
            what=what,
            timeout=900,
        )  # fmt: skip
        shutil.move(partial, target)


def _sources() -> list[str]:
    """Return one line for each main archive that apt knows here, turned to our release."""
    fields = "$(REPO_URI) $(CODENAME) $(SUITE) $(COMPONENT) $(SIGNED_BY)"
    listing = run(
        ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"],
        what=Text(en="listing apt's archives", fr="liste des dépôts d'apt"),
    )
    lines = set()
    for row in listing.splitlines():
        address, *rest = row.split(" ")
        if "main" not in rest or "debian" not in address:
            continue
        kind = _kind(address, " ".join(rest[:2]))
        lines.add(f"deb [trusted=no] {address} {SUITE}{kind} main\n".replace("[trusted=no] ", _key(rest[-1])))
    return sorted(lines)


def _kind(address: str, names: str) -> str:
    if "security" in address or "security" in names:
        return "-security"
    return "-updates" if "updates" in names else ""


def _key(signed_by: str) -> str:
    return f"[signed-by={signed_by}] " if signed_by.startswith("/") else ""

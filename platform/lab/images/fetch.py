"""What enters an image, fetched and compiled on the host: with its mirrors, its certificates and its caches."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lab.images.catalogue import Catalogue, Image
from lab.process import run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import debian, golang

ROOT = "root.tar"
"""The root file system of an image in its build context."""
_PYTHON = "3.11"
"""Python inside the images: Debian bookworm's."""
_PINNED = re.compile(r"[A-Za-z0-9][\w.\[\]-]*==")
"""The line of a lock file that begins a package."""
_PLATFORM = "manylinux_2_31"
"""What wheels may be made for at most: the images' C library is bookworm's 2.36; Envoy's wheel needs 2.31."""


def stage(catalogue: Catalogue, name: str, folder: Path, settings: Settings, say: Say) -> None:
    """Lay out the build context of an image.

    Args:
        catalogue: where the image is declared.
        name: the image.
        folder: empty, or holding only the root of the image (`ROOT`), which then is not made.
        settings: where the cache is.
        say: told what takes long.

    Raises:
        CommandFailed: something cannot be fetched or compiled.
        MissingRequirement: a program is missing and may not be installed.

    """
    image = catalogue.image(name)
    shutil.copytree(catalogue.folder / name, folder, dirs_exist_ok=True)
    if image.debian and not (folder / ROOT).exists():
        debian.rootfs(folder / ROOT, image.debian, say, image.without)
    there = _locked(catalogue.root / lock for lock in catalogue.inherited(name))
    for lock in image.wheels:
        _wheels(catalogue.root / lock, folder / "site", there)
    if image.maven:
        _jars(folder / image.maven, folder / "jars", say)
    if image.go:
        program = golang.compiled(settings, say, image.go.module, image.go.version, image.go.package)
        shutil.copy(program, folder / "program")
    if image.program:
        golang.build(settings, say, catalogue.root / image.program, ".", folder / "program", "-mod=readonly")
    _sources(catalogue, image, folder / "src")


def _locked(locks: Iterable[Path]) -> set[str]:
    """Return the packages of lock files, each with its version: `numpy==2.4.1`."""
    return {first.split()[0] for lock in locks for first in lock.read_text().splitlines() if _PINNED.match(first)}


def _without(lock: Path, there: set[str]) -> str:
    """Return a lock file without the packages that are there already, and without its comments."""
    kept: list[str] = []
    wanted = True
    for line in lock.read_text().splitlines():
        if _PINNED.match(line):
            wanted = line.split()[0] not in there
        elif not line.startswith((" ", "\t")):
            wanted = True
        if wanted and not line.lstrip().startswith("#"):
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


def _wheels(lock: Path, target: Path, there: set[str]) -> None:
    """Unpack what a lock file has beyond the image's parents, for the Python inside the image, whatever runs here."""
    target.mkdir(parents=True, exist_ok=True)  # recipes copy it, whatever is left to unpack
    with tempfile.TemporaryDirectory() as folder:
        missing = Path(folder) / lock.name
        missing.write_text(_without(lock, there))
        _unpacked(missing, target)


def _unpacked(lock: Path, target: Path) -> None:
    # uv and not pip: it takes several packages at a time, and those that the tool's own environment has from its cache.
    run(
        [
            Path(sys.prefix) / "bin" / "uv", "pip", "install", "--quiet", "--native-tls", "--no-deps",
            "--require-hashes", "--only-binary=:all:", f"--python-version={_PYTHON}",
            f"--python-platform={_machine()}-{_PLATFORM}",
            "--target", target, "-r", lock,
        ],
        what=Text(en=f"fetching {lock.name}", fr=f"téléchargement de {lock.name}"),
        timeout=600,
    )  # fmt: skip
    (target / ".lock").unlink(missing_ok=True)  # uv's own, while it writes


def _machine() -> str:
    """Return this machine's processor as wheels name it; its engine runs images of the same."""
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())


def _jars(pom: Path, target: Path, say: Say) -> None:
    maven = debian.need("mvn", "maven", say)
    run(
        [maven, "--quiet", "--batch-mode", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
         f"-DoutputDirectory={target}"],
        what=Text(en="fetching Kafka's jars", fr="téléchargement des jars de Kafka"),
        timeout=600,
    )  # fmt: skip


def _sources(catalogue: Catalogue, image: Image, target: Path) -> None:
    for source in image.sources:
        origin, copy = catalogue.root / source, target / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_file():
            shutil.copy(origin, copy)
        else:
            shutil.copytree(origin, copy, ignore=shutil.ignore_patterns("__pycache__", "*.md"))

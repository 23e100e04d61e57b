"""What a k3s server leaves on its machine when it ends: its pods live on by design, until they are swept away."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lab.process import CommandFailed, found, run
from lab.text import Text

_SHIM = "containerd-shim"
_LINKS = ("cni0", "flannel.1")
_CHAINS = ("KUBE-", "CNI-", "flannel", "FLANNEL")


def sweep(folder: Path, sockets: Path) -> None:
    """End the pods, unmount what lies under the folders, and take the cluster's network links and rules away.

    Args:
        folder: the cluster's.
        sockets: where k3s keeps its sockets; removed.

    """
    for pid in pods(Path("/proc"), sockets):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    unmount(folder, sockets)
    for link in _LINKS:
        if Path(f"/sys/class/net/{link}").exists():
            _try("ip", "link", "delete", link)
    for family in ("iptables", "ip6tables"):
        _rules(family)
    shutil.rmtree(sockets, ignore_errors=True)


def unmount(*folders: Path) -> None:
    """Unmount what lies under the folders, so that removing them removes nothing else."""
    for point in mounts(Path("/proc/self/mounts").read_text(), folders):
        _try("umount", "--lazy", point)


def pods(proc: Path, sockets: Path) -> list[int]:
    """Return the processes of pods: the shims that speak to this containerd, and all that descend from them."""
    parents: dict[int, int] = {}
    shims: set[int] = set()
    for folder in proc.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text(errors="replace").split("\0")
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if Path(words[0]).name.startswith(_SHIM) and any(word.startswith(f"{sockets}/") for word in words):
            shims.add(int(folder.name))
    return sorted(pid for pid in parents if _line(pid, parents) & shims)


def mounts(table: str, folders: Iterable[Path]) -> list[str]:
    """Return the mount points under the folders, innermost first, from /proc/self/mounts."""
    points = [line.split(" ")[1].encode().decode("unicode_escape") for line in table.splitlines() if line]
    return sorted(
        (point for point in points if any(Path(point).is_relative_to(each) for each in folders)), reverse=True
    )


def without_cluster(rules: str) -> str:
    """Return what `iptables-save` printed without the rules and chains of Kubernetes and its network."""
    return "".join(line for line in rules.splitlines(keepends=True) if not any(each in line for each in _CHAINS))


def _line(pid: int, parents: dict[int, int]) -> set[int]:
    """Return a process and its ancestors."""
    line: set[int] = set()
    while pid in parents and pid not in line:
        line.add(pid)
        pid = parents[pid]
    return line


def _rules(family: str) -> None:
    if not found(f"{family}-save"):
        return
    what = Text.plain(f"{family}-restore")
    with suppress(CommandFailed):
        before = run([f"{family}-save"], what=what, timeout=30)
        after = without_cluster(before)
        if after != before:
            run([f"{family}-restore"], what=what, input=after, timeout=30)


def _try(*words: str) -> None:
    """Run a step whose failure only means that there was nothing to do."""
    with suppress(CommandFailed):
        run(words, what=Text.plain(words[0]), timeout=30)

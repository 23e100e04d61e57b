"""Whether the next lab fits this machine: what it declares to take against what there is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import budget, images
from lab.api import Api
from lab.budget import MIB
from lab.cluster import Cluster, Status, choose
from lab.cluster import engine as engines
from lab.diagnose import machine
from lab.diagnose.findings import Finding, Level
from lab.errors import LabError
from lab.settings import Settings
from lab.spec import Course, LabSpec
from lab.state.record import Record
from lab.text import Text

_TIGHT = 1.15
"""So much more than what is needed is comfortable; between that and what is needed it is tight."""
_SLOW = 2
"""So many times the declared time is slow."""
_ENGINE = Path("/var/lib/docker")
"""Where an engine that the tool will install keeps its data."""
_K3S = Path("/var/lib/rancher/k3s")


@dataclass(frozen=True)
class _Standing:
    """What there is before the lab comes.

    Attributes:
        cluster: where it comes up.
        runs: whether that runs.
        lab: the lab that stands, if it does.
        missing: the lab's images that would have to be pulled or built; None where no engine tells.
        data: the folder in which the node and the engine keep theirs; None on somebody else's cluster.

    """

    cluster: Cluster
    runs: bool
    lab: LabSpec | None
    missing: list[str] | None
    data: Path | None


def examine(settings: Settings, number: str | None) -> list[Finding]:
    """Return what is to be expected of a lab.

    Args:
        settings: which cluster it comes up on.
        number: the lab's; None: that after the one that stands, 01 where none does; none after the last one.

    Raises:
        BadInput: there is no such lab.

    """
    course = Course(settings.root)
    stood = Record(settings).lab()
    code = number or _next(course, stood)
    if code is None:
        return []
    lab = course.lab(code)
    try:
        before = _before(settings, course, lab, stood)
    except LabError:
        return []  # an engine that refuses us, a cluster of another kind: findings of their own
    used = _used(settings) if before.runs else 0
    cores = os.cpu_count() or 1
    stands = set(before.lab.components) if before.lab else (set() if before.runs else None)
    seconds = budget.expected(lab, stands, cores)["seconds"]
    return [
        memory(lab.code, lab.budget.peak_mib, machine.meminfo()["MemAvailable"] // 1024, used),
        disk(lab.code, dict(_needs(settings, lab, before)), machine.free),
        duration(lab, seconds, cores, before.missing),
    ]


def memory(code: str, needed: int, free: int, used: int) -> Finding:
    """Judge the memory, all in MiB.

    Args:
        code: the lab's number.
        needed: by the whole stack at its peak.
        free: on this machine.
        used: by what stands already, which is part of what is needed.

    """
    what = Text(
        en=f"{needed} MiB of memory needed at the peak, {free} free and {used} used by what stands",
        fr=f"{needed} Mio de mémoire nécessaires au plus haut, {free} libres et {used} pris par ce qui est debout",
    )
    level = _level(needed, free + used)
    remedy = Text(
        en=f"close programs that hold {_short(needed, free + used)} MiB, or take a machine with more memory",
        fr=f"fermez des programmes qui tiennent {_short(needed, free + used)} Mio, ou prenez une machine plus grande",
    )
    return Finding(f"lab {code} memory", level, what, None if level is Level.GOOD else remedy)


def disk(code: str, needs: Mapping[Path, int], free: machine.Free) -> Finding:
    """Judge the disk where the engine and the cache keep theirs; what needs both at one place needs the sum.

    Args:
        code: the lab's number.
        needs: folder -> MiB that will be written there.
        free: returns the bytes that are free at a folder.

    """
    places: dict[int, list[Path]] = {}
    for folder in needs:
        places.setdefault(_device(folder), []).append(folder)
    judged = []
    for folders in places.values():
        needed, there = sum(needs[each] for each in folders), free(folders[0]) // MIB
        named = [str(each) for each in folders if needs[each]] or [str(folders[0])]
        judged.append((there - needed, needed, there, " + ".join(named)))
    _, needed, there, where = min(judged)
    what = Text(
        en=f"{needed} MiB of disk needed in {where}, {there} free",
        fr=f"{needed} Mio de disque nécessaires dans {where}, {there} libres",
    )
    level = _level(needed, there)
    remedy = Text(
        en=f"free {_short(needed, there)} MiB there (`docker system df` says what the engine holds), or set LAB_CACHE"
        " to a larger disk",
        fr=f"libérez-y {_short(needed, there)} Mio (`docker system df` dit ce que tient le moteur), ou placez LAB_CACHE"
        " sur un disque plus grand",
    )
    return Finding(f"lab {code} disk", level, what, None if level is Level.GOOD else remedy)


def duration(lab: LabSpec, seconds: float, cores: int, missing: list[str] | None) -> Finding:
    """Tell the time until ready; there is no figure for images that have to be pulled or built first."""
    first = Text(en="", fr="")
    if missing:
        first = Text(
            en=f", after {len(missing)} images were pulled or built: minutes for each",
            fr=f", après {len(missing)} images à télécharger ou à construire : des minutes pour chacune",
        )
    what = Text(
        en=f"ready in about {seconds:.0f} s on {cores} cores{first.en}",
        fr=f"debout en {seconds:.0f} s environ sur {cores} cœurs{first.fr}",
    )
    if seconds <= _SLOW * lab.budget.seconds and cores >= machine.CORES:
        return Finding(f"lab {lab.code} time", Level.GOOD, what)
    remedy = Text(
        en=f"give the machine {machine.CORES} cores or more, or have patience",
        fr=f"donnez au moins {machine.CORES} cœurs à la machine, ou patientez",
    )
    return Finding(f"lab {lab.code} time", Level.WARNING, what, remedy)


def _level(needed: int, there: int) -> Level:
    if there < needed:
        return Level.BAD
    return Level.WARNING if there < needed * _TIGHT else Level.GOOD


def _short(needed: int, there: int) -> int:
    """Return what is missing for comfort."""
    return max(0, round(needed * _TIGHT) - there)


def _next(course: Course, stood: str | None) -> str | None:
    return next((code for code in course.codes() if stood is None or code > stood), None)


def _before(settings: Settings, course: Course, lab: LabSpec, stood: str | None) -> _Standing:
    cluster = choose(settings)
    runs = cluster.status() is Status.RUNNING
    there = course.lab(stood) if runs and stood in course.codes() else None
    engine = engines.running()
    missing = (
        images.absent(images.Catalogue(settings.root), sorted(course.images(lab)), engine, settings) if engine else None
    )
    root = {"kind": (engine.root() if engine else None) or _ENGINE, "k3s": _K3S}.get(cluster.backend)
    return _Standing(cluster, runs, there, missing, root)


def _needs(settings: Settings, lab: LabSpec, before: _Standing) -> Iterator[tuple[Path, int]]:
    """Yield each folder with the MiB that will be written there: images in engine and cache, the lab in the node."""
    course = Course(settings.root)
    share = 1.0 if before.missing is None else min(1.0, len(before.missing) / len(course.images(lab)))
    made = round(lab.budget.images_mib * share)
    yield settings.cache, made
    if before.data:
        there = before.lab.budget.disk_mib if before.lab else 0
        yield before.data, made + max(0, lab.budget.disk_mib - there)


def _used(settings: Settings) -> int:
    """Return the MiB that the nodes use now; 0 where they do not tell, or where they are other machines."""
    if choose(settings).backend == "context":
        return 0
    try:
        api = Api(settings)
    except LabError:
        return 0
    seen = budget.use(api, budget.names(api.nodes()))
    return seen.memory // MIB if seen else 0


def _device(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return folder.stat().st_dev

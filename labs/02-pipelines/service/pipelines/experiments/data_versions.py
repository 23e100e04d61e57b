"""Versions of a training set: what DVC brings back and what Delta does, here, elsewhere, once the lake has gone on."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lake import remote, training
from lake.manifest import Manifest
from lake.versions import Workspace, keys
from pipelines.experiments.desk import Desk, Elsewhere, Kept, Span, begun
from pipelines.stage import Stage
from runtime.figures import Result, rounded, row, timed

ALWAYS, PINNED = "always", "manifest"
FIRST, SECOND = Span(8, 10), Span(8, 11)
"""Days of the two versions."""
_CHANGES = ("added", "deleted", "modified")
_SHOWN = 12  # characters of a fingerprint, enough for people to compare

T = TypeVar("T")


class Clock:
    """How long steps take: name -> seconds, as often as the step was carried out."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    def step(self, name: str, act: Callable[[], T]) -> T:
        """What a step gives."""
        seconds, given = timed(act)
        self.taken.setdefault(name, []).append(seconds)
        return given


def data_versions(stage: Stage) -> Result:
    """Keep two versions of a training set, let the lake go on, and try to have the first one again in every way.

    Raises:
        StoreAway: the object store does not answer.
        ToolFailed: DVC or git fails where it should not.
    """
    settings = stage.settings
    own = replace(stage.store, root=stage.store.path("data-versions"))
    contents = replace(stage.store, root=settings.dvc_remote)
    with tempfile.TemporaryDirectory() as folder:
        work = Workspace(Path(folder) / "mine", keys(settings))
        desk = begun(stage.lake(), own, contents, work, (FIRST.first, SECOND.end))
        chosen = {"dvc_push": settings.dvc_push, "rebuild": settings.rebuild}
        return {"settings": chosen, **versioned(desk, **chosen)}


def versioned(desk: Desk, dvc_push: str, rebuild: str) -> Result:
    """The two versions, and each way back to the first of them."""
    clock, push = Clock(), dvc_push == ALWAYS
    first = clock.step("keep", lambda: desk.keep(FIRST, push=push))
    desk.late_flights_arrive()
    second = clock.step("keep", lambda: desk.keep(SECOND, push=push))
    differ = clock.step("diff", lambda: desk.work.diff(first.commit, second.commit))
    checked_out = clock.step("checkout", lambda: desk.brought_back(first))
    rebuilt = clock.step("rebuild", lambda: desk.rebuilt(pinned=rebuild == PINNED))
    delta = _delta(desk, clock, first)
    there = clock.step("pull", lambda: desk.elsewhere(first))
    content = {"first": first.manifest.sha256, "second": second.manifest.sha256}
    content |= {"checked_out": checked_out, "pulled": there.sha256 or "", "rebuilt": rebuilt}
    return {
        "versions": {"first": _told(first), "second": _told(second)},
        "diff": {kind: [each["path"] for each in differ.get(kind, ())] for kind in _CHANGES},
        "content": {name: sha256[:_SHOWN] or None for name, sha256 in content.items()},
        "said": there.said,
        "tied": _tied(there.manifest),
        "delta": delta,
        "remote": {**_stored(desk), "bytes_of_versions": first.bytes + second.bytes},
        "seconds_of": {name: rounded(sum(seconds)) for name, seconds in clock.taken.items()},
        "figures": _figures(clock, there),
    }


def _told(kept: Kept) -> Result:
    return {"commit": kept.commit[:_SHOWN], "rows": kept.manifest.rows, "bytes": kept.bytes}


def _delta(desk: Desk, clock: Clock, first: Kept) -> Result:
    """What Delta says of the flights as they were, and whether the vacuum leaves it anything to say."""
    then = next(each for each in first.manifest.tables if each.name == training.FLIGHTS)
    rows = clock.step("time_travel", lambda: desk.flights_in(then))
    desk.lake.vacuum(training.FLIGHTS, 0)
    return {
        "version": then.version,
        "rows_then": rows,
        "rows_now": desk.flights.height,
        "readable_after_vacuum": desk.readable(),
    }


def _tied(known: Manifest | None) -> Result | None:
    """What the copy of a colleague tells of where it comes from."""
    if known is None:
        return None
    tables = {each.name: each.version for each in known.tables}
    return {"registry": known.registry[:_SHOWN], "recipe": known.recipe[:_SHOWN], "tables": tables}


def _stored(desk: Desk) -> Result:
    sizes = remote.sizes(desk.contents)
    return {"files": len(sizes), "bytes": sum(sizes.values())}


def _figures(clock: Clock, there: Elsewhere) -> list[Result]:
    taken = {name: seconds[0] for name, seconds in clock.taken.items()}
    return [
        row("DVC: keep", "recommendation", seconds=clock.taken["keep"]),
        row("DVC: checkout", "recommendation", recovery=taken["checkout"]),
        row("DVC: pull elsewhere", "recommendation", recovery=taken["pull"] if there.sha256 else None),
        row("Delta: time travel", "recommendation", recovery=taken["time_travel"]),
        row("Delta: make the set again", "recommendation", recovery=taken["rebuild"]),
    ]

"""Jumps: what stands is taken away, and a kept state is put back; where none is kept, it is replayed, and kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from lab import checkpoint, images, seeds, volumes
from lab.api import Api
from lab.checkpoint import Kept
from lab.cluster import Status, choose
from lab.compare import measure
from lab.converge import Outcome, converge
from lab.errors import BadInput
from lab.progress import Progress
from lab.reset import Cleared, clear
from lab.settings import Settings
from lab.spec import Course, LabSpec
from lab.stack.manifests import Manifests, workplace
from lab.state.record import Record
from lab.text import Text

START, SOLVED, OWN = "start", "solved", "own"
_REACHED = ("kind", "k3s")
"""Backends whose nodes the tool can enter."""
_STASHES = 3
"""Of a lab; older ones make room."""


@dataclass
class Jumped:
    """What a jump did.

    Attributes:
        outcome: the lab that stands now.
        cleared: what was taken away.
        put_back: the kept state that was put back; None where it was replayed.
        stashed: where the trainee's own state is kept; None where there was none.
        undone: exercises that a replayed solution leaves undone; where there are any, it was not kept.

    """

    outcome: Outcome
    cleared: Cleared = field(default_factory=lambda: Cleared([]))
    put_back: Kept | None = None
    stashed: Kept | None = None
    undone: list[str] = field(default_factory=list)


def reset(settings: Settings, code: str, display: Progress) -> Jumped:
    """Bring a lab back to its start; what stands is taken away, and nothing of it is left.

    Raises:
        Residue: something is left; lists it.

    """
    lab, _ = _declared(settings, code)
    # Elsewhere replaying is quicker than stopping the broker for the content of its volume.
    kept = _fitting(settings, code, START) if lab.checkpoint else None
    jumped = _replaced(settings, code, START, display, kept)
    if kept is None and lab.checkpoint and _within_reach(settings):
        _keep(settings, code, START, display)
    return jumped


def up(settings: Settings, code: str, display: Progress) -> Outcome:
    """Bring a lab up from whatever stands; on a cluster where none stood yet its start is what is there, and kept."""
    first = Record(settings).lab() is None
    outcome = converge(settings, code, display)
    lab, folder = _declared(settings, code)
    wanted = first and lab.checkpoint and Manifests(settings, folder, lab).is_(START) and _within_reach(settings)
    if wanted and not _fitting(settings, code, START):
        _keep(settings, code, START, display)
    return outcome


Undone = Callable[[], list[str]]
"""Asks the checks of the lab that stands which exercises are not done."""


def goto(settings: Settings, code: str, state: str, display: Progress, undone: Undone) -> Jumped:
    """Bring any lab to its start or its solution; what a trainee has now is stashed first.

    Args:
        settings: which cluster.
        code: the lab's number.
        state: `start` or `solved`.
        display: shows the phases.
        undone: asked of a solution that was replayed: only one that is whole is kept.

    Raises:
        Residue: something of what stood is left; lists it.

    """
    kept = _fitting(settings, code, state)
    stashed = stash(settings, display)
    jumped = _replaced(settings, code, state, display, kept)
    jumped.stashed = stashed
    if kept is None:
        if state == SOLVED:
            _measured(settings, code, display)
            jumped.undone = undone()
        if not jumped.undone:
            _keep(settings, code, state, display)
    return jumped


def stash(settings: Settings, display: Progress) -> Kept | None:
    """Keep what stands now, with the trainee's files; None where no lab stands."""
    code = Record(settings).lab()
    if code is None or choose(settings).status() is not Status.RUNNING:
        return None
    with display.phase("stash") as phase:
        display.teller(phase)(Text(en="keeping what stands now", fr="sauvegarde de ce qui est debout"))
        return _taken(settings, code, OWN)


def restore(settings: Settings, name: str, display: Progress) -> Jumped:
    """Bring a stash back, with the files that the trainee had.

    Raises:
        BadInput: there is no such stash.
        Residue: something of what stood is left; lists it.

    """
    kept = checkpoint.stashes(settings).named(name)
    code = kept.snapshot.lab
    if kept.snapshot.key != _key(settings, code, OWN):
        raise BadInput(
            Text(
                en=f"stash {name} was kept by another version of the labs",
                fr=f"la sauvegarde {name} vient d'une autre version des labs",
            ),
            Text(
                en="check that version out (git), or keep your files and begin anew: `lab reset`",
                fr="reprenez cette version (git), ou gardez vos fichiers et recommencez : `lab reset`",
            ),
        )
    return _replaced(settings, code, START, display, kept)


def keep(settings: Settings, code: str, state: str, display: Progress, undone: Undone) -> Kept:
    """Keep the state that stands as a lab's start or solution.

    Raises:
        BadInput: another lab stands, its files are neither the start's nor the solution's, or an exercise is not done.

    """
    lab, folder = _declared(settings, code)
    if Record(settings).lab() != code:
        raise BadInput(
            Text(en=f"lab {code} does not stand", fr=f"le lab {code} n'est pas debout"),
            Text(en=f"bring it up first: `lab up {code}`", fr=f"démarrez-le d'abord : `lab up {code}`"),
        )
    if not Manifests(settings, folder, lab).is_(state):
        raise BadInput(
            Text(
                en=f"the working copy of lab {code} is not its {state}",
                fr=f"la copie de travail du lab {code} n'est pas son état {state}",
            ),
            Text(
                en=f"`lab goto {code} --state {state}` brings it there and keeps it",
                fr=f"`lab goto {code} --state {state}` l'y amène et le garde",
            ),
        )
    if state == SOLVED and (missing := undone()):
        raise BadInput(
            Text(
                en=f"lab {code} is not solved yet: {', '.join(missing)}",
                fr=f"le lab {code} n'est pas encore résolu : {', '.join(missing)}",
            ),
            Text(
                en=f"`lab check {code}` says what is missing; `lab solve {code}` measures the solution",
                fr=f"`lab check {code}` dit ce qui manque ; `lab solve {code}` mesure la solution",
            ),
        )
    return _keep(settings, code, state, display)


def _replaced(settings: Settings, code: str, state: str, display: Progress, kept: Kept | None) -> Jumped:
    """Take away what stands, and bring a lab up from a kept state, or anew."""
    cleared = Cleared([])
    cluster = choose(settings)
    if kept:
        checkpoint.whole(kept)
    with ExitStack() as stack:
        arrival = None
        if cluster.status() is Status.RUNNING:
            with display.phase("remove") as phase:
                say = display.teller(phase)
                cluster.settle(say)
                if kept:
                    arrival = stack.enter_context(checkpoint.Arrival(Api(settings), cluster, kept))
                cleared = clear(settings, code, say, state=state, topics=kept is None)
            for each in cleared.kept:
                where = each.relative_to(settings.root)
                display.say(Text(en=f"your own files are kept in {where}", fr=f"vos fichiers sont gardés dans {where}"))
        else:
            lab, folder = _declared(settings, code)
            Manifests(settings, folder, lab).replace(state)
        if kept and kept.snapshot.state == OWN:
            _write(settings, code, kept.snapshot.work)
        outcome = converge(settings, code, display, anew=True, kept=arrival or kept)
    return Jumped(outcome, cleared, kept)


def _measured(settings: Settings, code: str, display: Progress) -> None:
    """Measure a solution as a trainee would: checks judge figures."""
    lab, _ = _declared(settings, code)
    if lab.experiments:
        with display.phase("experiments") as phase:
            measure(settings, code, lab.experiments, display.teller(phase))


def _keep(settings: Settings, code: str, state: str, display: Progress) -> Kept:
    with display.phase("checkpoint"):
        return _taken(settings, code, state)


def _taken(settings: Settings, code: str, state: str) -> Kept:
    course = Course(settings.root)
    lab = course.lab(code)
    own = state == OWN
    return checkpoint.take(
        Api(settings), choose(settings), checkpoint.stashes(settings) if own else checkpoint.checkpoints(settings),
        sorted({course.components[name].namespace for name in lab.components} | {lab.namespace}),
        lab=code, state=state, key=_key(settings, code, state), most=_STASHES if own else 1,
        work=_read(workplace(settings, course.folder(code))) if own else {},
    )  # fmt: skip


def _within_reach(settings: Settings) -> bool:
    """Say whether the cluster's volumes are folders that the tool can come to; else nothing is kept by the way."""
    if choose(settings).backend not in _REACHED:
        return False
    try:
        volumes.default_class(Api(settings))
    except BadInput:
        return False
    return True


def _declared(settings: Settings, code: str) -> tuple[LabSpec, Path]:
    """Return a lab's declaration and its folder."""
    course = Course(settings.root)
    return course.lab(code), course.folder(code)


def _fitting(settings: Settings, code: str, state: str) -> Kept | None:
    return checkpoint.checkpoints(settings).find(code, state, _key(settings, code, state))


def _key(settings: Settings, code: str, state: str) -> str:
    course = Course(settings.root)
    lab = course.lab(code)
    catalogue = images.Catalogue(settings.root)
    parts = [catalogue.reference(name) for name in course.images(lab)]
    if state == SOLVED and seeds.decides(course.folder(code) / "manifests"):
        parts.append(f"seed {seeds.drawn(settings)}")  # what was measured holds the answers of one seed
    return checkpoint.key(course, code, parts)


def _read(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(errors="surrogateescape") for path in files}


def _write(settings: Settings, code: str, work: dict[str, str]) -> None:
    """Make the working copy what it was."""
    folder = workplace(settings, Course(settings.root).folder(code))
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in work.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, errors="surrogateescape")

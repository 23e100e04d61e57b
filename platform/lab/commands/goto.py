"""`lab goto NN` and `lab checkpoint NN`."""

from __future__ import annotations

import sys
import time
from functools import partial

import click

from lab import jump
from lab.checkpoint import Kept
from lab.checks import runner
from lab.checks.loader import load
from lab.commands import challenge
from lab.commands.common import number, output, progress, standing, wanted
from lab.commands.explained import RESET, explained
from lab.commands.observed import observe
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_THERE = Text(
    en="Lab {lab} is at its {state} ({seconds:.0f} s, {how}).",
    fr="Le lab {lab} est à l'état {state} ({seconds:.0f} s, {how}).",
)
_PUT_BACK = Text(en="put back from checkpoint {name}", fr="remis depuis le point de reprise {name}")
_REPLAYED = Text(en="replayed; the next time it is put back", fr="rejoué ; la prochaine fois il sera remis")
_STASHED = Text(
    en="what stood before is kept: `lab stash restore {name}`",
    fr="ce qui était là est gardé : `lab stash restore {name}`",
)
_UNDONE = Text(
    en="it was not kept, for its checks say that it is not done: {undone}; see `lab check {lab}`, then jump again",
    fr="il n'a pas été gardé : d'après ses vérifications il manque {undone} ; voir `lab check {lab}`, puis relancez",
)
_NOT_SOLVED = 1
_KEPT = Text(
    en="Lab {lab}: {state} is kept as {name}, {size:.0f} MB.",
    fr="Lab {lab} : {state} est gardé sous {name}, {size:.0f} Mo.",
)
_state = click.option(
    "--state",
    type=click.Choice([jump.START, jump.SOLVED]),
    default=jump.START,
    help="The lab's start, or its solution.",
)


@click.command()
@number
@_state
@output
@click.pass_obj
def goto(settings: Settings, number: str | None, state: str, output: str) -> None:
    """Jump to a lab's start or solution; what stands is stashed first. / Aller au départ ou à la solution d'un lab."""
    code = wanted(settings, number)
    Course(settings.root).lab(code)
    display = progress(settings, output)
    started = time.monotonic()
    # A challenge is not stashed: what it broke is given back first.
    with lock(settings, f"goto {code}", display.say), challenge.ended(settings), explained(settings, code, RESET):
        jumped = jump.goto(settings, code, state, display, partial(_undone, settings, code))
    seconds = time.monotonic() - started
    back, stashed = jumped.put_back, jumped.stashed
    if output == "json":
        names = {"checkpoint": back.name if back else None, "stash": stashed.name if stashed else None}
        verdict = {"lab": code, "state": state, "verdict": "undone" if jumped.undone else "there", **names}
        times = {"seconds": round(seconds, 2), "phases": display.as_json()}
        click.echo(dump({**verdict, "undone": jumped.undone, **times}))
    else:
        _tell(settings, code, state, jumped, seconds)
    if jumped.undone:
        sys.exit(_NOT_SOLVED)


def _tell(settings: Settings, code: str, state: str, jumped: jump.Jumped, seconds: float) -> None:
    back = jumped.put_back
    how = _PUT_BACK.in_(settings.lang).format(name=back.name) if back else _REPLAYED.in_(settings.lang)
    if jumped.undone:
        how = _UNDONE.in_(settings.lang).format(undone=", ".join(jumped.undone), lab=code)
    click.echo(_THERE.in_(settings.lang).format(lab=code, state=state, seconds=seconds, how=how))
    if jumped.stashed:
        click.echo(_STASHED.in_(settings.lang).format(name=jumped.stashed.name))


def _undone(settings: Settings, code: str) -> list[str]:
    """Ask the checks of the lab that stands which exercises are not done."""
    course = Course(settings.root)
    lab = course.lab(code)
    results = runner.run(lab.exercises, load(course.folder(code), lab.exercises), observe(settings, lab))
    return [each.exercise for each in results if not each.passed]


@click.command()
@number
@_state
@output
@click.pass_obj
def checkpoint(settings: Settings, number: str | None, state: str, output: str) -> None:
    """Keep the state that stands, for `lab goto` and `lab reset`. / Garder l'état debout, pour y revenir."""
    code = wanted(settings, number)
    Course(settings.root).lab(code)
    standing(settings)
    display = progress(settings, output)
    with lock(settings, f"checkpoint {code}", display.say):
        kept = jump.keep(settings, code, state, display, partial(_undone, settings, code))
    if output == "json":
        click.echo(dump(told(kept)))
        return
    size = kept.snapshot.bytes / 1e6
    click.echo(_KEPT.in_(settings.lang).format(lab=code, state=state, name=kept.name, size=size))


def told(kept: Kept) -> dict[str, object]:
    """Return what machines are told of a kept state."""
    facts = kept.snapshot.model_dump(include={"lab", "state", "made", "digest", "bytes"})
    return {"name": kept.name, **facts, "archive": str(kept.archive)}

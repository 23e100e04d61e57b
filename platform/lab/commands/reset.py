"""`lab reset [NN]`."""

from __future__ import annotations

import time

import click

from lab import jump
from lab.commands import challenge
from lab.commands.common import number, output, progress, standing, wanted
from lab.commands.explained import RESET, explained
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_CLEAN = Text(
    en="Lab {lab} is back at its start; {count} things were removed, nothing was left ({seconds:.0f} s).",
    fr="Le lab {lab} est revenu à son début ; {count} objets supprimés, rien n'est resté ({seconds:.0f} s).",
)


@click.command()
@number
@output
@click.pass_obj
def reset(settings: Settings, number: str | None, output: str) -> None:
    """Bring a lab back to its start and prove that nothing is left. / Remettre un lab à zéro, preuve à l'appui."""
    code = wanted(settings, number)
    Course(settings.root).lab(code)
    standing(settings)
    display = progress(settings, output)
    started = time.monotonic()
    # What a challenge broke outside the lab's namespaces a reset would not see.
    with lock(settings, f"reset {code}", display.say), challenge.ended(settings), explained(settings, code, RESET):
        cleared = jump.reset(settings, code, display).cleared
    seconds = time.monotonic() - started
    if output == "json":
        verdict = {"lab": code, "verdict": "clean", "removed": cleared.before, "residue": []}
        click.echo(dump({**verdict, "seconds": round(seconds, 2), "phases": display.as_json()}))
        return
    count = len(cleared.before)
    click.echo(_CLEAN.in_(settings.lang).format(lab=code, count=count, seconds=seconds))

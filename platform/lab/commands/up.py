"""`lab up NN`."""

from __future__ import annotations

import click

from lab import diagnose, jump
from lab.cluster import Status, choose
from lab.commands.common import number, output, progress, wanted
from lab.commands.explained import explained
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_READY = Text(en="Lab {lab} stands and is proven:", fr="Le lab {lab} est debout et prouvé :")
_GUIDE = Text(en="guide", fr="guide")


@click.command()
@number
@output
@click.pass_obj
def up(settings: Settings, number: str | None, output: str) -> None:
    """Bring a lab up, from whatever stands now. / Démarrer un lab."""
    code = wanted(settings, number)
    course = Course(settings.root)
    folder = course.folder(code)
    course.lab(code)
    display = progress(settings, output)
    with lock(settings, f"up {code}", display.say):
        ours = choose(settings).status() in (Status.RUNNING, Status.BROKEN, Status.FOREIGN)
        diagnose.require(diagnose.examine(settings, ours_runs=ours, network=False))
        with explained(settings, code):
            outcome = jump.up(settings, code, display)
    if output == "json":
        verdict = {"lab": code, "verdict": "converged", "changed": outcome.changed, "urls": outcome.urls}
        click.echo(dump({**verdict, "proof": outcome.proof, "phases": display.as_json()}))
        return
    click.echo(_READY.in_(settings.lang).format(lab=code))
    for name, url in outcome.urls.items():
        click.echo(f"  {name:<11} {url}")
    guide = folder / ("guide.fr.md" if settings.lang == "fr" else "guide.md")
    click.echo(f"  {_GUIDE.in_(settings.lang):<11} {guide.relative_to(settings.root)}")

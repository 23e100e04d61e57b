"""`lab solve NN`."""

from __future__ import annotations

import click

from lab.commands.common import number, output, progress, standing, wanted
from lab.commands.explained import explained
from lab.compare import measure
from lab.converge import converge
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.stack.manifests import Manifests
from lab.state.record import lock
from lab.text import Text


@click.command()
@number
@output
@click.pass_obj
def solve(settings: Settings, number: str | None, output: str) -> None:
    """Put a lab's solution in place and apply it. / Mettre en place la solution d'un lab."""
    code = wanted(settings, number)
    course = Course(settings.root)
    lab, folder = course.lab(code), course.folder(code)
    standing(settings)
    display = progress(settings, output)
    with lock(settings, f"solve {code}", display.say):
        kept = Manifests(settings, folder, lab).replace("solved")
        if kept:
            where = kept.relative_to(settings.root)
            display.say(Text(en=f"your own files are kept in {where}", fr=f"vos fichiers sont gardés dans {where}"))
        with explained(settings, code):
            outcome = converge(settings, code, display)
        if lab.experiments:
            # A check judges measured figures, so the solution has to be measured as a trainee would.
            with display.phase("experiments") as phase:
                measure(settings, code, lab.experiments, display.teller(phase))
    if output == "json":
        click.echo(dump({"lab": code, "verdict": "solved", "proof": outcome.proof, "phases": display.as_json()}))

"""`lab check NN`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from lab.checks import runner
from lab.checks.loader import load
from lab.checks.rendering import show
from lab.commands.common import number, output, standing, wanted
from lab.commands.observed import observe
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state import bundle

_NOT_YET = 1


@click.command()
@number
@output
@click.option("--state", type=click.Path(path_type=Path), help="Judge a bundle of `lab support`, without a cluster.")
@click.pass_obj
def check(settings: Settings, number: str | None, output: str, state: Path | None) -> None:
    """Say what is right, what is not, and why. / Dire ce qui est juste, ce qui ne l'est pas, et pourquoi."""
    code = wanted(settings, number)
    course = Course(settings.root)
    lab, folder = course.lab(code), course.folder(code)
    checks = load(folder, lab.exercises)
    if state is None:
        standing(settings)
        seen = observe(settings, lab)
    else:
        seen = bundle.read(state, code)
    results = runner.run(lab.exercises, checks, seen)
    if output == "json":
        click.echo(dump(runner.as_json(code, results)))
    else:
        show(Console(highlight=False), folder.name, results, settings.lang)
    if not all(result.passed for result in results):
        sys.exit(_NOT_YET)

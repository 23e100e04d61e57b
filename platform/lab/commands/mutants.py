"""`lab mutants`: do the checks catch what they are there to catch?"""

from __future__ import annotations

import sys

import click

from lab.checks import mutants as engine
from lab.checks.loader import load
from lab.commands.common import output
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state import bundle


@click.command()
@click.argument("numbers", nargs=-1)
@output
@click.pass_obj
def mutants(settings: Settings, numbers: tuple[str, ...], output: str) -> None:
    """Break each lab's solution in every known way and see the right check catch it. / Éprouver les vérifications."""
    course = Course(settings.root)
    reports = {}
    for code in numbers or course.codes():
        lab, folder = course.lab(code), course.folder(code)
        checks = load(folder, lab.exercises)
        solved = bundle.read(folder / "bundles" / "solved.json", lab.code)
        reports[lab.code] = engine.judge(engine.read(folder / "mutants.yaml"), checks, solved)
    if output == "json":
        click.echo(dump({code: report.as_json() for code, report in reports.items()}))
    else:
        for code, report in reports.items():
            click.echo(f"lab {code}: {report.rate:.0%}")
            for fate in report.survivors:
                click.echo(f"  {fate.mutant.id} ({fate.mutant.exercise}): {fate.mutant.condition} != {fate.failed}")
    if any(report.rate < 1 for report in reports.values()):
        sys.exit(1)

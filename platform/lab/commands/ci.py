"""`lab ci [NN…]`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from lab.ci import junit, markdown, prove
from lab.commands.common import output, teller
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course


@click.command()
@click.argument("numbers", nargs=-1)
@click.option("--junit", "xml", type=click.Path(path_type=Path), help="Where to write JUnit's XML.")
@click.option("--summary", type=click.Path(path_type=Path), help="A file that the table is appended to, in Markdown.")
@output
@click.pass_obj
def ci(settings: Settings, numbers: tuple[str, ...], xml: Path | None, summary: Path | None, output: str) -> None:
    """Prove labs end to end: start, solution, mutants, reset. / Prouver des labs de bout en bout."""
    course = Course(settings.root)
    codes = [course.lab(number).code for number in numbers] or course.codes()
    outcomes = [outcome for code in codes for outcome in prove(code, teller(settings))]
    if xml:
        junit(outcomes, xml)
    table = markdown(outcomes)
    if summary:
        summary.parent.mkdir(parents=True, exist_ok=True)
        with summary.open("a", encoding="utf-8") as file:
            file.write(table)
    click.echo(dump([asdict(each) for each in outcomes]) if output == "json" else table, nl=output == "json")
    if not all(each.passed for each in outcomes):
        sys.exit(1)

"""`lab support NN`."""

from __future__ import annotations

from pathlib import Path

import click

from lab.commands.common import number, standing, wanted
from lab.commands.observed import examine
from lab.settings import Settings
from lab.spec import Course
from lab.state import bundle
from lab.text import Text

_WRITTEN = Text(
    en="{file} holds the lab's state without secrets; your trainer reads it with `lab check --state {file}`",
    fr="{file} contient l'état du lab sans secrets ; votre formateur le lit avec `lab check --state {file}`",
)


@click.command()
@number
@click.option("--file", "target", type=click.Path(path_type=Path), help="Where to write it.")
@click.pass_obj
def support(settings: Settings, number: str | None, target: Path | None) -> None:
    """Write the lab's state, secrets removed, for a trainer. / Écrire l'état du lab, sans secrets."""
    code = wanted(settings, number)
    standing(settings)
    state = examine(settings, Course(settings.root).lab(code))
    path = target or Path(f"tarmac-lab-{code}.json")
    bundle.write(path, state)
    problems = state.get("problems")
    for problem in problems if isinstance(problems, list) else []:
        click.echo(f"! {problem}", err=True)
    click.echo(_WRITTEN.in_(settings.lang).format(file=path))

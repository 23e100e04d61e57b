"""`lab lint [NN…]`."""

from __future__ import annotations

import sys

import click

from lab.authoring import Folder, judge
from lab.commands.common import both, output
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

_WHOLE = Text(en="lab {lab} keeps every rule", fr="le lab {lab} respecte toutes les règles")


@click.command()
@click.argument("numbers", nargs=-1)
@output
@click.pass_obj
def lint(settings: Settings, numbers: tuple[str, ...], output: str) -> None:
    """Hold labs to the rules that every lab keeps. / Vérifier qu'un lab respecte les règles."""
    course = Course(settings.root, drafts=True)
    folders = [Folder(settings.root, code) for code in numbers or course.codes()]
    found = {folder.name: judge(folder) for folder in folders}
    if output == "json":
        click.echo(dump({name: [both(fault) for fault in faults] for name, faults in found.items()}))
    else:
        for name, faults in found.items():
            if not faults:
                click.echo(_WHOLE.in_(settings.lang).format(lab=name))
            for fault in faults:
                click.echo(f"{name}, {fault.file}: {fault.what.in_(settings.lang)}")
                click.echo(f"  {fault.remedy.in_(settings.lang)}")
    if any(found.values()):
        sys.exit(1)

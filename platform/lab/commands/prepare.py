"""`lab prepare [NN ...]`."""

from __future__ import annotations

import click

from lab.commands.common import output, progress
from lab.converge import prepare as prepared
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_READY = Text(
    en="{count} images are here: labs {labs} come up without building anything",
    fr="{count} images sont là : les labs {labs} démarrent sans rien construire",
)


@click.command()
@click.argument("numbers", nargs=-1)
@output
@click.pass_obj
def prepare(settings: Settings, numbers: tuple[str, ...], output: str) -> None:
    """Fetch and build now what labs need later; all labs where none is named. / Préparer les labs."""
    course = Course(settings.root)
    codes = [course.folder(number).name[:2] for number in numbers] or course.codes()
    display = progress(settings, output)
    with lock(settings, "prepare", display.say):
        references = prepared(settings, codes, display.say)
    if output == "json":
        click.echo(dump({"labs": codes, "images": references}))
        return
    click.echo(_READY.in_(settings.lang).format(count=len(references), labs=", ".join(codes)))

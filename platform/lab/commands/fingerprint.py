"""`lab fingerprint`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lab.api import Api
from lab.commands.common import number, output, standing, wanted
from lab.errors import BadInput
from lab.fingerprint import Fingerprint, read
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

_EQUAL = Text(en="equal: {digest}", fr="égal : {digest}")


@click.command()
@number
@click.option("--against", type=click.Path(path_type=Path), help="A fingerprint as JSON: what differs is told, exit 1.")
@output
@click.pass_context
def fingerprint(context: click.Context, number: str | None, against: Path | None, output: str) -> None:
    """Tell what a lab holds, to compare two states. / Dire ce que contient un lab, pour comparer deux états."""
    settings: Settings = context.obj
    code = wanted(settings, number)
    course = Course(settings.root)
    lab = course.lab(code)
    cluster = standing(settings)
    spaces = {course.components[name].namespace for name in lab.components} - {"platform"} | {lab.namespace}
    declared = {topic.name for topic in course.topics(lab)}
    found = read(settings, Api(settings), cluster, sorted(spaces), declared)
    if against is None:
        click.echo(dump({"lab": code, "digest": found.digest, "sections": found.sections}))
        return
    differences = found.differences(_read(against))
    if output == "json":
        click.echo(dump({"lab": code, "digest": found.digest, "equal": not differences, "differences": differences}))
    else:
        click.echo("\n".join(differences) or _EQUAL.in_(settings.lang).format(digest=found.digest[:12]))
    context.exit(1 if differences else 0)


def _read(file: Path) -> Fingerprint:
    try:
        return Fingerprint(json.loads(file.read_text())["sections"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            Text(en=f"{file} is no fingerprint: {error}", fr=f"{file} n'est pas une empreinte : {error}"),
            Text(
                en=f"make one: `lab fingerprint > {file}`",
                fr=f"faites-en une : `lab fingerprint > {file}`",
            ),
        ) from error

"""`lab data`: training sets, made and kept in the lake's own workspace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import click

from lab import training_sets
from lab.api import Api
from lab.commands.common import output, progress, standing, wanted
from lab.errors import BadInput
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_COMMIT = re.compile(r"[0-9a-fA-F]{4,40}|HEAD")
_DAY = click.DateTime(["%Y-%m-%d"])
_LABELS = ("departure_delay", "arrival_delay")
"""In minutes; the lake's own (contracts.training_sets)."""
_MINUTES = click.IntRange(min=0)


@click.group()
def data() -> None:
    """Make training sets, keep versions, follow them to the log. / Produire et suivre les jeux d'entraînement."""


@data.command()
@click.argument("name")
@click.option("--from", "begin", type=_DAY, required=True, metavar="DAY", help="First day of scheduled departures.")
@click.option("--to", "end", type=_DAY, required=True, metavar="DAY", help="The day after the last.")
@click.option("--service", default="delay_v1", show_default=True, help="Feature service.")
@click.option(
    "--lead", type=_MINUTES, default=60, show_default=True, metavar="MINUTES", help="From prediction to departure."
)
@click.option("--label", type=click.Choice(_LABELS), default=_LABELS[0], show_default=True, help="What is predicted.")
@click.option("--with", "extra", multiple=True, metavar="COLUMN", help="Of silver/flights; may be given again.")
@click.option("--allow-leak", multiple=True, metavar="COLUMN", help="Although known too late; may be given again.")
@output
@click.pass_obj
def build(  # noqa: PLR0913  one argument for each option
    settings: Settings,
    *,
    name: str,
    begin: datetime,
    end: datetime,
    service: str,
    lead: int,
    label: str,
    extra: tuple[str, ...],
    allow_leak: tuple[str, ...],
    output: str,
) -> None:
    """Make a training set of the newest tables and keep it. / Produire un jeu d'entraînement et le garder."""
    if begin >= end:
        raise BadInput(
            Text(
                en=f"range {begin:%F} to {end:%F}: it ends before it begins",
                fr=f"période du {begin:%F} au {end:%F} : elle finit avant de commencer",
            ),
            Text(
                en="--to is the day after the last: later than --from",
                fr="--to est le lendemain du dernier jour : plus tard que --from",
            ),
        )
    words = [f"--from={begin:%F}", f"--to={end:%F}", f"--service={service}", f"--lead={lead}", f"--label={label}"]
    words += [f"--with={column}" for column in extra] + [f"--allow-leak={column}" for column in allow_leak]
    _answer(settings, "build", [_named(name), *words], output)


@data.command("list")
@output
@click.pass_obj
def list_(settings: Settings, output: str) -> None:
    """List every set with its versions. / Lister les jeux et leurs versions."""
    _answer(settings, "list", [], output)


@data.command()
@click.argument("name")
@output
@click.pass_obj
def lineage(settings: Settings, name: str, output: str) -> None:
    """Follow a set from its file back to the log. / Remonter d'un jeu jusqu'au journal."""
    _answer(settings, "lineage", [_named(name)], output)


@data.command()
@click.argument("name")
@output
@click.pass_obj
def rebuild(settings: Settings, name: str, output: str) -> None:
    """Make a set again by its manifest; exit code 2 where bytes differ. / Refaire un jeu et comparer les octets."""
    _answer(settings, "rebuild", [_named(name)], output)


@data.command()
@click.argument("name")
@click.argument("before", metavar="COMMIT")
@click.argument("after", metavar="[COMMIT]", required=False)
@output
@click.pass_obj
def diff(settings: Settings, name: str, before: str, after: str | None, output: str) -> None:
    """Tell what differs between two versions. / Dire ce qui diffère entre deux versions."""
    _answer(settings, "diff", [_named(name), *(_commit(each) for each in (before, after) if each is not None)], output)


@data.command()
@click.argument("name")
@click.argument("commit")
@output
@click.pass_obj
def checkout(settings: Settings, name: str, commit: str, output: str) -> None:
    """Bring an old version back. / Ramener une ancienne version."""
    _answer(settings, "checkout", [_named(name), _commit(commit)], output)


def _answer(settings: Settings, act: str, words: Sequence[str], output: str) -> None:
    """Ask the lake's workspace and print what it says.

    Raises:
        LabError: there is no lake, or it refuses.

    """
    namespace = training_sets.require(Course(settings.root), wanted(settings, None))
    standing(settings)
    display = progress(settings, output)
    with lock(settings, f"data {act}", display.say), display.shown([act], {}), display.phase(act) as phase:
        answer = training_sets.ask(Api(settings), namespace, [act, *words], display.teller(phase))
    if answer.told is not None:
        lines = [dump(answer.told)] if output == "json" else training_sets.shown(act, answer.told, settings.lang)
        click.echo("\n".join(lines))
    if answer.failure:
        raise answer.failure


def _named(name: str) -> str:
    """Return the name of a set, if it can be one.

    Raises:
        BadInput: it cannot.

    """
    if _NAME.fullmatch(name):
        return name
    raise BadInput(
        Text(en=f"training set {name!r}: the name cannot be one", fr=f"jeu {name!r} : ce nom ne convient pas"),
        Text(
            en="take small letters, digits, - and _, at most 63, a letter or digit first and last",
            fr="prenez des minuscules, des chiffres, - et _, au plus 63, une lettre ou un chiffre au début et à la fin",
        ),
    )


def _commit(digits: str) -> str:
    """Return a commit as it was given, if it can be one.

    Raises:
        BadInput: it cannot.

    """
    if _COMMIT.fullmatch(digits):
        return digits
    raise BadInput(
        Text(en=f"commit {digits!r} is none", fr=f"commit {digits!r} : ce n'en est pas un"),
        Text(
            en="give its first digits, at least four: `lab data list` shows them",
            fr="donnez ses premiers chiffres, au moins quatre : `lab data list` les montre",
        ),
    )

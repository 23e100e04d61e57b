"""What several commands share: options, the lab that is meant, output for machines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from lab.cluster import Cluster, Status, choose
from lab.errors import BadInput, Fault
from lab.progress import Progress, Say
from lab.settings import Settings
from lab.state.record import Record
from lab.text import Text

output = click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people or machines.")
number = click.argument("number", required=False)


def wanted(settings: Settings, number: str | None) -> str:
    """Return the lab that is meant: the one named, else the one that stands.

    Raises:
        BadInput: none is named and none stands.

    """
    code = number or Record(settings).lab()
    if code is None:
        raise BadInput(
            Text(en="which lab? None stands yet", fr="quel lab ? Aucun n'est debout"),
            Text(en="name it: `lab up 01`", fr="nommez-le : `lab up 01`"),
        )
    return code.zfill(2) if code.isdecimal() else code


def standing(settings: Settings) -> Cluster:
    """Return the cluster, which must be running.

    Raises:
        BadInput: it is not.

    """
    cluster = choose(settings)
    status = cluster.status()
    if status is not Status.RUNNING:
        raise BadInput(
            Text(en=f"cluster {cluster.name} is {status.value}", fr=f"le cluster {cluster.name} est {status.value}"),
            Text(en="bring it up: `lab up 01` (make lab-01)", fr="démarrez-le : `lab up 01` (make lab-01)"),
        )
    return cluster


def progress(settings: Settings, output: str) -> Progress:
    """Return the display of a command: on standard error for people, silent for machines."""
    return Progress(settings.lang, sys.stderr, quiet=output == "json")


def teller(settings: Settings) -> Say:
    """Return a plain way to tell a line."""

    def say(news: Text) -> None:
        click.echo(news.in_(settings.lang), err=True)

    return say


def both(fault: Fault) -> dict[str, object]:
    """Return a fault for machines: both languages."""
    texts = {"what": fault.what, "remedy": fault.remedy}
    return {"file": fault.file, **{name: {"en": text.en, "fr": text.fr} for name, text in texts.items()}}


Command = Callable[..., Any]

"""`lab down`."""

from __future__ import annotations

import click

from lab.cluster import choose
from lab.commands.common import teller
from lab.settings import Settings
from lab.state.record import lock
from lab.text import Text


@click.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """Remove the cluster and every file of it; what can be used again stays cached. / Supprimer le cluster."""
    say = teller(settings)
    with lock(settings, "down", say):
        choose(settings).down(say)
    say(
        Text(
            en=f"cluster {settings.name} and its files are gone; the cache stays in {settings.cache}",
            fr=f"le cluster {settings.name} et ses fichiers sont supprimés ; le cache reste dans {settings.cache}",
        )
    )

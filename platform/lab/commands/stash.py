"""`lab stash list|save|restore`."""

from __future__ import annotations

import time

import click

from lab import jump
from lab.checkpoint import stashes
from lab.commands.common import output, progress, standing
from lab.commands.goto import told
from lab.errors import BadInput
from lab.progress import dump
from lab.settings import Settings
from lab.state.record import lock
from lab.text import Text

_NONE = Text(en="nothing is stashed", fr="rien n'est gardé")
_SAVED = Text(en="kept as {name}: `lab stash restore {name}`", fr="gardé sous {name} : `lab stash restore {name}`")
_BACK = Text(en="{name} is back: lab {lab} ({seconds:.0f} s).", fr="{name} est revenu : lab {lab} ({seconds:.0f} s).")


@click.group()
def stash() -> None:
    """Keep a lab as you have made it, and bring it back. / Garder un lab tel que vous l'avez fait, et le retrouver."""


@stash.command("list")
@output
@click.pass_obj
def listed(settings: Settings, output: str) -> None:
    """List what is kept. / Lister ce qui est gardé."""
    found = stashes(settings).all()
    if output == "json":
        click.echo(dump([told(each) for each in found]))
        return
    for each in found:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.snapshot.made))
        click.echo(f"{each.name}  {moment}  {each.snapshot.bytes / 1e6:.0f} MB")
    if not found:
        click.echo(_NONE.in_(settings.lang))


@stash.command()
@output
@click.pass_obj
def save(settings: Settings, output: str) -> None:
    """Keep what stands now. / Garder ce qui est debout."""
    standing(settings)
    display = progress(settings, output)
    with lock(settings, "stash save", display.say):
        kept = jump.stash(settings, display)
    if kept is None:
        raise BadInput(
            Text(en="no lab stands: there is nothing to keep", fr="aucun lab n'est debout : rien à garder"),
            Text(en="bring one up: `lab up 01`", fr="démarrez-en un : `lab up 01`"),
        )
    click.echo(dump(told(kept)) if output == "json" else _SAVED.in_(settings.lang).format(name=kept.name))


@stash.command()
@click.argument("name")
@output
@click.pass_obj
def restore(settings: Settings, name: str, output: str) -> None:
    """Bring back what was kept; what stands now goes. / Retrouver ce qui est gardé ; ce qui est debout s'en va."""
    display = progress(settings, output)
    started = time.monotonic()
    with lock(settings, f"stash restore {name}", display.say):
        jumped = jump.restore(settings, name, display)
    seconds = time.monotonic() - started
    lab = jumped.outcome.lab
    if output == "json":
        click.echo(dump({"lab": lab, "name": name, "seconds": round(seconds, 2), "phases": display.as_json()}))
        return
    click.echo(_BACK.in_(settings.lang).format(name=name, lab=lab, seconds=seconds))

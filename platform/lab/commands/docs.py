"""`lab docs check|run|update`."""

from __future__ import annotations

import sys

import click

from lab.authoring.figures import write
from lab.commands.common import both, output, teller
from lab.docs import Checkout, examine
from lab.docs.guide import blocks
from lab.docs.outputs import judged
from lab.docs.rehearsal import LANGUAGES, file, recorded, rehearse
from lab.docs.update import update_guide, update_helps
from lab.errors import BadInput, Fault
from lab.progress import dump
from lab.settings import Settings
from lab.text import Text

_WHOLE = Text(en="nothing to be said about the documents", fr="rien à redire aux documents")
_SAME = Text(en="lab {code}: the guides print what they show", fr="lab {code} : les guides montrent ce qui s'imprime")
_WRITTEN = Text(en="written: {file}", fr="écrit : {file}")
_UNCHANGED = Text(en="nothing changed", fr="rien n'a changé")


@click.group()
def docs() -> None:
    """Hold documents to what is there and what is printed. / Tenir les documents à ce qui existe et s'imprime."""


@docs.command()
@output
@click.pass_context
def check(context: click.Context, output: str) -> None:
    """Links, file names, commands, options, help texts. / Liens, fichiers, commandes, options, aides."""
    _tell(context.obj, examine(_checkout(context)), output, _WHOLE)


@docs.command()
@click.pass_context
def figures(context: click.Context) -> None:
    """Write docs/quality.md from what the tests measured. / Écrire docs/quality.fr.md d'après les tests."""
    settings: Settings = context.obj
    changed = write(settings.root)
    for each in changed:
        click.echo(_WRITTEN.in_(settings.lang).format(file=each.relative_to(settings.root)))
    if not changed:
        click.echo(_UNCHANGED.in_(settings.lang))


@docs.command()
@click.argument("number")
@output
@click.pass_context
def run(context: click.Context, number: str, output: str) -> None:
    """Run a guide's commands on the cluster, compare what they print. / Exécuter un guide et comparer."""
    checkout = _checkout(context)
    code = _rehearsed(context, checkout, number)
    faults = [
        fault
        for document, language in ((checkout.guide(code, language), language) for language in LANGUAGES)
        for fault in judged(document, blocks(document), recorded(checkout.root, code, language))
    ]
    _tell(context.obj, faults, output, Text(en=_SAME.en.format(code=code), fr=_SAME.fr.format(code=code)))


@docs.command()
@click.argument("numbers", nargs=-1)
@click.option("--run", "runs", is_flag=True, help="Run the guides' commands first, on the cluster that stands.")
@click.pass_context
def update(context: click.Context, numbers: tuple[str, ...], *, runs: bool) -> None:
    """Write what was printed into the guides, and help texts. / Écrire dans les guides ce qui s'imprime."""
    settings: Settings = context.obj
    checkout = _checkout(context)
    if runs and not numbers:
        raise BadInput(
            Text(en="which guides are to be run?", fr="quels guides faut-il exécuter ?"),
            Text(en="name their labs: `lab docs update 01 --run`", fr="nommez leurs labs : `lab docs update 01 --run`"),
        )
    for number in numbers if runs else ():
        _rehearsed(context, checkout, number)
    written = [
        document.path
        for code in _codes(checkout, numbers)
        for language in LANGUAGES
        for document in (checkout.guide(code, language),)
        if update_guide(checkout, document, recorded(checkout.root, code, language))
    ]
    # Read again: a guide may have been written just now.
    written += [each.path for each in _checkout(context).documents if update_helps(checkout, each)]
    for path in written:
        click.echo(_WRITTEN.in_(settings.lang).format(file=path))
    if not written:
        click.echo(_UNCHANGED.in_(settings.lang))


def _checkout(context: click.Context) -> Checkout:
    settings: Settings = context.obj
    program = context.find_root().command
    assert isinstance(program, click.Group)  # noqa: S101  the root has commands
    return Checkout(settings.root, program)


def _rehearsed(context: click.Context, checkout: Checkout, number: str) -> str:
    """Run a guide; return the lab's number."""
    code = checkout.course.lab(number).code
    rehearse(checkout.root, code, blocks(checkout.guide(code, "en")), teller(context.obj))
    return code


def _codes(checkout: Checkout, numbers: tuple[str, ...]) -> list[str]:
    """Return the labs that are meant: those named, else those of which there is a record."""
    if numbers:
        return [checkout.course.lab(number).code for number in numbers]
    return [code for code in checkout.course.codes() if file(checkout.root, code, "en").exists()]


def _tell(settings: Settings, faults: list[Fault], output: str, whole: Text) -> None:
    if output == "json":
        click.echo(dump([both(fault) for fault in faults]))
    elif not faults:
        click.echo(whole.in_(settings.lang))
    else:
        for fault in faults:
            click.echo(f"{fault.file}: {fault.what.in_(settings.lang)}\n  {fault.remedy.in_(settings.lang)}")
    if faults:
        sys.exit(1)

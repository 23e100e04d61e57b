"""`lab mutants`: do the checks catch what they are there to catch, and take what is right?"""

from __future__ import annotations

import sys

import click

from lab.authoring import Folder
from lab.checks.proof import Proof
from lab.commands.common import output
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

_FIGURES = Text(
    en="lab {lab}: {killed} of {mutants} mistakes caught by the right condition ({rate:.0%}), "
    "{accepted} of {alternatives} other right solutions accepted",
    fr="lab {lab} : {killed} erreurs sur {mutants} attrapées par la bonne condition ({rate:.0%}), "
    "{accepted} autres solutions justes acceptées sur {alternatives}",
)
_SURVIVES = Text(
    en="mutant {id} ({exercise}): {condition} was to fail alone, failed: {failed}",
    fr="mutant {id} ({exercise}) : {condition} devait échouer seule, échec de : {failed}",
)
_REFUSED = Text(
    en="alternative {id} ({exercise}): refused by {by}", fr="alternative {id} ({exercise}) : refusée par {by}"
)
_DONE = Text(en="{exercise} is done before anybody did it", fr="{exercise} est fait avant que quiconque l'ait fait")


@click.command()
@click.argument("numbers", nargs=-1)
@output
@click.pass_obj
def mutants(settings: Settings, numbers: tuple[str, ...], output: str) -> None:
    """Break each lab's solution in every known way and see the right check catch it. / Éprouver les vérifications."""
    course = Course(settings.root)
    labs = [course.lab(code) for code in numbers or course.codes()]
    proofs = {lab.code: Folder(settings.root, lab.code).proof for lab in labs}
    if output == "json":
        click.echo(dump({code: proof.as_json() for code, proof in proofs.items()}))
    else:
        for code, proof in proofs.items():
            click.echo(_FIGURES.in_(settings.lang).format(lab=code, **proof.as_json()))
            for line in _against(proof):
                click.echo(f"  {line.in_(settings.lang)}")
    if not all(proof.sound for proof in proofs.values()):
        sys.exit(1)


def _against(proof: Proof) -> list[Text]:
    """Return what speaks against the checks, one line each."""
    lines = [
        _filled(
            _SURVIVES,
            id=fate.mutant.id,
            exercise=fate.mutant.exercise,
            condition=fate.mutant.condition,
            failed=", ".join(fate.failed) or "-",
        )
        for fate in proof.mutants.survivors
    ]
    lines += [
        _filled(_REFUSED, id=each.alternative.id, exercise=each.alternative.exercise, by=", ".join(each.refused))
        for each in proof.refused
    ]
    return lines + [_filled(_DONE, exercise=name) for name in proof.done_at_start]


def _filled(text: Text, **words: str) -> Text:
    return Text(en=text.en.format(**words), fr=text.fr.format(**words))

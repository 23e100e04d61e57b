"""`lab hint NN EXERCISE` and `lab quiz NN`: what helps a trainee without touching the cluster."""

from __future__ import annotations

import click

from lab.checks import quiz as questions
from lab.commands.common import number, wanted
from lab.errors import BadInput
from lab.settings import Settings
from lab.spec import Course, Exercise, LabSpec
from lab.text import Text

_MORE = Text(
    en="({shown} of {all}; the next one: --level {next})",
    fr="({shown} sur {all} ; le suivant : --level {next})",
)
_SEE = Text(en="see it in exercise {exercise}", fr="à voir dans l'exercice {exercise}")


@click.command()
@click.argument("number")
@click.argument("exercise")
@click.option("--level", type=click.IntRange(min=1), default=1, help="How much to tell: 1 is a nudge.")
@click.pass_obj
def hint(settings: Settings, number: str, exercise: str, level: int) -> None:
    """Give a hint, from a nudge to nearly the answer. / Donner un indice."""
    found = _exercise(Course(settings.root).lab(number), exercise)
    shown = min(level, len(found.hints))
    click.echo(found.title.in_(settings.lang))
    for each in found.hints[:shown]:
        click.echo(f"- {each.in_(settings.lang)}")
    if shown < len(found.hints):
        click.echo(_MORE.in_(settings.lang).format(shown=shown, all=len(found.hints), next=shown + 1))


@click.command()
@number
@click.option("--answers", is_flag=True, help="Show the right choices, and why.")
@click.pass_obj
def quiz(settings: Settings, number: str | None, *, answers: bool) -> None:
    """Ask what the lab taught. / Poser les questions du lab."""
    folder = Course(settings.root).folder(wanted(settings, number))
    for place, question in enumerate(questions.read(folder / "quiz.yaml"), start=1):
        click.echo(f"\n{place}. {question.ask.in_(settings.lang)}")
        for letter, choice in question.choices.items():
            mark = "→" if answers and letter in question.right else " "
            click.echo(f" {mark} {letter}) {choice.in_(settings.lang)}")
        if answers:
            click.echo(f"   {question.why.in_(settings.lang)}")
            click.echo(f"   ({_SEE.in_(settings.lang).format(exercise=question.exercise)})")


def _exercise(lab: LabSpec, name: str) -> Exercise:
    for each in lab.exercises:
        if each.id == name:
            return each
    there = ", ".join(each.id for each in lab.exercises)
    raise BadInput(
        Text(en=f"lab {lab.code} has no exercise {name!r}", fr=f"le lab {lab.code} n'a pas d'exercice {name!r}"),
        Text(en=f"choose among: {there}", fr=f"choisissez parmi : {there}"),
    )

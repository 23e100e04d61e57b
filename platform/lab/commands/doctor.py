"""`lab doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lab import diagnose
from lab.cluster import Status, choose
from lab.commands.common import number, output, wanted
from lab.commands.observed import examine
from lab.diagnose import fit
from lab.diagnose.causes import Blame, root
from lab.errors import MissingRequirement, NotConverged
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.state import bundle
from lab.text import Text

_MARKS = {diagnose.Level.GOOD: "✓", diagnose.Level.WARNING: "!", diagnose.Level.BAD: "✗"}


_WELL = Text(
    en="nothing of the chain is broken, as far as its state shows; the exercises are judged by `lab check {lab}`",
    fr="rien n'est cassé dans la chaîne, d'après son état ; les exercices sont jugés par `lab check {lab}`",
)
_LOOK = Text(en="by hand", fr="à la main")
_MEND = Text(en="mend it", fr="y remédier")


@click.command()
@number
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely.")
@click.option("--deep", is_flag=True, help="Walk the lab's chain, and name the one root cause of what is broken.")
@click.option("--state", type=click.Path(path_type=Path), help="With --deep: a bundle of `lab support`, no cluster.")
@output
@click.pass_obj
def doctor(  # noqa: PLR0913  one for each option
    settings: Settings, number: str | None, output: str, state: Path | None, *, fix: bool, deep: bool
) -> None:
    """Examine this machine for the next lab, or a lab's chain. / Examiner la machine, ou la chaîne d'un lab."""
    if deep or state:
        _deep(settings, number, output, state)
        return
    ours = _holds_its_ports(settings)
    findings = diagnose.examine(settings, ours_runs=ours)
    if fix and diagnose.repair(findings):
        findings = diagnose.examine(settings, ours_runs=ours)
    findings += fit.examine(settings, number)
    if output == "json":
        click.echo(dump([_as_json(each) for each in findings]))
    else:
        for each in findings:
            click.echo(f"{_MARKS[each.level]} {each.name:<20} {each.what.in_(settings.lang)}")
            if each.remedy:
                click.echo(f"  → {each.remedy.in_(settings.lang)}")
    if any(each.level is diagnose.Level.BAD for each in findings):
        sys.exit(3)


def _deep(settings: Settings, number: str | None, output: str, file: Path | None) -> None:
    """Tell the root cause; exit code 5 where there is one, as of what does not converge."""
    code = wanted(settings, number)
    lab = Course(settings.root).lab(code)
    found = root(bundle.read(file, code) if file else examine(settings, lab))
    if output == "json":
        click.echo(dump({"lab": code, "cause": found.as_json() if found else None}))
    elif found is None:
        click.echo(f"✓ {_WELL.in_(settings.lang).format(lab=code)}")
    else:
        _tell(found, settings)
    if found:
        sys.exit(NotConverged.exit_code)


def _tell(found: Blame, settings: Settings) -> None:
    lang = settings.lang
    click.echo(f"✗ {found.told().in_(lang)}")
    click.echo(f"  {found.cause.means.in_(lang)}")
    click.echo(f"  {_LOOK.in_(lang)}: {found.look}")
    click.echo(f"  → {_MEND.in_(lang)}: {found.mend}")


def _holds_its_ports(settings: Settings) -> bool:
    """Say whether our cluster runs; an engine that refuses us is a finding of its own."""
    try:
        return choose(settings).status() in (Status.RUNNING, Status.BROKEN, Status.FOREIGN)
    except MissingRequirement:
        return False


def _as_json(each: diagnose.Finding) -> dict[str, object]:
    remedy = {"en": each.remedy.en, "fr": each.remedy.fr} if each.remedy else None
    return {
        "name": each.name,
        "level": each.level.value,
        "what": {"en": each.what.en, "fr": each.what.fr},
        "remedy": remedy,
    }

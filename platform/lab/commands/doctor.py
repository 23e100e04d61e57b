"""`lab doctor`."""

from __future__ import annotations

import sys

import click

from lab import diagnose
from lab.cluster import Status, choose
from lab.commands.common import output
from lab.errors import MissingRequirement
from lab.progress import dump
from lab.settings import Settings

_MARKS = {diagnose.Level.GOOD: "✓", diagnose.Level.WARNING: "!", diagnose.Level.BAD: "✗"}


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely.")
@output
@click.pass_obj
def doctor(settings: Settings, output: str, *, fix: bool) -> None:
    """Examine this machine; each finding comes with its remedy. / Examiner cette machine."""
    ours = _holds_its_ports(settings)
    findings = diagnose.examine(settings, ours_runs=ours)
    if fix and diagnose.repair(findings):
        findings = diagnose.examine(settings, ours_runs=ours)
    if output == "json":
        click.echo(dump([_as_json(each) for each in findings]))
    else:
        for each in findings:
            click.echo(f"{_MARKS[each.level]} {each.name:<20} {each.what.in_(settings.lang)}")
            if each.remedy:
                click.echo(f"  → {each.remedy.in_(settings.lang)}")
    if any(each.level is diagnose.Level.BAD for each in findings):
        sys.exit(3)


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

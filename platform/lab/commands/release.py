"""`lab release`: a new version of a model, taken into use step by step, or back."""

from __future__ import annotations

from pathlib import Path

import click

from lab import rollout
from lab.commands.common import output, standing
from lab.progress import dump
from lab.settings import Settings

_STRATEGIES = click.Choice(["canary", "blue-green", "ab", "shadow"])

_EXAMPLE = """\b
A plan / un plan:
  strategy: canary
  model: delay-boosting
  version: 7
  steps: [{weight: 10, seconds: 60}, {weight: 50, seconds: 60}]
  criteria: {interval: 15, errors: {margin: 0.02}, labels: {need: required}}
"""


@click.group()
def release() -> None:
    """Take a model's new version into use, or back out of it. / Mettre en service une version, ou revenir."""


@release.command()
@output
@click.pass_obj
def status(settings: Settings, output: str) -> None:
    """Show stage, weights, evidence and the reason of each decision. / Montrer étape, poids, preuves et raisons."""
    standing(settings)
    _show(settings, rollout.ask(settings), output)


@release.command(epilog=_EXAMPLE)
@click.argument("plan", required=False, type=click.Path(path_type=Path), metavar="[PLAN]")
@click.option("--model", metavar="NAME", help="Registered model; in the place of the plan's.")
@click.option("--version", metavar="NUMBER", help="Version of it; in the place of the plan's.")
@click.option("--strategy", type=_STRATEGIES, help="In the place of the plan's; canary where there is no plan.")
@output
@click.pass_obj
def start(  # noqa: PLR0913  one argument for each option
    settings: Settings,
    *,
    plan: Path | None,
    model: str | None,
    version: str | None,
    strategy: str | None,
    output: str,
) -> None:
    """Begin a release by a plan, a YAML or JSON file. / Commencer une livraison selon un plan, fichier YAML ou JSON."""
    wanted = rollout.plan(plan, model=model, version=version, strategy=strategy)
    standing(settings)
    _show(settings, rollout.order(settings, "start", wanted), output)


@release.command()
@output
@click.pass_obj
def back(settings: Settings, output: str) -> None:
    """Send all requests to the version in use again, at once. / Rendre aussitôt tout à la version en service."""
    _ordered(settings, "abort", output)


@release.command()
@output
@click.pass_obj
def pause(settings: Settings, output: str) -> None:
    """Stay at this stage; a bad version still goes back. / Rester à cette étape ; une mauvaise version revient."""
    _ordered(settings, "pause", output)


@release.command()
@output
@click.pass_obj
def resume(settings: Settings, output: str) -> None:
    """Go on after a pause. / Continuer après une pause."""
    _ordered(settings, "resume", output)


def _ordered(settings: Settings, act: str, output: str) -> None:
    """Give an order and print the release after it.

    Raises:
        LabError: it does not fit what is under way, or the controller is away.

    """
    standing(settings)
    _show(settings, rollout.order(settings, act), output)


def _show(settings: Settings, told: rollout.Told, output: str) -> None:
    click.echo(dump(told) if output == "json" else told["text"][settings.lang])

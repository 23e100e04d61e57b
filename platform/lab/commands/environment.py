"""`lab env` and `lab kubectl`: the trainee's own hands on the cluster."""

from __future__ import annotations

import os
import shlex

import click

from lab import tools
from lab.commands.common import teller
from lab.settings import Settings


@click.command()
@click.pass_obj
def env(settings: Settings) -> None:
    """Print what a shell needs: eval "$(lab env)". / Afficher ce qu'il faut à un shell."""
    # Imported here: `kubectl` is called again and again, and needs none of it.
    from lab.spec import Course  # noqa: PLC0415
    from lab.stack.addresses import urls  # noqa: PLC0415
    from lab.stack.manifests import workplace  # noqa: PLC0415
    from lab.state.record import Record  # noqa: PLC0415

    program = tools.kubectl(settings, teller(settings))
    values = {"KUBECONFIG": str(settings.kubeconfig), "TARMAC_KAFKA_ADDRESS": f"127.0.0.1:{settings.port('kafka')}"}
    if (code := Record(settings).lab()) is not None:
        course = Course(settings.root)
        values |= {f"TARMAC_{name.upper()}_URL": url for name, url in urls(settings, course.lab(code)).items()}
        values["TARMAC_WORK"] = str(workplace(settings, course.folder(code)))
    for name, value in values.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={shlex.quote(f"{settings.root}/.venv/bin:{program.parent}")}:"$PATH"')


_AS_IT_IS = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
"""All words are kubectl's, its own `--` too."""


@click.command(context_settings=_AS_IT_IS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def kubectl(settings: Settings, words: tuple[str, ...]) -> None:
    """Run kubectl on the lab's cluster. / Lancer kubectl sur le cluster du lab."""
    program = tools.kubectl(settings, teller(settings))
    os.environ["KUBECONFIG"] = str(settings.kubeconfig)
    os.execv(program, ["kubectl", *words])  # noqa: S606  becomes kubectl: its output and exit code are the user's

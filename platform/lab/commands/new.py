"""`lab new NN NAME`."""

from __future__ import annotations

import click

from lab.authoring.new import FIRST_HOST_PORT, FIRST_NODE_PORT, create
from lab.settings import Settings
from lab.text import Text

_LEFT = Text(
    en="""\
labs/{folder} is a lab that `lab lint {code}` finds whole: a draft, which trainees do not meet. What is left to you:
  its port       "lab-{code}": {host} in PORTS (platform/lab/settings.py), {node} -> {host} in kind-config.yaml
  its service    labs/{folder}/service in src, mypy_path and pythonpath of pyproject.toml
  its states     bundles/ holds examples: record yours, `LAB_DRAFTS=1 lab support {code} --file …`
How it goes on: docs/authoring.md""",
    fr="""\
labs/{folder} est un lab que `lab lint {code}` trouve entier : un brouillon, invisible aux stagiaires. À vous de faire :
  son port       "lab-{code}": {host} dans PORTS (platform/lab/settings.py), {node} -> {host} dans kind-config.yaml
  son service    labs/{folder}/service dans src, mypy_path et pythonpath de pyproject.toml
  ses états      bundles/ contient des exemples : enregistrez les vôtres, `LAB_DRAFTS=1 lab support {code} --file …`
La suite : docs/authoring.fr.md""",
)


@click.command()
@click.argument("number")
@click.argument("name")
@click.pass_obj
def new(settings: Settings, number: str, name: str) -> None:
    """Make a lab that keeps every rule, for its author to go on from. / Créer un lab qui respecte les règles."""
    for file in create(settings.root, number, name):
        click.echo(f"  {file.relative_to(settings.root)}")
    code = f"{int(number):02d}"
    ports = {"host": FIRST_HOST_PORT + int(code), "node": FIRST_NODE_PORT + int(code)}
    click.echo(_LEFT.in_(settings.lang).format(folder=f"{code}-{name}", code=code, **ports))

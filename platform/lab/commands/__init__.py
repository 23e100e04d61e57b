"""The command line: each command a thin front of the package that does the work."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from keyword import iskeyword
from types import FrameType

import click

from lab import process
from lab.errors import LabError
from lab.settings import Settings
from lab.text import Text, language

COMMANDS = {
    "up": "up",
    "prepare": "prepare",
    "status": "status",
    "check": "check",
    "hint": "learn",
    "quiz": "learn",
    "solve": "solve",
    "compare": "compare",
    "data": "data",
    "release": "release",
    "budget": "budget",
    "break": "challenge",
    "reset": "reset",
    "goto": "goto",
    "checkpoint": "goto",
    "stash": "stash",
    "fingerprint": "fingerprint",
    "support": "support",
    "mutants": "mutants",
    "ci": "ci",
    "lint": "lint",
    "docs": "docs",
    "new": "new",
    "doctor": "doctor",
    "down": "down",
    "env": "environment",
    "kubectl": "environment",
}
"""Command -> module of this package; imported only when asked for, so that `lab --help` is instant."""

_INTERRUPTED = Text(
    en="interrupted: run the same command again, it goes on from here",
    fr="interrompu : relancez la même commande, elle reprend d'ici",
)


class _Lazy(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"lab.commands.{COMMANDS[name]}")
        command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def lab(context: click.Context) -> None:
    """Bring up, check and reset the labs. / Démarrer, vérifier et remettre à zéro les labs."""
    context.obj = Settings.load(os.environ)


def main() -> None:
    """Run the command line; an error is told in the user's language and becomes the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What `nohup` wants ignored stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)
    try:
        lab(prog_name="lab", standalone_mode=False)
    except LabError as error:
        click.echo(error.render(language(os.environ)), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo(_INTERRUPTED.in_(language(os.environ)), err=True)
        sys.exit(130)


def _interrupted(_: int, __: FrameType | None) -> None:
    """End the programs of every thread, then let the main one unwind and clean up."""
    process.interrupt()

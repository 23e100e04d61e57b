"""python -m feature serve | apply."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from feature.settings import FAMILY, ApplySettings, ServeSettings
from runtime import logs
from runtime.process import Stop, guarded
from runtime.settings import load


def _serve() -> None:
    # Imported here: `apply` needs no server.
    from feature import app  # noqa: PLC0415

    settings = load(ServeSettings, os.environ, FAMILY)
    logs.start("feature", settings.log_level)
    Stop().listen()  # the server takes the signals for itself and hands them on in the end
    app.serve(settings)


def _apply() -> None:
    # Imported here: Feast brings pandas and more, which a server need not hold in memory.
    from feature import registry  # noqa: PLC0415

    settings = load(ApplySettings, os.environ, FAMILY)
    logs.start("feature", settings.log_level)
    sys.stdout.write("".join(f"{line}\n" for line in registry.apply(settings)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one entry point; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m feature", description="The feature service.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer over HTTP, as Feast's feature server does")
    commands.add_parser("apply", help="bring Feast's registry up to the definitions, and say what changed")
    asked = parser.parse_args(arguments)
    logs.start("feature", "info")
    run: dict[str, Callable[[], None]] = {"serve": _serve, "apply": _apply}
    return guarded(run[asked.command])


if __name__ == "__main__":
    sys.exit(main())

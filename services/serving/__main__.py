"""python -m serving serve."""

import argparse
import os
import sys
from collections.abc import Sequence

from runtime import logs
from runtime.process import Stop, guarded
from runtime.settings import load
from serving.settings import FAMILY, ServeSettings


def _serve() -> None:
    # Imported here: `--help` needs no server.
    from serving import app  # noqa: PLC0415

    settings = load(ServeSettings, os.environ, FAMILY)
    logs.start("serving", settings.log_level)
    Stop().listen()  # the server takes the signals for itself and hands them on in the end
    app.serve(settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one entry point; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m serving", description="The serving service.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer over HTTP, as the Open Inference Protocol V2 has it")
    parser.parse_args(arguments)
    logs.start("serving", "info")
    return guarded(_serve)


if __name__ == "__main__":
    sys.exit(main())

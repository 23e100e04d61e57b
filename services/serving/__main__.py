"""python -m serving serve | stream | offline | labels | follow."""

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime import logs
from runtime.process import Stop, guarded
from runtime.settings import load
from serving.settings import FAMILY, OfflineSettings, ServeSettings


def _serve() -> None:
    # Imported here: `--help` needs no server.
    from serving import app  # noqa: PLC0415

    settings = load(ServeSettings, os.environ, FAMILY)
    logs.start("serving", settings.log_level)
    Stop().listen()  # the server takes the signals for itself and hands them on in the end
    app.serve(settings)


def _stream() -> None:
    from serving.workers import streaming  # noqa: PLC0415  as above

    streaming.run(os.environ)


def _labels() -> None:
    from serving.workers import labelling  # noqa: PLC0415  as above

    labelling.run(os.environ)


def _follow() -> None:
    from serving.workers import follow  # noqa: PLC0415  as above

    follow.run(os.environ)


def _offline(asked: argparse.Namespace) -> None:
    from serving.workers import offline  # noqa: PLC0415  as above; what it reads with is in no server's image

    settings = load(OfflineSettings, os.environ, FAMILY)
    logs.start("serving-offline", settings.log_level)
    wanted = offline.Wanted(asked.model, asked.rows, asked.begin, asked.end, asked.out)
    sys.stdout.write(f"{offline.run(settings, wanted)}\n")


def _batch(command: argparse.ArgumentParser) -> None:
    """What `offline` takes."""
    day = dt.datetime.fromisoformat
    command.add_argument("model", metavar="MODEL", help="name, or name@version")
    command.add_argument("--rows", type=Path, required=True, metavar="FILE", help="Parquet, a column for each feature")
    command.add_argument("--from", dest="begin", type=day, metavar="DAY", help="first day of predicted_at, UTC")
    command.add_argument("--to", dest="end", type=day, metavar="DAY", help="the day after the last")
    command.add_argument("--out", type=Path, metavar="FILE", help="write there, and not into the lake")


def parser() -> argparse.ArgumentParser:
    """All entry points and what they take."""
    made = argparse.ArgumentParser(prog="python -m serving", description="The serving service.")
    commands = made.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer over HTTP, as the Open Inference Protocol V2 has it")
    commands.add_parser("stream", help="answer requests of a topic into another")
    _batch(commands.add_parser("offline", help="predict the rows of a Parquet file"))
    commands.add_parser("labels", help="compare predictions with the labels that come later")
    commands.add_parser("follow", help="ask about each flight that leaves")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one entry point; its exit code."""
    asked = parser().parse_args(arguments)
    logs.start("serving", "info")
    run: dict[str, Callable[[], None]] = {
        "serve": _serve,
        "stream": _stream,
        "offline": lambda: _offline(asked),
        "labels": _labels,
        "follow": _follow,
    }
    return guarded(run[asked.command])


if __name__ == "__main__":
    sys.exit(main())

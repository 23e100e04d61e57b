"""python -m ingest produce | consume | bronze | replay-dead-letters | pack CSV_FOLDER FILE."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ingest import app
from ingest.settings import FAMILY, BronzeSettings, ConsumerSettings, ProducerSettings, RepairSettings
from runtime import logs
from runtime.process import Stop, guarded
from runtime.settings import ServiceSettings, load

log = logging.getLogger("ingest")

S = TypeVar("S", bound=ServiceSettings)


def _with_settings(kind: type[S], run: Callable[[S, Stop], None]) -> None:
    settings = load(kind, os.environ, FAMILY)
    logs.start("ingest", settings.log_level)
    run(settings, Stop().listen())


def _pack(folder: Path, file: Path) -> None:
    events = app.pack(folder, file)
    log.info("packed", extra={"events": events, "file": str(file), "bytes": file.stat().st_size})


def _bronze(settings: BronzeSettings, stop: Stop) -> None:
    # Imported here: the image of the other entry points goes without Delta Lake.
    from ingest.bronze.app import run  # noqa: PLC0415

    run(settings, stop)


def _commands() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest", description="The first link of the chain.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("produce", help="replay the data set into the event topics")
    commands.add_parser("consume", help="validate, keep features, answer questions")
    commands.add_parser("bronze", help="write every valid event to the lake")
    commands.add_parser("replay-dead-letters", help="put repaired dead letters back, then end")
    pack = commands.add_parser("pack", help="make the replay file of the data set")
    pack.add_argument("folder", type=Path, metavar="CSV_FOLDER")
    pack.add_argument("file", type=Path, metavar="FILE")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one entry point; its exit code."""
    asked = _commands().parse_args(arguments)
    logs.start("ingest", "info")
    run: dict[str, Callable[[], None]] = {
        "produce": lambda: _with_settings(ProducerSettings, app.produce),
        "consume": lambda: _with_settings(ConsumerSettings, app.consume),
        "bronze": lambda: _with_settings(BronzeSettings, _bronze),
        "replay-dead-letters": lambda: _with_settings(RepairSettings, app.repair),
        "pack": lambda: _pack(asked.folder, asked.file),
    }
    return guarded(run[asked.command])


if __name__ == "__main__":
    sys.exit(main())

"""The command line of the training."""

import argparse
import datetime as dt
from pathlib import Path

from contracts.models import CHALLENGER, CHAMPION

KINDS = ("linear", "boosting", "network")
VARIANTS = ("network-int8", "network-pruned", "boosting-pruned")


def parser() -> argparse.ArgumentParser:
    """All commands and what they take."""
    made = argparse.ArgumentParser(prog="python -m training", description="From a training set to a served model.")
    commands = made.add_subparsers(dest="command", required=True)
    _fit(commands.add_parser("fit", help="fit models to a training set and register them"))
    _compose(commands.add_parser("compose", help="register a model that is made of others"))
    _promote(commands.add_parser("promote", help="hold a version to the quality gate and let an alias name it"))
    return made


def _fit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--set", type=Path, required=True, metavar="PLACE", help="Parquet file, or a folder with one")
    command.add_argument(
        "--kind", action="append", choices=(*KINDS, *VARIANTS),
        help="this one alone; may be repeated; where none is given, all but the variants",
    )  # fmt: skip
    command.add_argument("--name", default="delay", help="first part of the registered models' names: NAME-KIND")
    command.add_argument(
        "--held-from", type=_instant, metavar="DAY", help="first day that is held out; else the set's last month"
    )
    command.add_argument(
        "--without", action="append", metavar="FEATURE", help="leave it out; else those that are instants"
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", help="write the files there, and register nothing")


def _compose(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="of the registered model")
    command.add_argument("file", type=Path, metavar="FILE", help="composition.json: what it is made of, and how")


def _promote(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="of the registered model")
    command.add_argument("version", metavar="VERSION", help="its number, or an alias")
    command.add_argument("--alias", choices=(CHAMPION, CHALLENGER), default=CHAMPION, help="that is to name it")


def _instant(text: str) -> dt.datetime:
    """An instant, or the first one of a day, UTC."""
    value = dt.datetime.fromisoformat(text)
    return value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC)

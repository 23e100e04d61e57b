"""The command line of the lake."""

import argparse
import datetime as dt
from pathlib import Path

from contracts.training_sets import LABELS

_LEAD = 60
_SERVICE = "delay_v1"


def parser() -> argparse.ArgumentParser:
    """All commands and what they take."""
    made = argparse.ArgumentParser(prog="python -m lake", description="The lake behind the log.")
    commands = made.add_subparsers(dest="command", required=True)
    _build(commands.add_parser("build", help="make what its inputs have outgrown: silver, gold, offline features"))
    commands.add_parser("materialize", help="write the newest batch features to the online store (TARMAC_REDIS)")
    _training(commands.add_parser("training-set", help="make a training set and its manifest"))
    lineage = commands.add_parser("lineage", help="where a training set comes from, back to the log")
    lineage.add_argument("file", type=Path, metavar="PATH")
    lineage.add_argument("--json", action="store_true", help="for machines")
    _table(commands.add_parser("table", help="versions of a Delta table"))
    _version(commands.add_parser("version", help="versions of files, with DVC"))
    _data(commands.add_parser("data", help="training sets that are kept: made, compared, brought back"))
    _quality(commands.add_parser("quality", help="judge the days that are new or changed"))
    commands.add_parser("watch", help="tell Prometheus what was judged and how old the tables are")
    commands.add_parser("compare-etl", help="one step by ETL and by ELT, measured")
    return made


def _build(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--only", action="append", default=[], metavar="TABLE", help="this output alone; may be repeated"
    )
    command.add_argument("--anew", action="store_true", help="make everything, whatever the commits say")


def _training(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the Parquet file")
    _wanted(command)
    command.add_argument("--like", type=Path, metavar="MANIFEST", help="the same bytes again, from the same versions")


def _wanted(command: argparse.ArgumentParser) -> None:
    """What tells one training set from another."""
    command.add_argument("--from", dest="begin", type=instant, metavar="DAY", help="first day of scheduled departures")
    command.add_argument("--to", dest="end", type=instant, metavar="DAY", help="the day after the last")
    command.add_argument("--service", help="feature service, e.g. delay_v1")
    command.add_argument("--lead", type=int, default=_LEAD, metavar="MINUTES", help="from prediction to departure")
    command.add_argument(
        "--with", dest="extra", action="append", default=[], metavar="COLUMN", help="of silver/flights"
    )
    command.add_argument("--label", choices=LABELS, default=LABELS[0], help="what is to be predicted, in minutes")
    command.add_argument("--allow-leak", action="append", default=[], metavar="COLUMN", help="although known too late")


def _table(command: argparse.ArgumentParser) -> None:
    acts = command.add_subparsers(dest="act", required=True)
    for name, words in (
        ("list", "tables of the lake"),
        ("history", "commits, newest first"),
        ("show", "schema, rows and days, of any version"),
        ("restore", "make an older version the newest"),
        ("vacuum", "remove files that no kept version needs"),
    ):
        act = acts.add_parser(name, help=words)
        if name != "list":
            act.add_argument("name", metavar="TABLE")
        if name in ("show", "restore"):
            act.add_argument("--version", type=int, required=name == "restore")
        if name == "vacuum":
            act.add_argument("--hours", type=int, help="age that versions may have (TARMAC_KEEP_HOURS)")
            act.add_argument("--dry-run", action="store_true", help="only list the files")


def _version(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", type=Path, default=Path(), help="top of the git repository")
    acts = command.add_subparsers(dest="act", required=True)
    begin = acts.add_parser("begin", help="follow a folder with git and DVC")
    begin.add_argument("remote", help="a folder, or s3://bucket/prefix at TARMAC_S3_ENDPOINT")
    keep = acts.add_parser("keep", help="take a version of a file and push it")
    keep.add_argument("file", type=Path)
    keep.add_argument("-m", "--message", required=True)
    for name, words in (("push", "send contents that the remote lacks"), ("pull", "fetch what the pointers name")):
        acts.add_parser(name, help=words)
    checkout = acts.add_parser("checkout", help="a file as it was in a commit")
    checkout.add_argument("file", type=Path)
    checkout.add_argument("commit")
    diff = acts.add_parser("diff", help="what changed since a commit")
    diff.add_argument("before")
    diff.add_argument("after", nargs="?", default="")


def _data(command: argparse.ArgumentParser) -> None:
    acts = command.add_subparsers(dest="act", required=True)
    acts.add_parser("list", help="every set, with its versions")
    for name, words in (
        ("build", "make a set of the newest tables and keep it"),
        ("lineage", "from the file back to the log"),
        ("rebuild", "make it again by its manifest; ends with 2 where the bytes are others"),
        ("diff", "what differs between two versions"),
        ("checkout", "bring an old version back"),
    ):
        act = acts.add_parser(name, help=words)
        act.add_argument("name", metavar="NAME")
        if name == "build":
            _wanted(act)
            act.set_defaults(service=_SERVICE, like=None)
        if name == "checkout":
            act.add_argument("commit", help="its first digits")
        if name == "diff":
            act.add_argument("before", metavar="COMMIT", help="its first digits")
            act.add_argument(
                "after", metavar="COMMIT", nargs="?", default="HEAD", help="the newest where none is given"
            )


def _quality(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--day", type=dt.date.fromisoformat, action="append", default=[], help="judge this day (again)"
    )
    command.add_argument("--reports", type=Path, help="folder of the daily pages (TARMAC_REPORTS)")
    command.add_argument("--strict", action="store_true", help="end with 2 where a monitor alarms")


def instant(text: str) -> dt.datetime:
    """An instant, or the first one of a day, UTC."""
    value = dt.datetime.fromisoformat(text)
    return value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC)

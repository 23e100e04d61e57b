"""python -m training fit | promote: a training set becomes versions of models, a version becomes champion."""

import argparse
import os
import sys
from collections.abc import Sequence

from runtime import logs
from runtime.process import guarded
from runtime.settings import load
from training.arguments import parser
from training.settings import TrainingSettings


def _run(asked: argparse.Namespace) -> None:
    # Imported here: `--help` needs neither scikit-learn nor MLflow.
    from training import app  # noqa: PLC0415

    settings = load(TrainingSettings, os.environ)
    logs.start("training", settings.log_level)
    for line in app.COMMANDS[asked.command](settings, asked):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 try again later, 2 somebody has to act."""
    asked = parser().parse_args(arguments)
    logs.start("training", "info")
    return guarded(lambda: _run(asked))


if __name__ == "__main__":
    sys.exit(main())

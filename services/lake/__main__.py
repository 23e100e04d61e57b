"""python -m lake COMMAND: the lake behind the log; `--help` tells which commands there are."""

import logging
import os
import sys
from collections.abc import Sequence

from lake import app
from lake.arguments import parser
from lake.settings import LakeSettings
from runtime import logs
from runtime.process import guarded
from runtime.settings import load

log = logging.getLogger("lake")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 try again later, 2 somebody has to act."""
    asked = parser().parse_args(arguments)
    logs.start("lake", "info")

    def run() -> None:
        settings = load(LakeSettings, os.environ)
        logs.start("lake", settings.log_level)
        app.COMMANDS[asked.command](settings, asked)

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())

"""python -m page: show the platform's page until asked to end."""

import os
from collections.abc import Mapping

from page.desk import Desk
from page.settings import PageSettings
from runtime import logs
from runtime.process import guarded
from runtime.role import Role

NAME = "page"


def run(env: Mapping[str, str]) -> None:
    """Answer until asked to end."""
    with Role(NAME, PageSettings, env) as role:
        role.serve(questions=Desk(role.settings).questions())
        while not role.stop.wait(60):
            pass


def main(env: Mapping[str, str]) -> int:
    """Run; the exit code."""
    logs.start(NAME, env.get("TARMAC_LOG_LEVEL", "info"))
    return guarded(lambda: run(env))


if __name__ == "__main__":
    raise SystemExit(main(os.environ))

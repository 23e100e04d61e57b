"""python -m trials: conduct the experiments of lab 04 until asked to end."""

import os
from collections.abc import Mapping

from runtime import logs
from runtime.conducting import conduct
from runtime.history import History
from runtime.process import guarded
from runtime.role import Role
from trials.programme import programme
from trials.settings import TrialsSettings
from trials.stage import Stage

NAME = "lab-04-trials"
RESULTS = "lab-04:results"
"""Key in the online store that earlier results are kept under."""


def run(env: Mapping[str, str]) -> None:
    """Answer until asked to end."""
    with Role(NAME, TrialsSettings, env) as role:
        conduct(role, programme(Stage(role.settings, role.stop)), History(role.settings, RESULTS))


def main(env: Mapping[str, str]) -> int:
    """Run; the exit code."""
    logs.start(NAME, env.get("TARMAC_LOG_LEVEL", "info"))
    return guarded(lambda: run(env))


if __name__ == "__main__":
    raise SystemExit(main(os.environ))

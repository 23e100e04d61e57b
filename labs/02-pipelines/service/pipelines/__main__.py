"""python -m pipelines: conduct the experiments of lab 02 until asked to end."""

import os
from collections.abc import Mapping

from pipelines import discovery
from pipelines.programme import programme
from pipelines.settings import PipelinesSettings
from pipelines.stage import SPEED, Stage
from runtime import logs
from runtime.conducting import conduct
from runtime.history import History
from runtime.process import guarded
from runtime.role import Role

NAME = "lab-02-pipelines"
RESULTS = "lab-02:results"
"""Key in the online store that earlier results are kept under."""


def run(env: Mapping[str, str]) -> None:
    """Answer until asked to end."""
    with Role(NAME, PipelinesSettings, env) as role:
        history = History(role.settings, RESULTS, SPEED)
        conduct(role, programme(Stage(role.settings, role.stop)), history, {"products": discovery.told})


def main(env: Mapping[str, str]) -> int:
    """Run; the exit code."""
    logs.start(NAME, env.get("TARMAC_LOG_LEVEL", "info"))
    return guarded(lambda: run(env))


if __name__ == "__main__":
    raise SystemExit(main(os.environ))

"""`mlflow server`, which becomes the web server instead of waiting for it.

MLflow's command starts the web server as a process of its own and stays beside it with all that it imported: a quarter
of a gigabyte that does nothing. Here that process is replaced, which also hears the signals itself.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from mlflow import server
from mlflow.cli import cli

STARTS = "_exec_cmd"
"""How MLflow starts the web server; a test starts a real one, so that another version that does otherwise is seen."""


def become(command: list[str], *, extra_env: dict[str, str], **_: Any) -> NoReturn:
    """Go on as another program."""
    os.execve(command[0], command, {**os.environ, **extra_env})


if __name__ == "__main__":
    if not callable(getattr(server, STARTS, None)):
        raise SystemExit("this MLflow starts its web server otherwise: correct platform/helm/mlflow/files/serve.py")
    setattr(server, STARTS, become)
    cli(["server", *sys.argv[1:]])

"""python -m patterns ROLE: run one role until it is asked to end."""

import importlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from runtime import logs
from runtime.errors import Permanent
from runtime.process import guarded

ROLES = ("gateway", "delays", "analyst", "centre", "edge", "scaler", "worker")

log = logging.getLogger(__name__)


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the named role; its exit code."""
    logs.start(f"lab-01-{arguments[0]}" if arguments else "lab-01", env.get("TARMAC_LOG_LEVEL", "info"))
    return guarded(lambda: _run(arguments, env))


def _run(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    if len(arguments) != 1 or arguments[0] not in ROLES:
        raise Permanent(f"there is no role {' '.join(arguments) or '(none named)'}", f"name one of {', '.join(ROLES)}")
    # Imported here: a role's process holds only what that role needs (numpy is the centre's and the sites' alone).
    importlib.import_module(f"patterns.{arguments[0]}").main(env)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))

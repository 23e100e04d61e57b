"""Starts MLflow's web server, and brings the database up to date meanwhile: `python3 serve.py UVICORN'S ARGUMENTS`.

Importing MLflow takes as long as a database takes to start, and everybody who needs the registry waits for both: so the
one goes on beside the other. Nobody is answered before the database is up to date.
"""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from pathlib import Path

import uvicorn

if __name__ == "__main__":
    # The first process of a container hears no signal that it has not asked for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    migration = subprocess.Popen([sys.executable, str(Path(__file__).with_name("migrate.py"))])
    importlib.import_module(sys.argv[-1].partition(":")[0])
    if code := migration.wait():
        sys.exit(code)
    uvicorn.main()

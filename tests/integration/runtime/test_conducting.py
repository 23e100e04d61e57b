"""The conductors of labs 02 and 04 as processes: what was measured before they started is told, and they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pipelines.__main__ import RESULTS as PIPELINES
from pipelines.stage import SPEED
from runtime.history import History
from runtime.online import OnlineSettings
from trials.__main__ import RESULTS as TRIALS

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("services", "labs/02-pipelines/service", "labs/04-serving/service")


@contextmanager
def running(module: str, settings: OnlineSettings) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The process, and a client of it once it answers; it is gone afterwards."""
    told = {"REDIS": settings.redis, "REDIS_PASSWORD": settings.redis_password, "PORT": "0", "TRACES": ""}
    env = {f"TARMAC_{name}": each for name, each in told.items()}
    env |= {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in FOLDERS)}
    with subprocess.Popen([sys.executable, "-m", module], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            lines = (json.loads(text) for text in process.stderr)
            port = next(line["port"] for line in lines if line["event"] == "answering")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
                yield process, client
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("module", "key", "database", "name"),
    [("pipelines", PIPELINES, SPEED, "late-events"), ("trials", TRIALS, None, "model-aliases")],
)
def test_what_was_measured_before_is_told(
    settings: OnlineSettings, module: str, key: str, database: int | None, name: str
) -> None:
    """By a conductor that has run nothing yet; the next run is counted on from there; SIGTERM ends it with 0."""
    result = {"name": name, "run": 4, "settings": {}, "figures": [], "seconds": 1.0}
    History(settings, key, database).keep(result)
    History(settings, key, database).keep({**result, "name": "an experiment that is no more", "run": 9})
    with running(module, settings) as (process, client):
        while client.get("/readyz").status_code != httpx.codes.OK:
            assert process.poll() is None
        assert client.get(f"/experiments/{name}").json() == result
        assert client.get("/experiments").json()["run"] == 4
        process.terminate()
        assert process.wait(20) == 0

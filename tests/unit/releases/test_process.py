"""The controller as a process: what it answers, what it measures, and how it ends."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from unit.releases.cluster import Cluster, standing
from unit.releases.worlds import GIVEN, World

ROOT = Path(__file__).resolve().parents[3]
SOURCES = os.pathsep.join(str(ROOT / name) for name in ("services", "labs/04-serving/service"))


@contextmanager
def running(**settings: str) -> Iterator["subprocess.Popen[str]"]:
    """The process with these settings; it is gone afterwards."""
    given = {f"TARMAC_{name.upper()}": value for name, value in settings.items()}
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, **given}
    command = [sys.executable, "-m", "releases"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: "subprocess.Popen[str]", event: str) -> dict[str, object]:
    """The first line of its log that tells of this."""
    assert process.stderr
    for text in process.stderr:
        line: dict[str, object] = json.loads(text)
        if line["event"] == event:
            return line
    raise AssertionError(event)


def _client(process: "subprocess.Popen[str]") -> httpx.Client:
    port = _line(process, "answering")["port"]
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with a good new version."""
    with standing(World(31), tmp_path) as made:
        yield made


def test_it_answers_measures_and_ends_when_asked(cluster: Cluster) -> None:
    """A release begun over HTTP is told as JSON and as metrics; SIGTERM ends the process with 0."""
    at = cluster.address
    settings = {"api": at, "prometheus": at, "registry": at, "account": str(cluster.account)}
    with running(port="0", traces="", poll_seconds="0.1", **settings) as process, _client(process) as client:
        assert client.get("/release").json()["phase"] == "none"
        assert client.post("/release", json={**GIVEN, "steps": 7}).status_code == 400
        assert client.post("/release", json=GIVEN).status_code == 202
        _line(process, "release of delay-boosting version 7 begins: 3 stages after a baseline")
        assert client.get("/release").json()["stage"] == {"number": 0, "of": 3, "name": "baseline", "mode": "weight"}
        told = client.get("/metrics").text
        assert re.search(r'^release_verdicts_total\{verdict="roll back"\} 0.0$', told, re.MULTILINE)
        assert client.get("/livez").status_code == 200
        process.terminate()
        assert process.wait(20) == 0
    assert [event["reason"] for event in cluster.events.values()] == ["Started"]
    assert cluster.aliases == {"delay-boosting@challenger": "7"}


def test_without_an_account_it_says_so_and_ends(tmp_path: Path) -> None:
    """Exit code 2, and the last line names what to give the pod."""
    with running(port="0", traces="", account=str(tmp_path)) as process:
        assert "serviceAccountName" in str(_line_about(process, "no service account"))
        assert process.wait(20) == 2


def _line_about(process: "subprocess.Popen[str]", words: str) -> dict[str, object]:
    assert process.stderr
    found: list[dict[str, object]] = [line for line in map(json.loads, process.stderr) if words in line["event"]]
    return found[0]

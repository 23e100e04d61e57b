"""What the benchmark of the way in runs beside Redis: ingest's entry points, and an object store for the lake."""

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import redis
from bench.feature import ROOT, cpu_seconds, free_port, process
from bench.ingest import Topics
from bench.online_chain import IMPORTED

from contracts.topics import DEAD_LETTER
from lab.errors import LabError
from lab.images import Catalogue
from lab.settings import Settings
from lab.tools import golang

CORES = f"0-{(os.cpu_count() or 1) - 1}"
PATHS = f"{ROOT / 'services'}:{ROOT / 'platform'}:{ROOT}"
KEY, SECRET = "bench-access", "bench-secret-of-this-run"
_PATIENCE = 300.0  # seconds after which a measurement says where it hangs, and ends


def until(condition: Callable[[], Any], what: str, seconds: float = _PATIENCE, pause: float = 0.01) -> None:
    """Wait for a condition; end with its name where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:g} s: {what}")
        time.sleep(pause)


def get(port: int, path: str) -> str | None:
    """Return the body of a GET on 127.0.0.1; None where it is refused or nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except (OSError, http.client.HTTPException):
        return None


class Chain:
    """An entry point of ingest as a process; it waits to be let go.

    Args:
        command: `consume` or `bronze`.
        names: contract topic -> its name for this run.
        settings: variables of the entry point.
        log: file for what it writes.

    """

    def __init__(self, command: str, names: Mapping[str, str], settings: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._log = log
        own = {"TARMAC_PORT": str(self.port), "TARMAC_TRACES": "", "TARMAC_GROUP": f"{log.stem}.{os.getpid()}"}
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TARMAC_")}
        env = {**bare, **own, **settings, "BENCH_TOPICS": json.dumps(dict(names)), "PYTHONPATH": PATHS}
        words = [sys.executable, "-P", "-m", "bench.online_chain", command]
        with log.open("ab") as out:
            self._process = subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=out, stderr=out)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind:
            print(self._told(), file=sys.stderr)
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def imported(self) -> bool:
        """Return whether it waits to be let go."""
        return IMPORTED in self._log.read_text(encoding="utf-8")

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin  # noqa: S101  a pipe, as asked
        self._process.stdin.write(b"go\n")
        self._process.stdin.close()

    def ready(self) -> bool:
        """Return whether it says that it is ready."""
        return self._asked("/readyz") is not None

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels; 0 while nothing answers."""
        lines = (self._asked("/metrics") or "").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def durable(self) -> int:
        """Return how many offsets the lake's tables have passed, as the bronze writer tells."""
        told = json.loads(self._asked("/positions") or "{}")
        return sum(sum(each["next"].values()) for each in told.values())

    @property
    def cpu_seconds(self) -> float:
        """CPU time since its start, imports included."""
        return cpu_seconds(self._process.pid)

    def _asked(self, path: str) -> str | None:
        if self._process.poll() is not None:
            raise SystemExit(f"{self._process.args!r} ended")
        return get(self.port, path)

    def _told(self) -> str:
        """The end of what it wrote."""
        return f"{self._log.name}: {self._log.read_text(encoding='utf-8')[-2000:]}"


@contextlib.contextmanager
def lake(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Provide a lake in a folder that is empty: what keeps it, and the settings that lead there."""
    program = _gateway()
    if program is None:
        yield "a folder", {"TARMAC_LAKE": str(folder / "lake")}
        return
    for name in ("objects/lake", "meta"):
        (folder / name).mkdir(parents=True)
    port = free_port()
    words = [str(program), f"--port=127.0.0.1:{port}", "--health=/health", "--region=us-east-1", "--quiet"]
    words += ["posix", f"--sidecar={folder / 'meta'}", str(folder / "objects")]
    secrets = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    with process(words, port, CORES, env={**os.environ, **secrets}):
        until(lambda: get(port, "/health") is not None, "the object store answers", 30)
        yield "versitygw", {
            "TARMAC_LAKE": "s3://lake", "TARMAC_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "TARMAC_S3_ACCESS_KEY": KEY, "TARMAC_S3_SECRET_KEY": SECRET,
        }  # fmt: skip


def _gateway() -> Path | None:
    """Return the object store's program, compiled as for the image; None where it cannot be had."""
    settings = Settings.load(os.environ)
    go = Catalogue(settings.root).image("objectstore").go
    assert go  # noqa: S101  the catalogue says so
    try:
        return golang.compiled(settings, print, go.module, go.version, go.package)
    except LabError as failure:
        print(f"no object store, the lake is a folder: {failure}", flush=True)
        return None


@dataclass(frozen=True)
class Bench:
    """What everything here needs.

    Attributes:
        asked: the command line.
        file: the replay file.
        folder: scratch.
        store: port of Redis.

    """

    asked: argparse.Namespace
    file: Path
    folder: Path
    store: int

    def topics(self, what: str) -> Topics:
        """Topics of one measurement."""
        return Topics(self.asked.kafka, f"{os.getpid()}-{what}")

    def chain(self, command: str, topics: Topics, **settings: str) -> Chain:
        """One of ingest's entry points, on these topics and this Redis."""
        told = {"TARMAC_KAFKA": self.asked.kafka, "TARMAC_REDIS": f"127.0.0.1:{self.store}", **settings}
        if self.asked.online_seconds is not None:
            told["TARMAC_ONLINE_SECONDS"] = str(self.asked.online_seconds)
        return Chain(command, named(topics), told, self.folder / f"{topics.letters}.{command}.log")

    def empty(self) -> None:
        """Forget what Redis holds: rows of a run before would be newer than those of this one."""
        with redis.Redis(port=self.store) as store:
            store.flushall()

    def rows_stand(self) -> None:
        """Make sure that something was written, whatever wrote it."""
        with redis.Redis(port=self.store) as store:
            if not store.dbsize():
                raise SystemExit("nothing stands in Redis: what was measured wrote no row")


def named(topics: Topics) -> dict[str, str]:
    """Contract topic -> its name for this run, dead letters included."""
    return {**topics.names, DEAD_LETTER: topics.letters}


def ran(python: str, module: str, *words: object, **env: str) -> list[str]:
    """Run a module of this benchmark to its end; the lines that it printed."""
    command = [python, "-P", "-m", module, *map(str, words)]
    told = {**os.environ, "PYTHONPATH": PATHS, **env}
    return subprocess.run(command, env=told, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout.split(
        "\n"
    )

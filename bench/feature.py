"""The feature service beside Feast's own server and a bare ASGI function, on one Redis, in turns.

    python bench/feature.py [--seconds 5] [--rounds 3] [--only NAME]

1, 10 and 100 rows of 50 features over 5 views; 8 connections, each server on one core, Redis and the client on another.
Feast lives in an environment of its own under build/. Results go to bench/results/feature.json.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench.feature_views import BEGIN, DEFINITIONS, ENTITIES, PRECOMPUTED, plane, values  # noqa: E402  after the path

from contracts.online import Row, Writer  # noqa: E402  after the path
from lab.settings import Settings  # noqa: E402  after the path
from lab.tools import debian  # noqa: E402  after the path

FEAST = ROOT / "build" / "bench-feast"
SERVER_CORE, CLIENT_CORE = "0", str(max((os.cpu_count() or 1) - 1, 0))
ROWS = (1, 10, 100)
CONNECTIONS = 8
BODIES = 16
"""Different requests of a size, taken in turn."""
GOALS = {1: 30, 10: None, 100: 20}
"""How many times the rate of `feast serve` ours has to be."""
SLOWEST = 10.0
"""Milliseconds that the 99th percentile of 100 rows may take with one connection."""
_PATIENCE = 240.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(words: list[str], port: int, core: str, **options: Any) -> Iterator[int]:  # noqa: ANN401  as the callee has it
    """Run a program on one core until it is no longer needed, and give its process id once its port is open."""
    with subprocess.Popen(
        ["taskset", "--cpu-list", core, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    ) as child:
        try:
            _until_open(port, child)
            yield child.pid
        finally:
            family = _family(child.pid)
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
            _end(family)


def _until_open(port: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise SystemExit(f"{child.args!r} ended")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise SystemExit(f"{child.args!r} does not listen")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, of its living descendants, and of children of its own that ended."""
    rows = _family(pid)
    ticks = sum(rows.pop(pid).ticks) + sum(sum(each.ticks[:2]) for each in rows.values())
    return ticks / os.sysconf("SC_CLK_TCK")


class _Process(NamedTuple):
    """A process: its parent, when it began, and its own CPU time and its ended children's, user and system each."""

    parent: int
    begun: int
    ticks: list[int]


def _processes() -> dict[int, _Process]:
    rows = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            rows[int(stat.parent.name)] = _Process(int(fields[1]), int(fields[19]), list(map(int, fields[11:15])))
    return rows


def _family(pid: int) -> dict[int, _Process]:
    """Return a process and its living descendants."""
    rows, family = _processes(), {pid}
    while more := {each for each, row in rows.items() if row.parent in family} - family:
        family |= more
    return {each: rows[each] for each in family if each in rows}


def _end(family: Mapping[int, _Process]) -> None:
    """End what a server left behind: workers that go on spinning on its core would slow every server after it."""
    now = _processes()
    for pid, row in family.items():
        if pid in now and now[pid].begun == row.begun:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[int]:
    """Run Debian's Redis; its port."""
    settings, port = Settings.load(os.environ), free_port()
    program = debian.extracted(settings, "redis-tools") / "usr/bin/redis-check-rdb"
    parts = [debian.extracted(settings, each) for each in ("libjemalloc2", "liblzf1")]
    link = folder / "redis-server"
    link.symlink_to(program)
    env = {"LD_LIBRARY_PATH": ":".join(str(path) for part in parts for path in part.glob("usr/lib/*"))}
    words = [str(link), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with process(words, port, CLIENT_CORE, env={**os.environ, **env}):
        yield port


def fill(port: int) -> None:
    """Write every entity, through the writer that the platform uses."""
    draw = random.Random(1)  # noqa: S311  the same draws at every run
    writer = Writer(DEFINITIONS, "127.0.0.1", port)
    for number in range(ENTITIES):
        writer.write(
            Row(view.name, {"plane": plane(number)}, BEGIN + number * 10**9, values(draw)) for view in DEFINITIONS.views
        )
    writer.close()


def bodies(rows: int, service: str) -> list[str]:
    """Return requests of a size, as JSON."""
    draw = random.Random(rows)  # noqa: S311  the same draws at every run
    # Feast 0.67 finds what it precomputed only under the features' full names.
    asked = {"feature_service": service, "full_feature_names": service == PRECOMPUTED}
    return [
        json.dumps({**asked, "entities": {"plane": [plane(n) for n in draw.sample(range(ENTITIES), rows)]}})
        for _ in range(BODIES)
    ]


def feasts_python() -> str:
    """Return the Python of Feast's environment, made where it is missing."""
    python = FEAST / "bin/python"
    if not python.exists():
        uv = str(ROOT / ".venv/bin/uv")
        subprocess.run([uv, "venv", "--quiet", str(FEAST)], check=True)
        lock = ["--require-hashes", "-r", str(ROOT / "requirements/feast.txt")]
        subprocess.run([uv, "pip", "install", "--quiet", "--native-tls", "--python", str(python), *lock], check=True)
    return str(python)


def servers(python: str, folder: Path, store: int) -> dict[str, tuple[list[str], dict[str, str], str]]:
    """Name -> (program, environment, feature service) of each server; `PORT` stands for its port."""
    paths = {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT}", "BENCH_REDIS": str(store)}
    feast = [f"{FEAST}/bin/feast", "--chdir", str(folder), "serve", "--port", "PORT", "--no-access-log"]
    # By default a worker ends after a thousand requests and the registry is read again each minute.
    tuned = [*feast, "--max-requests", "0", "--registry_ttl_sec", "3600"]
    bare = [
        python,
        "-m",
        "uvicorn",
        "bench.feature_bare:app",
        "--port",
        "PORT",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    program = [sys.executable, "-m", "feature", "serve"]
    ours = {
        "TARMAC_PORT": "PORT", "TARMAC_REDIS": f"127.0.0.1:{store}", "TARMAC_TRACES": "",
        "TARMAC_DEFINITIONS": "bench.feature_views:DEFINITIONS", "TARMAC_STATUSES": "feast",
    }  # fmt: skip
    return {
        "feast": (feast, paths, "bench_v1"),
        "feast-tuned": (tuned, paths, "bench_v1"),
        "feast-precomputed": (tuned, paths, PRECOMPUTED),
        "bare": (bare, paths, "bench_v1"),
        "tarmac": (program, {**paths, **ours}, "bench_v1"),
        "tarmac-exact": (program, {**paths, **ours, "TARMAC_STATUSES": "exact"}, "bench_v1"),
    }


@contextlib.contextmanager
def server(words: list[str], env: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Run a server on its core; its port and process id."""
    port = str(free_port())
    told = {name: value.replace("PORT", port) for name, value in env.items()}
    program = [port if each == "PORT" else each for each in words]
    with process(program, int(port), SERVER_CORE, env={**os.environ, **told}) as pid:
        time.sleep(1.5)  # workers that are made after the port is open
        yield int(port), pid


def load(
    at: tuple[int, int], connections: int, seconds: float, asked: list[str], client: str = "feature_load.py"
) -> dict[str, Any]:
    """Measure a server: what its callers see, and what CPU each request costs it, which no neighbour disturbs.

    Args:
        at: its port and process id.
        connections: callers that each wait for their answer.
        seconds: for how long.
        asked: what they ask, as the client takes it.
        client: the program of the callers, in this folder.

    """
    port, pid = at
    words = [sys.executable, str(HERE / client), "127.0.0.1", str(port), str(connections), str(seconds)]
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["taskset", "--cpu-list", CLIENT_CORE, *words, *asked], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    spent = cpu_seconds(pid) - before
    found["cpu_ms"] = round(1000 * spent / max(found["requests"], 1), 4)
    found["rate_of_a_core"] = round(found["requests"] / spent, 1) if spent else None
    return found


def answered(port: int, body: str) -> dict[str, list[Any]]:
    """Return name -> (values, statuses, times) of one request."""
    address = f"http://127.0.0.1:{port}/get-online-features"
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body.encode(), kind, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
        told = json.loads(answer.read())
    names = told["metadata"]["feature_names"]
    return {
        name: [each["values"], each["statuses"], each["event_timestamps"]]
        for name, each in zip(names, told["results"], strict=True)
    }


def measure(seconds: float, rounds: int, only: str) -> dict[str, Any]:
    """Measure every server in turns; name -> rows -> rounds of figures, and whether ours answers as Feast does."""
    python = feasts_python()
    found: dict[str, Any] = {"servers": {}, "same_as_feast": None}
    with tempfile.TemporaryDirectory() as scratch, redis(Path(scratch)) as store:
        fill(store)
        folder = Path(scratch)
        env = {**os.environ, "PYTHONPATH": f"{ROOT / 'services'}:{ROOT}"}
        prepare = [python, "-P", str(HERE / "feature_feast.py"), str(folder / "registry.db"), str(store)]
        subprocess.run(prepare, env=env, check=True, stdout=subprocess.DEVNULL)
        answers: dict[str, Any] = {}
        for turn in range(rounds):
            for name, (words, told, service) in servers(python, folder, store).items():
                if only and only not in name:
                    continue
                with server(words, told) as (port, pid):
                    answers[name] = answered(port, bodies(100, service)[0])
                    _round(found["servers"].setdefault(name, {}), (port, pid), service, seconds)
                print(f"round {turn + 1} {name}: {_rates(found['servers'][name])}", flush=True)
        if {"feast", "tarmac"} <= set(answers):
            found["same_as_feast"] = answers["feast"] == answers["tarmac"]
    return found


def _round(into: dict[str, Any], at: tuple[int, int], service: str, seconds: float) -> None:
    for rows in ROWS:
        asked = bodies(rows, service)
        load(at, CONNECTIONS, 0.5, asked)  # plans are compiled, caches are warm
        into.setdefault(str(rows), []).append(load(at, CONNECTIONS, seconds, asked))
    into.setdefault("unloaded_100", []).append(load(at, 1, seconds / 2, bodies(100, service)))


def _rates(rounds: Mapping[str, list[dict[str, Any]]]) -> str:
    last = {rows: each[-1] for rows, each in rounds.items()}
    return ", ".join(f"{n} {r['rate']}/s p99 {r['p99_ms']} ms ({r['rate_of_a_core']}/core-s)" for n, r in last.items())


def _times(ours: float, theirs: float) -> float:
    """Return how many times as much; theirs may not have got one request done on a machine that is not at rest."""
    return round(ours / max(theirs, 0.01), 1)


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """Put medians and goals beside what was measured."""
    medians = {
        name: {rows: statistics.median(each["rate"] for each in rounds) for rows, rounds in sizes.items()}
        for name, sizes in found["servers"].items()
    }
    found["median_rate"] = medians
    found["median_rate_of_a_core"] = by_cpu = {
        name: {rows: statistics.median(each["rate_of_a_core"] for each in rounds) for rows, rounds in sizes.items()}
        for name, sizes in found["servers"].items()
    }
    if {"feast", "tarmac"} <= set(medians):
        ratio = {rows: _times(medians["tarmac"][rows], medians["feast"][rows]) for rows in map(str, ROWS)}
        slowest = statistics.median(each["p99_ms"] for each in found["servers"]["tarmac"]["unloaded_100"])
        met = {f"{rows} rows": ratio[str(rows)] >= goal for rows, goal in GOALS.items() if goal}
        met["100 rows unloaded p99"] = slowest < SLOWEST
        met["same values"] = found["same_as_feast"]
        found["times_feast_by_cpu"] = {
            rows: _times(by_cpu["tarmac"][rows], by_cpu["feast"][rows]) for rows in map(str, ROWS)
        }
        found["load_average"] = os.getloadavg()
        found |= {"times_feast": ratio, "unloaded_100_p99_ms": slowest, "met": met}
    return found


def main() -> None:
    """Measure, judge, and keep the result."""
    parser = argparse.ArgumentParser(description="The feature service beside its peers.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="servers whose name holds this text; the result is only printed")
    asked = parser.parse_args()
    result = judged(measure(asked.seconds, asked.rounds, asked.only))
    result["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    result["setting"] = {"connections": CONNECTIONS, "seconds": asked.seconds, "rounds": asked.rounds}
    text = json.dumps(result, indent=1)
    print(text)
    if not asked.only:
        (HERE / "results" / "feature.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

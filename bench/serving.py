"""The serving service beside its peers and a bare ASGI function, on one model, in turns.

    python bench/serving.py [--seconds 5] [--rounds 5] [--connections 16] [--only NAME] [--peers FOLDER]

Two races. *single*: V2 JSON, 1x32 FP32, and MLflow's JSON for its own server and ours beside it. *tensors*: 128 KiB of
FP32 (1024x32) in V2's binary extension, as plain bytes for peers that take those, as JSON for MLServer. Each server
runs on one core, the client on another. `--peers` names the folder with the peers' environments
(bench/serving_servers.py; build/bench-serving by default). Every server's answers are held to those of onnxruntime
itself before anything is measured. Ours has its metrics on, and of a hundred requests one is traced, to a collector
that only takes the spans. Results go to bench/results/serving.json.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench import feature  # noqa: E402  after the path
from bench.feature import server  # noqa: E402  after the path
from bench.serving_asked import Asked, collector, held  # noqa: E402  after the path
from bench.serving_model import write  # noqa: E402  after the path
from bench.serving_servers import Bench, Candidate  # noqa: E402  after the path

PEERS = ROOT / "build" / "bench-serving"
RACES = {"single": 1, "tensors": 1024}
"""Rows of a request."""
GOALS = {"mlserver": 5.0, "mosec": 2.0, "floor": 0.7}
"""How many times the rate of each ours has to be, one row at a time."""
TENSORS = 1.5
"""And the rate of the best peer with tensors."""
_OURS = {"single": "tarmac", "tensors": "tarmac-binary"}
_WARM_SECONDS = 0.5


def load(at: tuple[int, int], connections: int, seconds: float, files: list[str]) -> dict[str, Any]:
    """Measure a server with whole requests from files."""
    return feature.load(at, connections, seconds, files, "serving_load.py")


def candidates(bench: Bench, race: str) -> Iterator[tuple[str, Candidate]]:
    """Give name and program of each server of a race."""
    yield from bench.single() if race == "single" else bench.tensors()


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure every server in turns; race -> name -> rounds of figures."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {race: {} for race in RACES}
    with tempfile.TemporaryDirectory() as scratch, collector() as traces:
        folder = Path(scratch)
        write(folder / "models")
        bench = Bench(folder / "models", asked.peers, folder, traces)
        for turn in range(asked.rounds):
            for race, rows in RACES.items():
                for name, each in candidates(bench, race):
                    if asked.only not in name:
                        continue
                    requests = Asked(each.path, each.wire, rows)
                    with server(each.words, each.env) as (port, pid):
                        held(name, requests, port, folder / "models")
                        sent = requests.files(folder)
                        load((port, pid), asked.connections, _WARM_SECONDS, sent)
                        last = load((port, pid), asked.connections, asked.seconds, sent)
                    found[race].setdefault(name, []).append(last)
                    print(f"round {turn + 1} {name}: {last['rate']}/s p99 {last['p99_ms']} ms", flush=True)
    return {"races": found}


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """Put medians and goals beside what was measured."""
    found["median_rate"] = rates = {
        race: {name: statistics.median(each["rate"] for each in rounds) for name, rounds in servers.items()}
        for race, servers in found["races"].items()
    }
    found["failures"] = {
        name: sum(each["failures"] for each in rounds)
        for servers in found["races"].values()
        for name, rounds in servers.items()
    }
    found["times"] = times = {
        race: {name: round(told[ours] / max(rate, 0.01), 2) for name, rate in told.items() if name != ours}
        for race, told in rates.items()
        if (ours := _OURS[race]) in told
    }
    single = times.get("single", {})
    found["met"] = {name: single[name] >= goal for name, goal in GOALS.items() if name in single}
    if peers := {name: each for name, each in times.get("tensors", {}).items() if name != "floor-raw"}:
        found["met"]["best peer, tensors"] = min(peers.values()) >= TENSORS
    found["load_average"] = os.getloadavg()
    return found


def main() -> None:
    """Measure, judge, and keep the result."""
    parser = argparse.ArgumentParser(description="The serving service beside its peers.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", default="", help="servers whose name holds this text; the result is only printed")
    parser.add_argument("--peers", type=Path, default=PEERS, help="folder with the peers' environments")
    parser.add_argument("--dry", action="store_true", help="only print the result")
    asked = parser.parse_args()
    result = judged(measure(asked))
    result["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    result["setting"] = {"connections": asked.connections, "seconds": asked.seconds, "rounds": asked.rounds}
    text = json.dumps(result, indent=1)
    print(text)
    if not (asked.only or asked.dry):
        (HERE / "results" / "serving.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

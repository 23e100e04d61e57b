"""The serving service where requests come when they come: batching, overload, and a new version meanwhile.

    python bench/serving_bursts.py [--seconds 5] [--rounds 5] [--only NAME] [--peers FOLDER]

*batching*: Poisson arrivals on a model of a few milliseconds, one row each: time that goes into its steps, so that a
run of many rows costs little more. (Where each row costs a tenth of a run, as in the deep model, the core is bound by
arithmetic, and no server can carry much more than another.) The goodput of a server is the highest rate of answers
within 50 ms that it holds with 99 of 100 requests answered within them; found by trying, from what it answers to 64
callers that each wait. All servers in the first round, ours and the two best peers in the others. Beside it what
batching adds for a single caller who finds it idle: ours with and without. *overload*: ours at twice the rate that it
holds with waiting callers; what it still answers, and how long those wait whom it takes. Of the same model one row at
a time: the model bounds it, as one does whose runs gain nothing from more rows. *swap*: an alias moves to another
version under load; failures, and the p99 of the seconds around it beside that of those before. Each server on one core,
the client on another. Results go to bench/results/serving-bursts.json.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench import serving_model as model  # noqa: E402  after the path
from bench.feature import CLIENT_CORE, server  # noqa: E402  after the path
from bench.serving import PEERS, load  # noqa: E402  after the path
from bench.serving_asked import Asked, collector, held  # noqa: E402  after the path
from bench.serving_servers import Bench, Candidate  # noqa: E402  after the path

WITHIN = 0.050
"""Seconds in which an answer is of use."""
GOALS = {"best peer": 1.5, "added_ms": 0.2, "overload": 0.95, "waits": 2.0, "excursion": 1.5}
OURS = "tarmac"
_LEADERS = 2
_CALLERS = 64
_TRIES, _UPWARDS = 6, 1.2
_OK = 200
_REFUSED = (429, 503)
_SETTLED = 2.0
"""Seconds after a swap in which it may be felt."""
T = TypeVar("T")
_ALONE = {"TARMAC_BATCH_ROWS": "1", "TARMAC_QUEUE_SECONDS": "0.008"}
"""A row at a time; who would wait for longer than two runs and a half is told to come again."""
_WATCH = {"TARMAC_WATCH_SECONDS": "0.2"}


class Outcome(NamedTuple):
    """How requests went.

    Attributes:
        sent: how many.
        good: answered within the time in which they are of use.
        answered: with a prediction.
        refused: told when to come again.
        p50_ms: of the answered.
        p99_ms: of the answered.
    """

    sent: int
    good: int
    answered: int
    refused: int
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, rows: list[tuple[float, float, int]]) -> "Outcome":
        """Count (due, seconds, status) of each request."""
        taken = sorted(seconds for _, seconds, status in rows if status == _OK)
        refused = sum(status in _REFUSED for _, _, status in rows)
        good = sum(seconds <= WITHIN for seconds in taken)
        return cls(len(rows), good, len(taken), refused, _part(taken, 0.5), _part(taken, 0.99))

    @property
    def holds(self) -> bool:
        """Say whether of a hundred requests ninety-nine were answered in time."""
        return self.good >= 0.99 * self.sent


class Server(NamedTuple):
    """A server that runs, and its requests."""

    at: tuple[int, int]
    files: list[str]

    def open(self, rate: float, seconds: float, seed: int = 1) -> list[tuple[float, float, int]]:
        """Send requests at a rate; due time, seconds and status of each."""
        with tempfile.NamedTemporaryFile() as out:
            words = [sys.executable, str(HERE / "serving_open.py"), "127.0.0.1", str(self.at[0])]
            words += [str(rate), str(seconds), str(seed), out.name, *self.files]
            subprocess.run(["taskset", "--cpu-list", CLIENT_CORE, *words], check=True)
            return [(due, taken, status) for due, taken, status in json.loads(out.read())]

    def closed(self, callers: int, seconds: float) -> dict[str, Any]:
        """Have callers ask who each wait for their answer."""
        return load(self.at, callers, seconds, self.files)


def batching(bench: Bench, asked: argparse.Namespace, turn: int, left: set[str] | None) -> dict[str, dict[str, Any]]:
    """Measure the goodput of each server that batches, or of those that are left; name -> figures."""
    found: dict[str, dict[str, Any]] = {}
    for name, candidate in bench.batching():
        if asked.only in name and (left is None or name in left):
            found[name] = _on(bench, candidate, name, lambda each: _goodput(each, asked.seconds, turn))
            print(f"round {turn + 1} {name}: {found[name]}", flush=True)
    return found


def _goodput(each: Server, seconds: float, turn: int) -> dict[str, Any]:
    """Find the highest rate that a server holds: upwards while it does, then by halving.

    What it answers to callers that wait is where the search begins, no bound: where more wait, more go into one run.
    """
    capacity = max(each.closed(_CALLERS, seconds)["rate"], 1.0)
    low, high, rate, best = 0.0, 0.0, 0.9 * capacity, Outcome(0, 0, 0, 0, 0, 0)
    for _ in range(_TRIES):
        outcome = Outcome.of(each.open(rate, seconds, turn))
        low, high, best = (rate, high, outcome) if outcome.holds else (low, rate, best)
        rate = (low + high) / 2 if high else low * _UPWARDS
    return {"goodput": round(best.good / seconds, 1), "p99_ms": best.p99_ms, "callers_rate": capacity}


def leaders(found: dict[str, dict[str, Any]]) -> set[str]:
    """Return ours and the best peers of a round: a peer that holds a tenth of what they do is not the best of five."""
    peers = sorted((name for name in found if name != OURS), key=lambda name: found[name]["goodput"])
    return {OURS, *peers[-_LEADERS:]}


def idle(bench: Bench, seconds: float) -> dict[str, float]:
    """Measure what batching adds for a caller who finds the server idle: p50 with it and without, ms."""
    found = {}
    for name, rows in (("batching", "128"), ("one by one", "1")):
        candidate = bench.ours(model.STEPS, TARMAC_BATCH_ROWS=rows)
        found[name] = _on(bench, candidate, name, lambda each: each.closed(1, seconds)["p50_ms"])
    return {**found, "added_ms": round(found["batching"] - found["one by one"], 3)}


def overload(bench: Bench, seconds: float, turn: int) -> dict[str, Any]:
    """Measure ours at twice what it holds."""

    def measured(each: Server) -> dict[str, Any]:
        # One runs and one waits: the model never rests, and nobody is refused.
        capacity = each.closed(2, seconds)["rate"]
        unloaded = Outcome.of(each.open(capacity / 10, seconds, turn))
        doubled = Outcome.of(each.open(2 * capacity, seconds, turn))
        return {
            "capacity": capacity, "answered": round(doubled.answered / seconds, 1), "refused": doubled.refused,
            "lost": doubled.sent - doubled.answered - doubled.refused,
            "share": round(doubled.answered / seconds / capacity, 3),
            "p99_ms": doubled.p99_ms, "unloaded_p99_ms": unloaded.p99_ms,
            "waits": round(doubled.p99_ms / unloaded.p99_ms, 2),
        }  # fmt: skip

    return _on(bench, bench.ours(model.STEPS, **_ALONE), "overload", measured)


def swap(bench: Bench, seconds: float, turn: int) -> dict[str, Any]:
    """Measure ours while its alias moves from one version to another."""
    folder = bench.models / model.DEEP
    shutil.copytree(folder / "1", folder / "2", dirs_exist_ok=True)
    moved = folder / "aliases.json"
    moved.write_text('{"champion": "1"}')

    def measured(each: Server) -> dict[str, Any]:
        rate = each.closed(_CALLERS, seconds)["rate"] / 3
        each.open(rate, 1)
        timer = threading.Timer(seconds + 1, lambda: moved.write_text('{"champion": "2"}'))
        timer.start()  # the client takes some of a second to start: the middle is sought in its own answers
        rows = each.open(rate, 2 * seconds + _SETTLED, turn)
        timer.join()
        half = seconds
        before = Outcome.of([row for row in rows if row[0] < half - 1])
        after = Outcome.of([row for row in rows if half - 1 <= row[0] < half + 1 + _SETTLED])
        return {
            "rate": round(rate, 1), "failed": sum(status != _OK for _, _, status in rows),
            "p99_before_ms": before.p99_ms, "p99_after_ms": after.p99_ms,
            "excursion": round(after.p99_ms / before.p99_ms, 2),
        }  # fmt: skip

    try:
        return _on(bench, bench.ours(model.DEEP, **_WATCH), "swap", measured)
    finally:
        moved.unlink()


def _on(bench: Bench, candidate: Candidate, name: str, measured: Callable[[Server], T]) -> T:
    """Measure a server that was held to the model's own answers."""
    requests = Asked(candidate.path, candidate.wire, model=candidate.model)
    with server(candidate.words, candidate.env) as at:
        held(name, requests, at[0], bench.models)
        each = Server(at, requests.files(bench.scratch))
        each.closed(4, 0.5)
        return measured(each)


def _part(ordered: list[float], share: float) -> float:
    return round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3) if ordered else 0.0


def judged(found: dict[str, list[Any]]) -> dict[str, Any]:
    """Put medians and goals beside what was measured."""
    goodput = {
        name: statistics.median(each[name]["goodput"] for each in found["batching"] if name in each)
        for name in found["batching"][0]
    }
    peers = [rate for name, rate in goodput.items() if name != OURS]
    told: dict[str, Any] = {"rounds": found, "goodput": goodput}
    if not found["idle"]:
        return told
    medians = {
        key: statistics.median(each[key] for each in found[part])
        for part, keys in (("idle", ["added_ms"]), ("overload", ["share", "waits"]), ("swap", ["excursion"]))
        for key in keys
    }
    told["medians"] = medians
    told["met"] = {
        "no request lost by a swap": not any(each["failed"] for each in found["swap"]),
        "excursion": medians["excursion"] <= GOALS["excursion"],
        "added when idle": medians["added_ms"] <= GOALS["added_ms"],
        "goodput at twice the load": medians["share"] >= GOALS["overload"],
        "waits at twice the load": medians["waits"] <= GOALS["waits"],
    }
    if peers and OURS in goodput:
        told["times_best_peer"] = round(goodput[OURS] / max(*peers, 0.01), 2)
        told["met"]["goodput against the best peer"] = told["times_best_peer"] >= GOALS["best peer"]
    return told


def main() -> None:
    """Measure, judge, and keep the result."""
    parser = argparse.ArgumentParser(description="The serving service where requests come when they come.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="batching servers whose name holds this text; only printed")
    parser.add_argument("--peers", type=Path, default=PEERS, help="folder with the peers' environments")
    parser.add_argument("--dry", action="store_true", help="only print the result")
    asked = parser.parse_args()
    found: dict[str, list[Any]] = {"batching": [], "idle": [], "overload": [], "swap": []}
    with tempfile.TemporaryDirectory() as scratch, collector() as traces:
        folder = Path(scratch)
        model.write(folder / "models")
        bench = Bench(folder / "models", asked.peers, folder, traces)
        begun = time.monotonic()
        for turn in range(asked.rounds):
            left = leaders(found["batching"][0]) if found["batching"] and not asked.only else None
            found["batching"].append(batching(bench, asked, turn, left))
            if asked.only:
                continue
            found["idle"].append(idle(bench, asked.seconds))
            found["overload"].append(overload(bench, asked.seconds, turn))
            found["swap"].append(swap(bench, asked.seconds, turn))
            print(f"round {turn + 1}: {found['idle'][-1]} {found['overload'][-1]} {found['swap'][-1]}", flush=True)
    result = judged(found)
    result["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    result["setting"] = {"seconds": asked.seconds, "rounds": asked.rounds, "took": round(time.monotonic() - begun)}
    result["load_average"] = os.getloadavg()
    text = json.dumps(result, indent=1)
    print(text)
    if not (asked.only or asked.dry):
        (HERE / "results" / "serving-bursts.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

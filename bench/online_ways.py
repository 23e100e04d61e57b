"""Ways into the online store: ingest with the lake beside it, Feast's push over HTTP, and Feast's push with its SDK."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import feature, ingest
from bench.online_parts import CORES, PATHS, Bench, Chain, get, lake, ran, until

CONNECTIONS = 8
"""Over which Feast is pushed: its server never waits for the client."""


def ours(bench: Bench, turn: int) -> dict[str, Any]:
    """Take in a backlog: consumer and bronze writer beside each other, until both are done."""
    events = bench.asked.events
    with bench.topics(f"backlog-{turn}") as topics:
        ingest.in_process("ingest_produce", bench.asked.kafka, topics, bench.file, events)
        bench.empty()
        with (
            lake(bench.folder / f"lake-{turn}") as (kept, where),
            bench.chain("consume", topics) as consumer,
            bench.chain("bronze", topics, **where) as bronze,
        ):
            until(lambda: consumer.imported() and bronze.imported(), "both have imported what they need", 60)
            consumer.go()
            until(consumer.ready, "the consumer has its partitions", 60)
            begun, before = time.monotonic(), consumer.cpu_seconds + bronze.cpu_seconds
            bronze.go()
            done = _both(consumer, bronze, events, begun)
            bench.rows_stand()
            if consumer.metric("ingest_dead_letters_total"):
                raise SystemExit("ingest refused events of the benchmark's own")
            seconds = max(done.values())
            return {
                "events": events, "seconds": round(seconds, 2), "rate": round(events / seconds), "lake": kept,
                "done_after": {name: round(each, 2) for name, each in done.items()},
                "rows": consumer.metric("ingest_online_rows_total"),
                "cpu_seconds": round(consumer.cpu_seconds + bronze.cpu_seconds - before, 2),
            }  # fmt: skip


def _both(consumer: Chain, bronze: Chain, events: int, begun: float) -> dict[str, float]:
    """Wait for both; seconds of each."""
    # Counted only once it is committed, and it is committed only once its online rows are written.
    left: dict[str, Callable[[], bool]] = {
        "consumer": lambda: consumer.metric("ingest_events_total") >= events,
        "lake": lambda: bronze.durable() >= events,
    }
    done: dict[str, float] = {}

    def look() -> bool:
        for name in [name for name, finished in left.items() if name not in done and finished()]:
            done[name] = time.monotonic() - begun
        return len(done) == len(left)

    until(look, f"{events} events are applied and in the lake", pause=0.1)
    return done


def http(bench: Bench, _turn: int) -> dict[str, Any]:
    """Push to `feast serve`, a row a request."""
    bench.empty()
    port = feature.free_port()
    words = [f"{feature.FEAST}/bin/feast", "--chdir", str(bench.folder), "serve", "--port", str(port)]
    # By default a worker ends after a thousand requests and the registry is read again each minute.
    words += ["--no-access-log", "--max-requests", "0", "--registry_ttl_sec", "3600"]
    with feature.process(words, port, CORES, env={**os.environ, "PYTHONPATH": PATHS}) as pid:
        until(lambda: get(port, "/health") is not None, "Feast's server answers", 60)
        before = feature.cpu_seconds(pid)
        asked = (port, bench.file, bench.asked.push_seconds, CONNECTIONS)
        found = json.loads(ran(sys.executable, "bench.online_push", *asked)[0])
        spent = feature.cpu_seconds(pid) - before
    return _pushed(bench, {**found, "cpu_seconds": round(spent, 2)})


def sdk(bench: Bench, _turn: int) -> dict[str, Any]:
    """Push with Feast's SDK, in frames."""
    bench.empty()
    told = ran(
        feature.feasts_python(), "bench.online_feast", "push", bench.folder, bench.file, bench.asked.push_seconds
    )
    return _pushed(bench, json.loads(told[-2]))


def _pushed(bench: Bench, found: dict[str, Any]) -> dict[str, Any]:
    bench.rows_stand()
    return {**found, "rate": round(found["events"] / found["seconds"], 1)}


WAYS = {"tarmac": ours, "feast-http": http, "feast-sdk": sdk}


def ingestion(bench: Bench) -> dict[str, Any]:
    """Every way in, in turns; rounds and medians."""
    ran(feature.feasts_python(), "bench.online_feast", "apply", bench.folder, bench.store)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for turn in range(bench.asked.rounds):
        for name in list(WAYS)[:: -1 if turn % 2 else 1]:
            found[name].append(WAYS[name](bench, turn))
            print(f"round {turn + 1}  {name:<11} {json.dumps(found[name][-1])}", flush=True)
    median = {name: statistics.median(each["rate"] for each in rounds) for name, rounds in found.items()}
    by_core = {
        name: round(statistics.median(each["events"] / each["cpu_seconds"] for each in rounds), 1)
        for name, rounds in found.items()
    }
    times = {name: round(median["tarmac"] / median[name], 1) for name in WAYS if name != "tarmac"}
    return {"rounds": found, "median_rate": median, "median_rate_of_a_core": by_core, "times": times}

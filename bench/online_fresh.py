"""How old a feature is when it can be read, while events come at a steady rate."""

import json
import os
import subprocess
import sys
from typing import Any

from bench.ingest import Topics
from bench.online_marks import EVERY, ages, percentiles
from bench.online_parts import PATHS, Bench, named, ran, until

_WRITE = "ingest_online_write_duration_seconds"


def freshness(bench: Bench) -> dict[str, Any]:
    """Ages of features while events come at a steady rate."""
    rate, seconds = bench.asked.rate, bench.asked.seconds
    marks = -(-round(rate * seconds) // EVERY)
    bench.empty()
    with bench.topics("fresh") as topics, bench.chain("consume", topics) as consumer:
        consumer.go()
        until(consumer.ready, "the consumer has its partitions", 60)
        before = consumer.cpu_seconds
        sent, seen = _watched(bench, topics, marks)
        cpu = consumer.cpu_seconds - before
        rows = consumer.metric("ingest_online_rows_total")
        writes, spent = consumer.metric(f"{_WRITE}_count"), consumer.metric(f"{_WRITE}_sum")
    found, passed = ages(sent["sent"], seen["seen"])
    return {
        **(percentiles(list(found.values())) if found else {}),
        "events": sent["events"], "rate_held": sent["held"], "marks_sent": len(sent["sent"]), "marks_seen": len(found),
        "marks_that_a_later_one_overtook": passed, "consumer_cpu_seconds": round(cpu, 2),
        "rows": rows, "writes": writes, "mean_write_ms": round(1000 * spent / writes, 1) if writes else None,
        "sender_behind": sent["late"], "watcher_adds_at_most": seen["added"],
    }  # fmt: skip


def _watched(bench: Bench, topics: Topics, marks: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send while another process watches; what each of them tells."""
    words = [sys.executable, "-P", "-m", "bench.online_marks", "watch", str(bench.store), str(marks)]
    env = {**os.environ, "PYTHONPATH": PATHS}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout  # noqa: S101  a pipe, as asked
        watcher.stdout.readline()  # it watches
        try:
            where = (bench.asked.kafka, bench.file, bench.asked.rate, bench.asked.seconds)
            told = ran(sys.executable, "bench.online_marks", "send", *where, BENCH_TOPICS=json.dumps(named(topics)))
            seen = watcher.communicate(timeout=120)[0]
        finally:
            watcher.terminate()
    return json.loads(told[0]), json.loads(seen)

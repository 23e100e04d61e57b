"""From the event to the online feature: how fresh it is, and how fast a backlog is taken in, beside Feast's push.

    python bench/online.py --kafka 127.0.0.1:9092 [--rate 2000] [--seconds 60] [--events 100000] [--rounds 3]

Freshness: events come at a steady rate, and one in twenty bears its number; its age when its row can be read in Redis,
from the moment it was handed to the Kafka client (which keeps it 20 ms at most).

Ingestion: the events stand in the topics; seconds until ingest has validated them, kept their windows, written the
online rows and committed, and until the bronze writer beside it has committed them to the lake. It begins when the
consumer has its partitions; the wait of the last rows for their commit (a second; five for the lake) is counted.

In turns with it, on the same Redis, Feast is pushed finished rows of the same events: over HTTP, and with its SDK in
frames of 500 rows. It writes online only: its offline store, a file, would be written anew with each push. Ours makes
the windows, reads Kafka and writes the lake as well; it writes one row for all events of a key since its last write.

Both entry points are ingest's own, with their default settings; tracing is off. Topics are made for it and deleted.
Redis is this run's own and appends to no file. Results go to bench/results/online.json.
"""

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench import feature, ingest  # noqa: E402  after the path
from bench.online_fresh import freshness  # noqa: E402
from bench.online_parts import Bench  # noqa: E402
from bench.online_ways import ingestion  # noqa: E402

from ingest import replay  # noqa: E402

P99_MS = 250.0
"""Age of a feature in milliseconds that 99 of 100 events stay under."""
HELD = 0.98
"""Share of the rate that must really have been held: a slower sender makes fresher features."""
TIMES = 5.0
"""How many times the events per second of Feast's push ingest has to reach, lake included."""


def judged(fresh: dict[str, Any], taken: dict[str, Any], rate: float) -> dict[str, bool]:
    """Goal -> whether it is met."""
    return {
        f"p99 under {P99_MS:g} ms": fresh.get("p99_ms", P99_MS) < P99_MS,
        "all marks seen": fresh["marks_seen"] == fresh["marks_sent"],
        f"{HELD:.0%} of the rate held": fresh["rate_held"] >= HELD * rate,
        **{f"{TIMES:g} times {name}": times >= TIMES for name, times in taken["times"].items()},
    }


def measured(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as scratch, feature.redis(Path(scratch)) as store:
        file = asked.data or Path(scratch) / "events.jsonl.gz"
        if not asked.data:
            replay.write(ingest.made_up(asked.events), file)
        bench = Bench(asked, file, Path(scratch), store)
        fresh = freshness(bench)
        print(f"freshness  {json.dumps(fresh)}", flush=True)
        taken = ingestion(bench)
    return {"freshness": fresh, "ingestion": taken, "met": judged(fresh, taken, asked.rate)}


def main() -> int:
    """Measure, print, keep; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", default="127.0.0.1:9092", help="host:port of a broker")
    parser.add_argument("--data", type=Path, help="replay file made by `python -m ingest pack`; made-up events without")
    parser.add_argument("--rate", type=float, default=2000, help="events per second, for freshness")
    parser.add_argument("--seconds", type=float, default=60, help="of that")
    parser.add_argument("--events", type=int, default=100_000, help="of the backlog")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--push-seconds", type=float, default=20, help="of each of Feast's measurements")
    parser.add_argument("--online-seconds", type=float, help="between two writes, where not as the service has it")
    asked = parser.parse_args()
    return _told(measured(asked), {name: each for name, each in vars(asked).items() if name not in ("kafka", "data")})


def _told(found: dict[str, Any], setting: dict[str, Any]) -> int:
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
    kept = {"what": "online", "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "machine": machine}
    file = ROOT / "bench" / "results" / "online.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**kept, "setting": setting, **found}, indent=2) + "\n", encoding="utf-8")
    fresh, taken = found["freshness"], found["ingestion"]
    print(f"freshness: p99 {fresh.get('p99_ms')} ms at {fresh['rate_held']:,} events/s")
    print(f"ingestion: {taken['median_rate']} events/s; times Feast: {taken['times']}")
    missed = [goal for goal, met in found["met"].items() if not met]
    print(f"missed: {'; '.join(missed)}" if missed else "all goals are met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

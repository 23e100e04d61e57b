"""An entry point of ingest on topics of the run's own: python -P -m bench.online_chain consume | bronze.

`BENCH_TOPICS` holds contract topic -> its name for this run, as JSON. The names are put into the contracts before
anything that keeps them is imported: the features know which topic they come from. It begins once a line comes on
standard input, so that imports are no part of what is measured.
"""

import importlib
import json
import os
import sys
from collections.abc import Mapping

from contracts import topics

PARTS = {"consume": "ingest.online", "bronze": "ingest.bronze.app"}
"""What an entry point imports only once it runs."""
IMPORTED = "waits to be let go"
"""What it prints by then."""


def take(names: Mapping[str, str]) -> None:
    """Let this process' contracts stand under the run's names."""
    contracts = {names[topic]: kind for topic, kind in topics.EVENTS.items()}
    topics.EVENTS.clear()
    topics.EVENTS.update(contracts)
    for constant in ("DEPARTED", "ARRIVED", "WEATHER", "DEAD_LETTER"):
        setattr(topics, constant, names[getattr(topics, constant)])


def main(command: str) -> int:
    """Import, wait to be let go, run; the exit code."""
    take(json.loads(os.environ["BENCH_TOPICS"]))
    run = importlib.import_module("ingest.__main__").main
    importlib.import_module(PARTS[command])
    print(IMPORTED, flush=True)
    sys.stdin.readline()
    return int(run([command]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

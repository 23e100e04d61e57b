"""The entry point `ingest bronze` on topics of a test: python writer.py RUN. Settings come from the environment."""

import sys

from contracts.topics import EVENTS
from ingest.__main__ import main


def take(run: str) -> dict[str, str]:
    """Let this process' contracts stand under the run's names; contract topic -> its name for this run."""
    names = {topic: f"test.{run}.{topic}" for topic in EVENTS}
    contracts = {names[topic]: kind for topic, kind in EVENTS.items()}
    EVENTS.clear()
    EVENTS.update(contracts)
    return names


if __name__ == "__main__":
    take(sys.argv[1])
    sys.exit(main(["bronze"]))

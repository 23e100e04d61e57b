"""The side of Feast, run by its own Python.

    python -P -m bench.online_feast apply FOLDER REDIS_PORT        the platform's definitions, and feature_store.yaml
    python -P -m bench.online_feast push FOLDER FILE SECONDS       its SDK, in frames of 500 rows

The clock runs while Feast works; frames are made while it stands, and the first one is not counted.
"""

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feast
import pandas as pd
from bench.online_rows import Row, events, rows
from feast.data_source import PushMode

from contracts.views_flights import PROJECT
from feature import registry
from feature.settings import ApplySettings

ROWS = 500
REPO = """
project: {project}
provider: local
registry: {registry}
entity_key_serialization_version: 3
online_store: {{type: redis, connection_string: "127.0.0.1:{port}"}}
"""


def apply(folder: Path, port: int) -> None:
    """Register what the platform defines, and say where the online store is."""
    place = str(folder / "registry.db")
    registry.apply(ApplySettings(registry=place, offline="/nowhere"))
    text = REPO.format(project=PROJECT, registry=place, port=port)
    (folder / "feature_store.yaml").write_text(text, encoding="utf-8")


def frames(file: Path, told: Counter[str]) -> Iterator[tuple[str, Any]]:
    """Yield push source and frame, as rows come together; `told` counts the events and rows that were read."""
    waiting: dict[str, list[Row]] = defaultdict(list)
    for event in events(file):
        told["events"] += 1
        for view, row in rows(event):
            told["rows"] += 1
            waiting[view.push_source].append(row)
            if len(waiting[view.push_source]) == ROWS:
                yield view.push_source, pd.DataFrame(waiting.pop(view.push_source))


def push(folder: Path, file: Path, seconds: float) -> dict[str, Any]:
    """Push frames for so long; events are rows by what an event has of them."""
    store, told = feast.FeatureStore(repo_path=str(folder)), Counter[str]()
    took, cpu, number = 0.0, 0.0, 0
    for place, (source, frame) in enumerate(frames(file, told)):
        begun, spent = time.perf_counter(), time.process_time()
        store.push(source, frame, to=PushMode.ONLINE)
        if not place:  # reads the registry, connects, imports
            continue
        took, cpu = took + time.perf_counter() - begun, cpu + time.process_time() - spent
        number += len(frame)
        if took >= seconds:
            break
    by_event = told["rows"] / told["events"]
    figures = {"events": round(number / by_event), "rows": number}
    return {**figures, "seconds": round(took, 2), "cpu_seconds": round(cpu, 2)}


if __name__ == "__main__":
    if sys.argv[1] == "apply":
        apply(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(push(Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))))

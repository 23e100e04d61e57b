"""One step, two ways: the punctuality of arrivals per carrier and month, by ETL and by ELT, measured.

ETL     extract from the source, transform on the way, load only the result
ELT     extract, load everything as it is, transform where it lies

Both read the same source, a file of events as they stand on the wire, and must come to the same table. Then the
question changes (what counts as on time): ETL must go back to the source, ELT asks its own copy.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from lake.errors import EmptyRange
from lake.offline import ON_TIME
from lake.store import Lake, Origin
from runtime.store import Store

_SOURCE = "silver/arrivals"
_LATER = 2 * ON_TIME  # the changed question: minutes that count as on time now
_COLUMNS = ("id", "time", "carrier", "flight", "origin", "dest", "scheduled", "delay", "distance", "tailnum")


def compare(lake: Lake) -> dict[str, Any]:
    """Carry both out in a scratch folder and tell seconds and bytes of each part.

    Raises:
        EmptyRange: there are no arrivals yet.
    """
    rows = lake.collect(_SOURCE, lake.scan(_SOURCE).select(_COLUMNS))
    if not rows.height:
        raise EmptyRange(f"table {_SOURCE}: has no rows", "let events arrive and build the lake")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "events.ndjson"
        rows.with_columns(pl.col("time", "scheduled").dt.to_string("iso")).write_ndjson(source)
        scratch = Lake(Store(f"{folder}/lake"))
        found = {"etl": _etl(source, scratch), "elt": _elt(source, scratch)}
        for name, figures in found.items():
            figures["bytes_kept"] = _bytes(Path(scratch.path(name)))
        etl, elt = found.values()
        same = etl.pop("result").equals(elt.pop("result")) and etl.pop("changed").equals(elt.pop("changed"))
        return {"rows": rows.height, "source_bytes": source.stat().st_size, "same": same, **found}


def _etl(source: Path, scratch: Lake) -> dict[str, Any]:
    def answer(limit: int) -> pl.DataFrame:
        return _kept(scratch, f"etl/{limit}", punctual(_extracted(source), limit))

    result, first = timed(lambda: answer(ON_TIME))
    changed, again = timed(lambda: answer(_LATER))
    return {"first_answer_seconds": first, "changed_answer_seconds": again, "result": result, "changed": changed}


def _elt(source: Path, scratch: Lake) -> dict[str, Any]:
    def answer(limit: int) -> pl.DataFrame:
        return _kept(scratch, f"elt/{limit}", punctual(scratch.scan("elt/raw"), limit))

    _, loaded = timed(lambda: _kept(scratch, "elt/raw", _extracted(source)))
    result, first = timed(lambda: answer(ON_TIME))
    changed, again = timed(lambda: answer(_LATER))
    seconds = {
        "load_seconds": loaded,
        "first_answer_seconds": round(loaded + first, 3),
        "changed_answer_seconds": again,
    }
    return {**seconds, "result": result, "changed": changed}


def _kept(scratch: Lake, name: str, rows: pl.LazyFrame) -> pl.DataFrame:
    made = scratch.collect(name, rows)
    scratch.write(name, made, Origin((), ""), partition="month")
    return made


def _extracted(source: Path) -> pl.LazyFrame:
    rows = pl.scan_ndjson(source).with_columns(pl.col("time", "scheduled").str.to_datetime(time_zone="UTC"))
    return rows.with_columns(month=pl.col("time").dt.strftime("%Y-%m"))


def punctual(arrivals: pl.LazyFrame, limit: int) -> pl.LazyFrame:
    """The step itself: flights, mean delay and share of those at most `limit` minutes late, per carrier and month."""
    return (
        arrivals.group_by("carrier", "month")
        .agg(flights=pl.len(), delay_mean=pl.col("delay").mean(), on_time=(pl.col("delay") <= limit).mean())
        .with_columns(pl.col("flights").cast(pl.Int64))
        .sort("carrier", "month")
    )


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the seconds that it took."""
    begun = time.perf_counter()
    return act(), round(time.perf_counter() - begun, 3)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.parquet"))

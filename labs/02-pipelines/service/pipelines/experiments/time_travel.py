"""How far back a table can be read and restored, after a bad batch was written over it and the vacuum has run."""

import hashlib

import polars as pl

from lake import punctuality
from lake.errors import TableBroken, TableMissing
from lake.steps import Step, recipe, steps
from lake.store import Lake, Origin
from pipelines.stage import Stage
from runtime.figures import Result, rounded, row, timed

TABLE = "time-travel/punctuality"
_SOURCE = punctuality.TABLE
_SECONDS_PER_MINUTE = 60
_MINUTES = 1


def time_travel(stage: Stage) -> Result:
    """Write a bad batch over a good table, run the vacuum, and try to come back.

    Raises:
        StoreAway: the object store does not answer.
    """
    hours = stage.settings.kept_hours
    return {"settings": {"kept_hours": hours}, **travelled(stage.lake(), hours)}


def travelled(lake: Lake, hours: int) -> Result:
    """The journey itself: what the vacuum took, whether the version before is there, and what each way back costs."""
    good = lake.collect(_SOURCE, lake.scan(_SOURCE))
    before = lake.write(TABLE, good, _origin(lake), partition=punctuality.MONTH)
    lake.vacuum(TABLE, 0)  # nothing of an earlier run is to be counted
    bad = _built(lake, _SECONDS_PER_MINUTE)
    wrong = _rows(lake, bad)
    held = {**_files(lake, before), **_files(lake, bad)}
    # The vacuum tells of files as well that are gone since an earlier run: only those of this one count.
    removed = held.keys() & set(lake.vacuum(TABLE, hours))
    readable = _readable(lake, before)
    restoring = _restored(lake, before)
    after = _rows(lake) if restoring is not None else None
    building, rebuilt = timed(lambda: _built(lake, _MINUTES))
    lake.table(TABLE).create_checkpoint()  # else the next run reads the log of this one commit by commit
    return {
        "rows": good.height,
        "rows_wrong": good.join(wrong, on=good.columns, how="anti", nulls_equal=True).height,
        "versions": {"before": before, "bad": bad},
        "old_readable": readable,
        "content": {
            "before": digest(good),
            "bad": digest(wrong),
            "after_restore": None if after is None else digest(after),
            "after_building": digest(_rows(lake, rebuilt)),
        },
        "files_removed": len(removed),
        "bytes_needed": sum(_files(lake, bad).values()),
        "bytes_kept": sum(size for path, size in held.items() if path not in removed),
        "rows_read_to_build": sum(lake.scan(name).select(pl.len()).collect().item() for name in _step().inputs),
        "restore_seconds": rounded(restoring),
        "building_seconds": rounded(building),
        "figures": [
            row("restore", "punctuality", recovery=restoring),
            row("build anew", "punctuality", recovery=building),
        ],
    }


def digest(rows: pl.DataFrame) -> str:
    """Fingerprint of what a table says, whatever the order of its rows and files."""
    return hashlib.sha256(rows.sort(rows.columns).write_csv().encode()).hexdigest()[:12]


def _rows(lake: Lake, version: int | None = None) -> pl.DataFrame:
    return lake.collect(TABLE, lake.scan(TABLE, version))


def _built(lake: Lake, unit: int) -> int:
    """Make the table by the batch layer's own step, from delays in so many parts of a minute; its version."""
    step = _step()
    delays = pl.col("departure_delay", "arrival_delay") * unit
    flights = [lake.scan(name).with_columns(delays) for name in step.inputs]
    rows = lake.collect(TABLE, step.make(*flights))
    return lake.write(TABLE, rows, _origin(lake), partition=step.partition)


def _origin(lake: Lake) -> Origin:
    return Origin(tuple(lake.reference(name) for name in _step().inputs), recipe())


def _step() -> Step:
    return next(step for step in steps() if step.output == _SOURCE)


def _files(lake: Lake, version: int) -> dict[str, int]:
    """File -> bytes, of one version."""
    actions = pl.DataFrame(lake.table(TABLE, version).get_add_actions(flatten=True))
    return dict(actions.select("path", "size_bytes").iter_rows())


def _readable(lake: Lake, version: int) -> bool:
    try:
        _rows(lake, version)
    except (TableBroken, TableMissing):
        return False
    return True


def _restored(lake: Lake, version: int) -> float | None:
    """Seconds that it took to make an older version the newest; None where that could not be done."""
    try:
        seconds, _ = timed(lambda: lake.restore(TABLE, version))
    except (TableBroken, TableMissing):
        return None
    return seconds

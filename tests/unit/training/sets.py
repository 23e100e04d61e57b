"""Small training sets, made by seed: what the lake would write, without a lake."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from contracts.training_sets import Manifest, Reference, beside
from contracts.views_flights import DEFINITIONS

BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
FEATURES = tuple(each.partition(":")[2] for each in DEFINITIONS.features_of(DEFINITIONS.service("delay_v1")))
MD5 = "0123456789abcdef0123456789abcdef"


def made(  # noqa: PLR0913  what a test may want to choose
    folder: Path, *, days: int = 59, per_day: int = 60, seed: int = 1, noise: float = 8.0, drift: float = 0.0,
    leaks: tuple[str, ...] = (), label: str = "arrival_delay",
) -> Path:  # fmt: skip
    """Write a training set of `delay_v1` whose label follows from three features, one of them bent, and noise.

    Args:
        folder: where.
        days: from the beginning of 2013.
        per_day: rows of a day.
        seed: of all that is random.
        noise: standard deviation, minutes.
        drift: minutes by which the last month differs.
        leaks: columns that the manifest says were allowed.
        label: what the manifest says the label is.
    """
    rows = frame(days=days, per_day=per_day, seed=seed, noise=noise, drift=drift)
    file = folder / "flights.parquet"
    rows.write_parquet(file)
    file.with_name(f"{file.name}.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: {file.name}\n")
    manifest = Manifest(
        service="delay_v1", begin=BEGIN, end=BEGIN + dt.timedelta(days=days), lead=60, extra=(), label=label,
        allowed_leaks=leaks, rows=rows.height, columns={name: str(kind) for name, kind in rows.schema.items()},
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(), registry=DEFINITIONS.fingerprint(), recipe="0" * 64,
        tables=(Reference("silver/flights", "an-id", 7), Reference("gold/features/delays", "another", 3)),
    )  # fmt: skip
    beside(file).write_bytes(msgspec.json.encode(manifest))
    return file


def frame(*, days: int, per_day: int, seed: int, noise: float, drift: float) -> pl.DataFrame:
    """The rows: every tenth value is missing, the label is in whole minutes."""
    random = np.random.default_rng(seed)
    count = days * per_day
    columns = {name: random.normal(10, 5, count) for name in FEATURES}
    late, bent, hour = (columns[name] for name in FEATURES[:3])
    label = 2.0 * late + 0.4 * (bent - 10) ** 2 - hour + random.normal(0, noise, count)
    day = np.arange(count) // per_day
    label += np.where(day >= days - 28, drift, 0.0)
    for values in columns.values():
        values[random.random(count) < 0.1] = np.nan
    times = [BEGIN + dt.timedelta(minutes=1440 / per_day * number) for number in range(count)]
    return pl.DataFrame(
        {
            "flight_id": [f"flight-{number:06}" for number in range(count)],
            "predicted_at": pl.Series(times).cast(pl.Datetime("us", "UTC")),
            "origin": ["JFK"] * count,
            **{name: pl.Series(values).fill_nan(None) for name, values in columns.items()},
            "label": np.round(label).astype(np.int64),
        }
    )

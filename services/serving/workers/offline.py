"""Batch inference: a model's predictions for the rows of a Parquet file, written beside the lake's tables.

The lake makes such files (`python -m lake training-set`); any other with a column for each feature will do. Rows go
through the same examination, loading and running as over HTTP, in order and so many at a time: the same rows and the
same version give the same bytes.
"""

import asyncio
import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from contracts.models import INPUT, Card
from runtime.store import Store, StoreAway, away
from serving.errors import BadRows
from serving.figures import Figures
from serving.inference import asking
from serving.model.batch import Limits
from serving.model.outline import Outline
from serving.model.session import Array
from serving.model.version import Served
from serving.naming import aim
from serving.repository.repository import Repository
from serving.settings import OfflineSettings
from serving.stock import Stock

FOLDER = "predictions"
"""Of the lake."""
TOLD = "tarmac.prediction"
"""Key of the file's own metadata under which model and rows are named."""
_ROWS = 4096
"""That are run at a time."""
_ID, _TIME = "flight_id", "predicted_at"
_KEPT = (_ID, _TIME)
"""Columns of the rows that stand beside their prediction, where they have them."""


@dataclass(frozen=True)
class Wanted:
    """What is to be predicted.

    Attributes:
        model: name, or name@version.
        rows: Parquet file.
        begin: first instant of `predicted_at`; None: of all.
        end: the instant after the last; None: of all.
        out: file to write; None: in the lake, under the model's name and version.
    """

    model: str
    rows: Path
    begin: dt.datetime | None = None
    end: dt.datetime | None = None
    out: Path | None = None


@dataclass(frozen=True)
class Predicted:
    """What came of it: the version that answered, and its predictions, float32 [N]."""

    served: Served
    values: Array


def run(settings: OfflineSettings, wanted: Wanted) -> str:
    """Predict and write; a line that says what was written where.

    Raises:
        BadRows: the file cannot be read, has no such column, or has no row of that time.
        ModelUnknown, VersionUnknown: there is no such model.
        Artifact: it cannot be served.
        SourceUnavailable, StoreAway: models or lake do not answer.
    """
    frame = _frame(wanted)
    made = asyncio.run(_predicted(settings, wanted, frame))
    rows = frame.select(
        *(name for name in _KEPT if name in frame.columns),
        model=pl.lit(made.served.name),
        version=pl.lit(made.served.version),
        prediction=pl.Series(made.values, dtype=pl.Float32),
    )
    place = _write(settings, wanted, rows, made.served)
    return json.dumps({"file": place, "model": made.served.name, "version": made.served.version, "rows": rows.height})


def _frame(wanted: Wanted) -> pl.DataFrame:
    file = wanted.rows
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as failure:
        remedy = "make it with `python -m lake training-set`"
        raise BadRows(f"rows {file}: they cannot be read: {failure!s:.200}", remedy) from None
    if wanted.begin or wanted.end:
        if _TIME not in frame.columns:
            raise BadRows(f"rows {file}: there is no column {_TIME}", "leave --from and --to out, or add the column")
        if wanted.begin:
            frame = frame.filter(pl.col(_TIME) >= _instant(wanted.begin))
        if wanted.end:
            frame = frame.filter(pl.col(_TIME) < _instant(wanted.end))
    if not frame.height:
        raise BadRows(f"rows {file}: there are none of that time", "give --from and --to other days")
    return frame


def _instant(value: dt.datetime) -> dt.datetime:
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)


async def _predicted(settings: OfflineSettings, wanted: Wanted, frame: pl.DataFrame) -> Predicted:
    limits = Limits(inline_seconds=0, rows=_ROWS, run_seconds=settings.run_seconds)
    stock = Stock(settings, Figures(), limits)
    try:
        name, version = aim(wanted.model, "")
        await _load(stock.repository, name)
        loop = asyncio.get_running_loop()
        served = await stock.repository.want((name, version), loop.time() + settings.load_seconds)
        matrix = _matrix(wanted, frame, _card(served))
        parts = []
        for begin in range(0, len(matrix), _ROWS):
            work = asking.work({INPUT: matrix[begin : begin + _ROWS]}, served.session.names, served)
            (found,) = await served.batcher.run(work, loop.time() + settings.request_seconds)
            parts.append(found[:, 0])
        return Predicted(served, np.concatenate(parts))
    finally:
        stock.close()


async def _load(models: Repository, name: str) -> None:
    """Load a model, and what it is made of; no other."""
    await models.load(name)
    served = models.find((name, ""))
    if served and isinstance(served.session, Outline):
        for member in dict.fromkeys(aim(each, "")[0] for each in served.session.composition.members()):
            await _load(models, member)


def _card(served: Served) -> Card:
    if served.card is None:
        told = f"model {served.name} version {served.version}: it has no card, which would say what its columns are"
        raise BadRows(told, "register it with the training")
    return served.card


def _matrix(wanted: Wanted, frame: pl.DataFrame, card: Card) -> Array:
    """The model's input, float32 [N, K], NaN where a value is missing."""
    lacking = [name for name in card.features if name not in frame.columns]
    if lacking:
        told = f"rows {wanted.rows}: there is no column {', '.join(lacking)[:300]}, which model {card.name} needs"
        raise BadRows(told, f"make them for feature service {card.service}")
    odd = [name for name in card.features if not (frame.schema[name].is_numeric() or frame.schema[name] == pl.Null)]
    if odd:
        raise BadRows(f"rows {wanted.rows}: column {', '.join(odd)[:300]} is no number", "make them by the lake")
    numbers = frame.select(pl.col(*card.features).cast(pl.Float32).fill_null(float("nan")))
    return np.ascontiguousarray(numbers.to_numpy())


def _write(settings: OfflineSettings, wanted: Wanted, rows: pl.DataFrame, served: Served) -> str:
    told = {"model": served.name, "version": served.version, "rows_sha256": _digest(wanted.rows)}
    if served.card:
        told |= {"model_sha256": served.card.sha256, "label": served.card.label}
    how: dict[str, Any] = {
        "compression": "zstd", "compression_level": 3, "row_group_size": 65_536, "statistics": True,
        "metadata": {TOLD: json.dumps(told, sort_keys=True)},
    }  # fmt: skip
    store = Store.of(settings)
    place = str(wanted.out or store.path(FOLDER, served.name, served.version, f"{wanted.rows.stem}.parquet"))
    try:
        if place.startswith("s3://"):
            # The frames' client takes the words of the lake's, and this one as a number.
            rows.write_parquet(place, storage_options={**store.options(), "max_retries": 3}, **how)
        else:
            _whole(rows, Path(place), how)
    except (OSError, pl.exceptions.PolarsError) as failure:
        told_away = f"predictions {place} cannot be written: {failure!s:.300}"
        if away(failure):
            raise StoreAway(told_away, "check the object store, its address and its keys") from None
        raise BadRows(told_away, "give --out another place") from None
    return place


def _whole(rows: pl.DataFrame, file: Path, how: dict[str, Any]) -> None:
    """Write a file that appears as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        rows.write_parquet(partial, **how)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

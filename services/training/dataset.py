"""A training set as numbers: the rows of the earlier months to learn from, those of a later period to be judged by.

The split is by time, for that is how a model is used: it knows the past and is asked about the future. A day between
the two is left out, so that no label of the one became known in the time of the other.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from contracts.training_sets import Manifest, beside
from contracts.views import Undefined
from contracts.views_flights import DEFINITIONS
from training.errors import BadSet, Leaks, TooFew

LABEL, PREDICTED, DAY = "label", "predicted_at", "day"
GAP = dt.timedelta(days=1)
"""Between the last row to learn from and the first held-out one: longer than any flight takes."""
INSTANTS = ("tail_last_arrival_at",)
"""Features that are instants: as numbers they tell a model which day it was, and float32 knows them to two minutes.
`turn_minutes` says the same as a length of time."""
_FEWEST = 100
"""Rows of either side."""
_MD5 = re.compile(r"md5: ([0-9a-f]{32})")

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]
Days = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows of a set.

    Attributes:
        features: float32 [N, K], NaN where a value is missing.
        label: float64 [N], minutes.
        days: int64 [N], day of the prediction, counted from 1970.
    """

    features: Matrix
    label: Vector
    days: Days

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Dataset:
    """A training set, split.

    Attributes:
        manifest: what it is.
        name: of the file, without its ending.
        features: names of the K columns, in order.
        train: what is learnt from.
        held: what is held out.
        lineage: where it is from, for the card and for MLflow.
    """

    manifest: Manifest
    name: str
    features: tuple[str, ...]
    train: Rows
    held: Rows
    lineage: dict[str, str]


def read(place: Path, held_from: dt.datetime | None = None, without: Collection[str] = INSTANTS) -> Dataset:
    """Read and split a training set.

    Args:
        place: its Parquet file, or a folder that holds one.
        held_from: first instant that is held out; None: the last calendar month of the set.
        without: features of the service to leave out.

    Raises:
        BadSet: it is missing, changed, of other feature definitions, or holds what is no number.
        Leaks: it was made with columns that are known too late.
        TooFew: one side of the split has too few rows.
    """
    file = located(place)
    manifest = _manifest(file)
    features = _features(manifest, without)
    rows = _frame(file, manifest, features)
    cut = held_from or _last_month(manifest)
    train = rows.filter(pl.col(PREDICTED) < cut - GAP)
    held = rows.filter(pl.col(PREDICTED) >= cut)
    for what, side in (("to learn from", train), ("held out", held)):
        if side.height < _FEWEST:
            raise TooFew(
                f"training set {file}: {side.height} rows {what}, split at {cut:%F %H:%M}; {_FEWEST} are needed",
                "give --held-from another day, or make a set of more days",
            )
    lineage = _lineage(file, manifest, cut)
    return Dataset(manifest, file.stem, features, _rows(train, features), _rows(held, features), lineage)


def located(place: Path) -> Path:
    """The Parquet file at a place: the file itself, or the only one of a folder.

    Raises:
        BadSet: there is none, or there are several.
    """
    if not place.is_dir():
        return place
    found = sorted(place.glob("*.parquet"))
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "no Parquet file"
        raise BadSet(f"folder {place}: holds {names}", "name the file of one training set with --set")
    return found[0]


def _manifest(file: Path) -> Manifest:
    place = beside(file)
    try:
        manifest = msgspec.json.decode(place.read_bytes(), type=Manifest)
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except (OSError, msgspec.DecodeError) as failure:
        raise BadSet(f"training set {file}: {failure}", "make it with `python -m lake training-set`") from None
    if found != manifest.sha256:
        told = f"training set {file}: its sha256 is {found[:12]}, its manifest says {manifest.sha256[:12]}"
        raise BadSet(told, "make it again from its manifest: `python -m lake training-set --like`")
    if manifest.allowed_leaks:
        told = f"training set {file}: {', '.join(manifest.allowed_leaks)} are known only after the prediction"
        raise Leaks(told, "make the set without --allow-leak: such a model is of no use once it is asked")
    if manifest.registry != DEFINITIONS.fingerprint():
        told = f"training set {file}: made by feature definitions {manifest.registry[:12]}, here are "
        raise BadSet(f"{told}{DEFINITIONS.fingerprint()[:12]}", "make the set anew, or take the code it was made by")
    return manifest


def _features(manifest: Manifest, without: Collection[str]) -> tuple[str, ...]:
    try:
        service = DEFINITIONS.service(manifest.service)
    except Undefined as failure:
        raise BadSet(f"feature service {manifest.service}: {failure}", "make the set for one of these") from None
    names = [each.partition(":")[2] for each in DEFINITIONS.features_of(service)]
    return tuple(name for name in names if name not in without)


def _frame(file: Path, manifest: Manifest, features: tuple[str, ...]) -> pl.DataFrame:
    missing = [name for name in (PREDICTED, *features, LABEL) if name not in manifest.columns]
    if missing:
        told = f"training set {file}: has no column {', '.join(missing)}, which {manifest.service} needs"
        raise BadSet(told, "make the set for this service")
    try:
        rows = pl.read_parquet(file, columns=[PREDICTED, *features, LABEL])
    except (OSError, pl.exceptions.PolarsError) as failure:
        raise BadSet(f"training set {file}: {failure}", "make the set again from its manifest") from None
    for name in (*features, LABEL):
        if not rows.schema[name].is_numeric():
            told = f"training set {file}: column {name} is {rows.schema[name]}, no number"
            raise BadSet(told, "leave the feature out: --without")
    if rows.get_column(LABEL).null_count():
        raise BadSet(f"training set {file}: column {LABEL} has empty places", "make the set again from its manifest")
    return rows


def _last_month(manifest: Manifest) -> dt.datetime:
    last = manifest.end - dt.timedelta(microseconds=1)
    return last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _rows(frame: pl.DataFrame, features: tuple[str, ...]) -> Rows:
    numbers = frame.select(pl.col(*features).cast(pl.Float32).fill_null(float("nan")))
    days = frame.get_column(PREDICTED).dt.epoch("d").cast(pl.Int64).to_numpy()
    matrix = np.ascontiguousarray(numbers.to_numpy())
    # An instrument's infinity is no reading.
    matrix[np.isinf(matrix)] = np.nan
    return Rows(matrix, frame.get_column(LABEL).cast(pl.Float64).to_numpy(), days)


def _lineage(file: Path, manifest: Manifest, cut: dt.datetime) -> dict[str, str]:
    pointer = file.with_name(f"{file.name}.dvc")
    md5 = _MD5.search(pointer.read_text(encoding="utf-8")) if pointer.exists() else None
    return {
        "sha256": manifest.sha256,
        **({"dvc": md5[1]} if md5 else {}),
        "registry": manifest.registry,
        "recipe": manifest.recipe,
        **{f"delta/{each.name}": str(each.version) for each in manifest.tables},
        "lead": str(manifest.lead),
        "begin": f"{manifest.begin:%FT%TZ}",
        "held_from": f"{cut:%FT%TZ}",
        "end": f"{manifest.end:%FT%TZ}",
    }


def kept(rows: Rows, features: tuple[str, ...], file: Path) -> Path:
    """Write rows into a Parquet file, for whoever judges by them later."""
    columns = dict(zip(features, rows.features.T, strict=True))
    pl.DataFrame({DAY: rows.days, **columns, LABEL: rows.label}).write_parquet(file, compression="zstd")
    return file


def brought(file: Path, features: Collection[str]) -> Rows:
    """Rows that were kept, with these columns.

    Raises:
        BadSet: they cannot be read, or have no such columns.
    """
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as failure:
        raise BadSet(
            f"held-out rows {file.name}: {failure}", "fit the model anew: they are kept with its run"
        ) from None
    missing = [name for name in (DAY, *features, LABEL) if name not in frame.columns]
    if missing:
        remedy = "fit the newer model to a set of a service that has them too: both are judged by the same rows"
        raise BadSet(f"held-out rows {file.name}: have no column {', '.join(missing)}", remedy)
    matrix = np.ascontiguousarray(frame.select(*features).to_numpy().astype(np.float32))
    return Rows(matrix, frame.get_column(LABEL).to_numpy(), frame.get_column(DAY).to_numpy())

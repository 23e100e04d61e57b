"""The manifest beside a training set: what it is, what it was made from, and how to make the same bytes again."""

import hashlib
import os
from pathlib import Path

import msgspec
import polars as pl

from contracts import training_sets
from contracts.training_sets import DEPARTURE, beside
from contracts.views_flights import DEFINITIONS
from lake.errors import BadRequest, SchemaChanged
from lake.steps import recipe
from lake.training import TrainingSet, Wanted

__all__ = ["Manifest", "beside", "check_definitions", "decoded", "digest", "keep", "load", "read"]


class Manifest(training_sets.Manifest, forbid_unknown_fields=True, kw_only=True):
    """The contract's manifest, as the lake asks it."""

    def wanted(self) -> Wanted:
        """What was asked for."""
        return Wanted(self.service, self.begin, self.end, self.lead, self.extra, self.predicts)


def keep(made: TrainingSet, wanted: Wanted, file: Path) -> Manifest:
    """Write a training set and its manifest; both appear whole or not at all.

    Raises:
        BadRequest: they cannot be written there.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made.rows.write_parquet(
            partial, compression="zstd", compression_level=3, row_group_size=65_536, statistics=True
        )
        manifest = _manifest(made, wanted, digest(partial))
        _written(beside(file), msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        partial.replace(file)
    except OSError as failure:
        raise BadRequest(f"file {file} cannot be written: {failure}", "give --out another place") from None
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _manifest(made: TrainingSet, wanted: Wanted, sha256: str) -> Manifest:
    return Manifest(
        service=wanted.service,
        begin=wanted.begin,
        end=wanted.end,
        lead=wanted.lead,
        extra=wanted.extra,
        label=msgspec.UNSET if wanted.label == DEPARTURE else wanted.label,
        allowed_leaks=made.leaks,
        rows=made.rows.height,
        columns={name: str(kind) for name, kind in made.rows.schema.items()},
        sha256=sha256,
        registry=DEFINITIONS.fingerprint(),
        recipe=recipe(),
        tables=made.tables,
    )


def _written(file: Path, content: bytes) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(file)


def digest(file: Path) -> str:
    """sha256 of a file's bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read(file: Path) -> Manifest:
    """The manifest of a training set, or the manifest itself.

    Raises:
        BadRequest: there is none, or it cannot be read.
    """
    place = file if file.name.endswith(".manifest.json") else beside(file)
    try:
        return decoded(place.read_bytes(), place)
    except OSError as failure:
        raise BadRequest(f"manifest {place} cannot be read: {failure}", "make the set with `training-set`") from None


def decoded(content: bytes, place: Path) -> Manifest:
    """The manifest that these bytes are; `place` is where they are from.

    Raises:
        BadRequest: they are none.
    """
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as failure:
        raise BadRequest(f"manifest {place} cannot be read: {failure}", "make the set with `training-set`") from None


def check_definitions(manifest: Manifest) -> None:
    """Refuse to make a set again by other definitions than it was made by.

    Raises:
        SchemaChanged: the definitions are others.
    """
    if manifest.registry != DEFINITIONS.fingerprint():
        raise SchemaChanged(
            f"feature definitions: the manifest has {manifest.registry[:12]}, this version of the code "
            f"{DEFINITIONS.fingerprint()[:12]}",
            "take the version of the code that the manifest was made by",
        )


def load(file: Path) -> pl.DataFrame:
    """The rows of a training set.

    Raises:
        BadRequest: it cannot be read.
    """
    try:
        return pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as failure:
        raise BadRequest(
            f"file {file} cannot be read as Parquet: {failure}", "make it again from its manifest"
        ) from None

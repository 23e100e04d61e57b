"""A data scientist's desk: a lake that goes on, a folder that git and DVC follow, and a training set with versions."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from contracts.training_sets import Reference
from lake import manifest, remote, training
from lake.errors import TableBroken, TableMissing, ToolFailed
from lake.manifest import Manifest
from lake.steps import recipe
from lake.store import DAY, Days, Lake, Origin
from lake.versions import Workspace
from pipelines.scratch import BEGIN
from runtime.store import Store

SERVICE = "delay_v1"
LATE = "B6"
"""The carrier whose flights reach the lake only when the first version has been made."""
NAME = "train.parquet"
_BEFORE = 2  # days: a delay counts as a feature for so long


class Span(NamedTuple):
    """Days after the beginning of the year: the first one, and the one after the last."""

    first: int
    end: int

    def wanted(self) -> training.Wanted:
        """The training set of these days."""
        first, end = (BEGIN + dt.timedelta(days=day) for day in self)
        return training.Wanted(SERVICE, first, end)


@dataclass(frozen=True)
class Kept:
    """A version of the training set, as its maker has it.

    Attributes:
        commit: names it in git.
        manifest: what it was made from.
        bytes: of the file.
    """

    commit: str
    manifest: Manifest
    bytes: int


class Elsewhere(NamedTuple):
    """What a colleague has of a version.

    Attributes:
        sha256: of the file; None where its content could not be had.
        said: why not, in DVC's words.
        manifest: None where git did not bring it.
    """

    sha256: str | None
    said: str | None
    manifest: Manifest | None


@dataclass(frozen=True)
class Desk:
    """Where versions are made.

    Attributes:
        lake: tables that only this experiment writes.
        work: the folder that git and DVC follow.
        contents: DVC's remote.
        flights: all flights of these days, the late ones as well.
    """

    lake: Lake
    work: Workspace
    contents: Store
    flights: pl.DataFrame

    @property
    def file(self) -> Path:
        """The training set."""
        return self.work.folder / NAME

    def keep(self, span: Span, *, push: bool) -> Kept:
        """Make the training set of these days from what the lake has now, and take a version of it.

        Args:
            span: the days.
            push: whether its content is sent to the remote.
        """
        made = training.make(self.lake, span.wanted())
        kept = manifest.keep(made, span.wanted(), self.file)
        commit = self.work.keep(self.file, f"days {span.first} to {span.end - 1} of the year", push=push)
        return Kept(commit, kept, self.file.stat().st_size)

    def brought_back(self, kept: Kept) -> str:
        """Have a version on the desk again; sha256 of what comes back."""
        self.work.checkout(self.file, kept.commit)
        return manifest.digest(self.file)

    def late_flights_arrive(self) -> None:
        """Write the flights that were missing so far: the table's next version."""
        write(self.lake, training.FLIGHTS, self.flights)

    def rebuilt(self, *, pinned: bool) -> str:
        """Make the set of the manifest on the desk again; its sha256.

        Args:
            pinned: from the tables' versions that the manifest names, instead of the newest ones.
        """
        like = manifest.read(self.file)
        manifest.check_definitions(like)
        made = training.make(self.lake, like.wanted(), like.allowed_leaks, like.tables if pinned else None)
        return manifest.keep(made, like.wanted(), self.work.folder.with_name("again.parquet")).sha256

    def readable(self) -> bool:
        """Whether the lake still has the versions that the manifest on the desk names."""
        try:
            self.rebuilt(pinned=True)
        except (TableBroken, TableMissing):
            return False
        return True

    def flights_in(self, version: Reference) -> int:
        """Rows of the flights' table, in a version."""
        rows = self.lake.scan(version.name, version.version).select(pl.len())
        return int(self.lake.collect(version.name, rows).item())

    def elsewhere(self, kept: Kept) -> Elsewhere:
        """Have a version on another machine: a clone of the repository, and what DVC's remote holds."""
        clone = self.work.clone(self.work.folder.with_name("colleague"))
        file = clone.folder / NAME
        try:
            clone.checkout(file, kept.commit)
        except ToolFailed as failure:
            return Elsewhere(None, _reason(failure), _manifest(file))
        return Elsewhere(manifest.digest(file), None, _manifest(file))


def begun(source: Lake, store: Store, contents: Store, work: Workspace, days: tuple[int, int]) -> Desk:
    """A lake with all that training sets need but for the late flights, an empty remote and an empty workspace.

    Args:
        source: where the tables come from.
        store: the experiment's own lake.
        contents: DVC's remote; what an earlier run left there goes.
        work: the workspace.
        days: which ones the lake has, as in a span.
    """
    lake, within = Lake(store), _days(*days)
    for name in training.tables(SERVICE)[1:]:
        if not lake.exists(name):  # they never change: written once
            write(lake, name, source.collect(name, source.scan(name, days=within)))
    flights = source.collect(training.FLIGHTS, source.scan(training.FLIGHTS, days=within))
    write(lake, training.FLIGHTS, flights.filter(pl.col("carrier") != LATE))
    lake.vacuum(training.FLIGHTS, 0)  # nothing of an earlier run is to be counted
    remote.clear(contents)
    work.begin(contents.root, contents.endpoint if contents.root.startswith("s3://") else "")
    return Desk(lake, work, contents, flights)


def write(lake: Lake, name: str, rows: pl.DataFrame) -> None:
    """Replace a table of the desk's lake."""
    lake.write(name, rows, Origin((), recipe()), partition=DAY)


def _days(first: int, end: int) -> Days:
    return {(BEGIN + dt.timedelta(days=day)).date() for day in range(first - _BEFORE, end)}


def _manifest(file: Path) -> Manifest | None:
    return manifest.read(file) if manifest.beside(file).exists() else None


def _reason(failure: ToolFailed) -> str:
    """What DVC says of its failure: the line of the error and the file that it names, without folders of this run."""
    lines = (failure.what.partition("ERROR: ")[2] or failure.what).splitlines()
    return " ".join(line.strip() for line in lines[:2])

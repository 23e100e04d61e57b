"""The lake, as ingest needs it: the only module of ingest that knows Delta Lake and its frames.

A commit carries rows and places together: Delta's application transactions (`appId` names a partition of a log,
`version` its next offset) stand in the same log entry as the rows' files. Either both are there or neither is, whatever
crashes; what a crash left beside the log is no part of the table, and vacuum removes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError, TableNotFoundError
from deltalake.schema import PrimitiveType

from ingest.bronze.batch import DAY, Column, Kind
from runtime.store import Contended, SchemaChanged, Store, StoreAway, TableBroken, away, damaged

_FRAME: dict[Kind, Any] = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "instant": pl.Datetime("us", "UTC"),
    "day": pl.Date,
}
_TABLE: dict[Kind, str] = {
    "text": "string",
    "integer": "long",
    "number": "double",
    "instant": "timestamp",
    "day": "date",
}
_CONFIGURATION = {"delta.checkpointInterval": "50", "delta.logRetentionDuration": "interval 7 days"}


class Table:
    """The bronze table of one topic; made where it is missing.

    Args:
        store: where.
        topic: the event topic, and the table's name.
        columns: what it holds.

    Raises:
        StoreAway: by every call, while the object store does not answer.
        TableBroken: by every call, where the table cannot be read.
        SchemaChanged: a column has another type.
    """

    def __init__(self, store: Store, topic: str, columns: Sequence[Column]) -> None:
        self.topic = topic
        self._columns = {each.name: each for each in columns}
        self._path = store.path("bronze", topic)
        self._options = store.options()
        self._table = self._named(self._opened, "opened")

    def _opened(self) -> DeltaTable:
        try:
            table = DeltaTable(self._path, storage_options=self._options)
        except TableNotFoundError:
            return self._made()
        self._widen(table)
        return table

    def _made(self) -> DeltaTable:
        return DeltaTable.create(
            self._path,
            schema=Schema([_field(each) for each in self._columns.values()]),
            partition_by=[DAY.name],
            description=f"every valid event of {self.topic}, as it stood in the log",
            configuration=_CONFIGURATION,
            storage_options=self._options,
        )

    def _widen(self, table: DeltaTable) -> None:
        """Add the columns that the contract has gained; refuse what changed its type."""
        held = {field.name: field for field in table.schema().fields}
        for column in self._columns.values():
            wanted = _field(column)
            if column.name in held and held[column.name].type != wanted.type:
                raise SchemaChanged(
                    f"bronze table {self.topic}, column {column.name}: the contract has {_TABLE[column.kind]}, "
                    f"the table {held[column.name].type.type}",
                    "publish the change as a new version of the event (.v2), or move the table away",
                )
        missing = [_field(column) for name, column in self._columns.items() if name not in held]
        if missing:
            table.alter.add_columns(missing)

    @property
    def version(self) -> int:
        """Number of the newest commit seen."""
        return int(self._table.version())

    def refresh(self) -> None:
        """See what others committed."""
        self._table = self._named(self._opened, "refreshed")

    def position(self, application: str) -> int | None:
        """The next offset of a partition, as committed together with its rows; None before the first commit."""
        found: int | None = self._named(lambda: self._table.transaction_version(application), "asked for its place")
        return found

    def append(self, values: Mapping[str, list[Any]], positions: Mapping[str, int]) -> None:
        """Commit rows and places in one step.

        Args:
            values: column -> values, as `bronze.Batch.values` gives them.
            positions: application -> next offset.

        Raises:
            StoreAway: it is not known whether the commit happened: ask for the positions before going on.
            Contended: another writer moved one of these positions.
        """
        places = [Transaction(application, offset) for application, offset in positions.items()]
        frame = self._frame(values)
        self._named(
            lambda: write_deltalake(
                self._table, frame, mode="append", commit_properties=CommitProperties(app_transactions=places)
            ),
            "appended to",
        )
        self._named(self._table.update_incremental, "read after a commit")

    def _frame(self, values: Mapping[str, list[Any]]) -> pl.DataFrame:
        kinds = {name: column.kind for name, column in self._columns.items() if name != DAY.name}
        raw = {name: pl.Int64 if kind == "instant" else _FRAME[kind] for name, kind in kinds.items()}
        instants = [pl.col(name).cast(_FRAME["instant"]) for name, kind in kinds.items() if kind == "instant"]
        return pl.DataFrame(dict(values), schema=raw).with_columns(instants).with_columns(date=pl.col("time").dt.date())

    def files(self) -> int:
        """How many files make up the table now."""
        found: list[str] = self._named(self._table.file_uris, "counted")
        return len(found)

    def compact(self) -> int:
        """Put small files of a day together; how many were replaced."""
        done: dict[str, Any] = self._named(self._table.optimize.compact, "compacted")
        self._named(self._table.update_incremental, "read after a commit")
        return int(done["numFilesRemoved"])

    def vacuum(self, hours: int) -> int:
        """Remove files that no version of the last so many hours needs; how many."""
        gone: list[str] = self._named(
            lambda: self._table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True), "vacuumed"
        )
        return len(gone)

    def _named(self, act: Any, what: str) -> Any:  # noqa: ANN401  the result of any call
        """The result of a call to Delta; its failures under our names."""
        where = f"bronze table {self.topic} at {self._path} could not be {what}"
        try:
            return act()
        except CommitFailedError as failure:
            raise Contended(f"{where}: {failure}", "stop the other writer; this one reads its place again") from None
        except (DeltaError, OSError, ValueError) as failure:
            if damaged(failure) or (isinstance(failure, DeltaProtocolError) and not away(failure)):
                raise TableBroken(f"{where}: {failure}", _RESTORE) from None
            raise StoreAway(f"{where}: {failure}", "check the object store, its address and its keys") from None


_RESTORE = "put the table's _delta_log back from a copy, or move the table away: the log fills a new one"


def _field(column: Column) -> Field:
    return Field(column.name, PrimitiveType(_TABLE[column.kind]), nullable=True)

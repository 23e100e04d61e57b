"""Delta tables, as the lake needs them: the only module of the lake that knows the table format.

Tables have names such as `bronze/flight.departed.v1`, `silver/flights`, `gold/punctuality`. What was made here carries
in its commit what it was made from, so that anything in the lake can be followed back to the log.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError, TableNotFoundError

from contracts.training_sets import Reference
from lake.errors import Contended, StoreAway, TableBroken, TableMissing
from runtime.store import Store, away, damaged

T = TypeVar("T")
MADE_FROM = "tarmac.made_from"
RECIPE = "tarmac.recipe"
DAY = "date"
"""Column by which tables are partitioned, where they are partitioned by day."""
Days = set[dt.date]


@dataclass(frozen=True)
class Origin:
    """What a table was made from, as its commit says."""

    inputs: tuple[Reference, ...]
    recipe: str
    """Fingerprint of the definitions it was made by."""


class Lake:
    """All tables under one root.

    Args:
        store: where, and how to get in.

    Raises:
        StoreAway: by every call, while the object store does not answer.
        TableMissing: by every call that needs a table which is not there.
        TableBroken: by every call, where a table is damaged.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._options = store.options()
        self._followed: dict[str, DeltaTable] = {}

    def path(self, name: str) -> str:
        """Address of a table."""
        return self._store.path(name)

    def table(self, name: str, version: int | None = None) -> DeltaTable:
        """A table, in a version or in its newest."""
        table = self._named(name, "opened", lambda: DeltaTable(self.path(name), storage_options=self._options))
        if version is None or version == table.version():
            return table
        try:
            self._named(name, f"opened in version {version}", lambda: table.load_as_version(version))
        except TableBroken as failure:  # the newest version could be opened: this one is too new, or cleaned away
            raise TableMissing(failure.what, "`python -m lake table history NAME` lists the versions") from None
        return table

    def exists(self, name: str) -> bool:
        """Whether there is such a table."""
        return bool(
            self._named(
                name, "looked for", lambda: DeltaTable.is_deltatable(self.path(name), storage_options=self._options)
            )
        )

    def reference(self, name: str, version: int | None = None) -> Reference:
        """The version of a table that is newest now, or the one asked for."""
        table = self.table(name, version)
        return Reference(name, str(table.metadata().id), table.version())

    def scan(self, name: str, version: int | None = None, days: Days | None = None) -> pl.LazyFrame:
        """A table's rows, read when they are needed; of some days only, where days are given."""
        table = self.table(name, version)
        # The frames' own client takes the same words, and this one as a number.
        options: Any = {**self._options, "max_retries": 3} if self._options else None
        rows = self._named(name, "read", lambda: pl.scan_delta(table, storage_options=options))
        return rows if days is None else rows.filter(pl.col(DAY).is_in(sorted(days)))

    def collect(self, name: str, rows: pl.LazyFrame) -> pl.DataFrame:
        """Carry a plan out; a damaged file is told under the name of what was to be made."""
        return self._named(name, "made", lambda: rows.collect(engine="streaming"))

    def write(  # noqa: PLR0913  a table and what is told of it
        self, name: str, rows: pl.DataFrame, origin: Origin, *, partition: str, only: str | None = None, about: str = ""
    ) -> int:
        """Replace a table's rows in one commit; its new version.

        Args:
            name: the table, made where it is missing.
            rows: all of its rows, or those of the part that is replaced.
            origin: what they were made from.
            partition: column by which files are kept apart.
            only: SQL condition on the partition that says which part is replaced; None: all.
            about: a line for whoever finds the table.
        """
        told = CommitProperties(
            custom_metadata={
                MADE_FROM: json.dumps([asdict(each) for each in origin.inputs], sort_keys=True),
                RECIPE: origin.recipe,
            }
        )
        whole: dict[str, Any] = {"schema_mode": "overwrite"} if only is None else {"predicate": only}
        self._named(
            name,
            "written",
            lambda: write_deltalake(
                self.path(name),
                rows,
                mode="overwrite",
                partition_by=[partition],
                description=about,
                storage_options=self._options or None,
                commit_properties=told,
                **whole,
            ),
        )
        return self.table(name).version()

    def origin(self, name: str, version: int | None = None) -> Origin | None:
        """What a version was made from; None where no commit says so. A restored version tells of what it restored."""
        entries = self.history(name)
        wanted = version
        for entry in entries:
            if wanted is not None and entry["version"] > wanted:
                continue
            if entry["operation"] == "RESTORE":
                wanted = int(entry["operationParameters"]["version"])
            elif MADE_FROM in entry:
                inputs = tuple(Reference(**each) for each in json.loads(entry[MADE_FROM]))
                return Origin(inputs, entry.get(RECIPE, ""))
        return None

    def history(self, name: str) -> list[dict[str, Any]]:
        """Commits of a table, newest first."""
        table = self.table(name)
        found: list[dict[str, Any]] = self._named(name, "asked for its history", table.history)
        return found

    def newest(self, name: str) -> dict[str, Any]:
        """The newest commit of a table; of a table that was asked for before, only what came since is read.

        Whoever looks at a table that is written every few seconds would else read hundreds of commits each time.
        """
        table = self._followed.pop(name, None)
        found = _read_on(table) if table else []
        if table is None or not found:
            table = opened = self.table(name)
            found = self._named(name, "asked for its newest commit", lambda: opened.history(1))
        self._followed[name] = table
        return found[0]

    def days(self, name: str, version: int | None = None) -> dict[dt.date, Any]:
        """By day, what tells whether its rows changed between two versions.

        Of bronze: how many there are and the newest place in the log, which a compaction leaves as they are. Of what is
        made here: the files, for a day is written anew as a whole.
        """
        table = self.table(name, version)
        actions = self._named(name, "looked through", lambda: pl.DataFrame(table.get_add_actions(flatten=True)))
        return _signatures(actions, bronze=name.startswith("bronze/"))

    def restore(self, name: str, version: int) -> int:
        """Make an older version the newest; the number that it has now."""
        table = self.table(name)
        self.table(name, version)
        self._named(name, "restored", lambda: table.restore(version))
        return self.table(name).version()

    def vacuum(self, name: str, hours: int, *, dry: bool = False) -> list[str]:
        """Remove (or, dry, only list) the files that no version of the last so many hours needs."""
        table = self.table(name)
        gone: list[str] = self._named(
            name, "vacuumed", lambda: table.vacuum(hours, dry_run=dry, enforce_retention_duration=False, full=True)
        )
        return gone

    def _named(self, name: str, what: str, act: Callable[[], T]) -> T:
        """The result of a call; its failures under our names."""
        where = f"table {name} at {self.path(name)} could not be {what}"
        try:
            return act()
        except TableNotFoundError:
            raise TableMissing(f"table {name} is not at {self.path(name)}", _MISSING) from None
        except CommitFailedError as failure:
            raise Contended(f"{where}: {failure}", "run the command again: it makes up for what it missed") from None
        # A file that is shorter than its table says makes the reader panic, which is no Exception.
        except (DeltaProtocolError, pl.exceptions.PanicException) as failure:
            raise TableBroken(f"{where}: {failure}", _BROKEN) from None
        except (DeltaError, OSError, ValueError, pl.exceptions.PolarsError) as failure:
            raise told(where, failure) from None


_MISSING = "write bronze (`python -m ingest bronze`) and build the rest (`python -m lake build`), or look at the name"
_BROKEN = "restore the table to a version before the damage (`python -m lake table restore`), or build it anew"


def told(where: str, failure: Exception) -> Exception:
    """The failure that an error of the format or of the store amounts to."""
    broken = damaged(failure) or isinstance(failure, FileNotFoundError) or "version" in str(failure).lower()
    if broken and not away(failure):
        return TableBroken(f"{where}: {failure}", _BROKEN)
    return StoreAway(f"{where}: {failure}", "check the object store, its address and its keys")


def _read_on(table: DeltaTable) -> list[dict[str, Any]]:
    """The newest commit of a table that was followed; none where it has to be opened, which tells what is wrong."""
    try:
        table.update_incremental()
        # One that was deleted, or made anew under its name, has no commit where this one is.
        return table.history(1)
    except DeltaError:
        return []


def _signatures(actions: pl.DataFrame, *, bronze: bool) -> dict[dt.date, Any]:
    if not actions.height:
        return {}
    day = actions.get_column(f"partition.{DAY}")
    days = actions.with_columns(day=day.str.to_date() if day.dtype == pl.String else day)
    if bronze:
        made = days.group_by("day").agg(pl.col("num_records").sum(), pl.col("max.kafka_offset").max())
        return {row[0]: row[1:] for row in made.iter_rows()}
    made = days.group_by("day").agg(pl.col("path").sort())
    return {row[0]: tuple(row[1]) for row in made.iter_rows()}


def between(days: Iterable[dt.date]) -> str:
    """The SQL condition for rows of these days."""
    quoted = ", ".join(f"'{day}'" for day in sorted(days))
    return f"{DAY} IN ({quoted})"


def changed(before: Mapping[dt.date, Any], now: Mapping[dt.date, Any]) -> Days:
    """Days whose rows differ."""
    return {day for day in before.keys() | now.keys() if before.get(day) != now.get(day)}

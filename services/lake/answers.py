"""What `watch` answers over HTTP: the daily pages, and the row that came from a place of the log."""

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import polars as pl

from contracts.topics import EVENTS
from lake.errors import StoreAway, TableBroken, TableMissing
from lake.quality import report
from lake.store import Lake
from runtime.web import Answer, Page

_DIGITS = 18
"""As many fit into a column of whole numbers, whichever they are."""


class Reports:
    """`/reports`: the days that have a page; `/reports/2013-01-05`: the page of a day.

    Args:
        folder: where `quality` writes the pages.
        alarms: gives day -> monitors out of bounds on it, as far as that is known.
    """

    def __init__(self, folder: Path, alarms: Callable[[], Mapping[dt.date, int]]) -> None:
        self._folder = folder
        self._alarms = alarms

    def told(self, path: tuple[str, ...]) -> Answer:
        """The list, or a page."""
        if not path:
            return HTTPStatus.OK, Page(report.index(self._days(), self._alarms()))
        # Only a date ever becomes the name of a file: no path leads out of the folder.
        day = _day(path[0]) if len(path) == 1 else None
        if day is None:
            return HTTPStatus.BAD_REQUEST, {"error": f"{'/'.join(path)} is no day: ask for one such as 2013-01-05"}
        try:
            return HTTPStatus.OK, Page(report.file(self._folder, day).read_text(encoding="utf-8"))
        except FileNotFoundError:
            days = [str(each) for each in self._days()]
            return HTTPStatus.NOT_FOUND, {"error": f"{day} has no page: it was not judged (yet)", "days": days}

    def _days(self) -> list[dt.date]:
        return sorted(day for file in self._folder.glob("*.html") if (day := _day(file.stem)))


class Rows:
    """`/rows/TOPIC/PARTITION/OFFSET`: the row of bronze that came from a place of the log.

    Args:
        lake: which.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def told(self, path: tuple[str, ...]) -> Answer:
        """The row; 404 while the lake has none from there."""
        topic, *numbers = path or ("",)
        if topic not in EVENTS:
            return HTTPStatus.NOT_FOUND, {"error": f"no such topic: {topic}", "topics": sorted(EVENTS)}
        match [_number(each) for each in numbers]:
            case [int(partition), int(offset)]:
                return self._row(topic, partition, offset)
        error = f"{'/'.join(numbers)} is no place: ask for one such as /rows/{topic}/0/4711, partition and offset"
        return HTTPStatus.BAD_REQUEST, {"error": error}

    def _row(self, topic: str, partition: int, offset: int) -> Answer:
        name = f"bronze/{topic}"
        try:
            # Each file's least and greatest offset stand in the table's log: only those are read that may hold it.
            here = (pl.col("kafka_partition") == partition) & (pl.col("kafka_offset") == offset)
            # A topic that was made anew counts from 0 again: of two rows from one place, the later one counts.
            found = self._lake.collect(name, self._lake.scan(name).filter(here).sort("kafka_time", descending=True))
        except TableMissing as failure:
            return HTTPStatus.NOT_FOUND, {"error": str(failure)}
        except (StoreAway, TableBroken) as failure:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(failure)}
        if not found.height:
            error = f"table {name} has no row from partition {partition}, offset {offset} (yet)"
            return HTTPStatus.NOT_FOUND, {"error": error}
        return HTTPStatus.OK, {column: _plain(value) for column, value in found.row(0, named=True).items()}


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def _plain(value: Any) -> Any:  # noqa: ANN401  of any column, as JSON takes it
    return value.isoformat() if isinstance(value, dt.date) else value

"""Figures of a run as a table, as bars in the terminal and as a picture; a figure that does not apply stays empty."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.bar import Bar
from rich.table import Table

from lab import files
from lab.text import Language, Text

Figures = dict[str, Any]
"""One pattern's figures: `pattern`, `use_case`, and a number or None under each column's key."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure that patterns are compared by.

    Attributes:
        key: its key in the figures.
        title: its name and unit.
        digits: decimals shown.

    """

    key: str
    title: Text
    digits: int


COLUMNS = (
    Column("latency_ms", Text(en="latency ms", fr="latence ms"), 1),
    Column("latency_p95_ms", Text(en="p95 ms", fr="p95 ms"), 1),
    Column("staleness_s", Text(en="staleness s", fr="retard s"), 2),
    Column("throughput_per_s", Text(en="events/s", fr="événements/s"), 0),
    Column("cpu_s_per_1000", Text(en="CPU s/1000", fr="CPU s/1000"), 4),
    Column("recovery_s", Text(en="recovery s", fr="reprise s"), 2),
)
_PATTERN = Text.plain("pattern")
_USE_CASE = Text(en="use case", fr="cas d'usage")
_PANELS_PER_ROW = 3
_BAR_WIDTH = 44


def table(rows: Sequence[Figures], language: Language) -> Table:
    """Return the figures as a table, a pattern a row."""
    made = Table(box=None, header_style="bold", padding=(0, 1))
    made.add_column(_PATTERN.in_(language), no_wrap=True)
    made.add_column(_USE_CASE.in_(language), no_wrap=True)
    for column in COLUMNS:
        made.add_column(column.title.in_(language), justify="right", no_wrap=True)
    for row in rows:
        cells = [_cell(row.get(column.key), column.digits) for column in COLUMNS]
        made.add_row(str(row["pattern"]), str(row["use_case"]), *cells)
    return made


def chart(rows: Sequence[Figures], column: Column, language: Language) -> Table:
    """Return one column as bars for the terminal, the longest for the greatest; who has no figure is left out."""
    measured = [(str(row["pattern"]), float(row[column.key])) for row in rows if row.get(column.key) is not None]
    longest = max((value for _, value in measured), default=0.0)
    made = Table(title=column.title.in_(language), title_justify="left", box=None, show_header=False, padding=(0, 1))
    for pattern, value in measured:
        made.add_row(pattern, Bar(longest, 0, value, width=_BAR_WIDTH, color="cyan"), _cell(value, column.digits))
    return made


def picture(rows: Sequence[Figures], file: Path, language: Language) -> None:
    """Write all columns as one PNG, a panel each."""
    from matplotlib.figure import Figure  # noqa: PLC0415  slow to import, and only this command draws

    columns = [column for column in COLUMNS if any(row.get(column.key) is not None for row in rows)]
    lines = -(-len(columns) // _PANELS_PER_ROW)
    figure = Figure(figsize=(14, 1.2 + 3.2 * lines), layout="constrained")
    for place, column in enumerate(columns, start=1):
        _panel(figure.add_subplot(lines, _PANELS_PER_ROW, place), rows, column, language)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    files.write(file, buffer.getvalue())


def _panel(axes: Any, rows: Sequence[Figures], column: Column, language: Language) -> None:  # noqa: ANN401  matplotlib's
    measured = [row for row in rows if row.get(column.key) is not None]
    values = [float(row[column.key]) for row in measured]
    bars = axes.barh([str(row["pattern"]) for row in measured], values, color="#2f6f9f")
    axes.bar_label(bars, [_cell(value, column.digits) for value in values], padding=3, fontsize=8)
    axes.set_title(column.title.in_(language), fontsize=10)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _cell(value: object, digits: int) -> str:
    return f"{value:,.{digits}f}" if isinstance(value, int | float) else "-"

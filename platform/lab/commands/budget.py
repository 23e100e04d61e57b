"""`lab budget [NN]`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from lab.budget import NAMES, UNITS, Entry, Ledger, Row, hold, rows, ways
from lab.commands.common import number, output, wanted
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.text import Language, Text

_HEAD = (
    Text(en="figure", fr="chiffre"),
    Text(en="declared", fr="déclaré"),
    Text(en="measured", fr="mesuré"),
    Text(en="share", fr="part"),
    Text(en="how it came", fr="d'où il venait"),
)
_NOT_MEASURED = Text(en="not measured", fr="pas mesuré")
_MARKS = {"within": "✓", "exceeded": "✗", "unmeasured": "?"}


@click.command()
@number
@output
@click.pass_obj
def budget(settings: Settings, number: str | None, output: str) -> None:
    """Hold a lab to what it declares to take. / Confronter un lab à ce qu'il déclare prendre."""
    code = wanted(settings, number)
    course = Course(settings.root)
    lab = course.lab(code)
    entries = Ledger(settings).entries(lab.code)
    found = rows(lab.code, lab.budget, entries)
    if output == "json":
        click.echo(dump(_as_json(lab.code, found, entries)))
    else:
        Console(highlight=False).print(_table(found, settings.lang))
    hold(lab.code, f"labs/{course.folder(code).name}/lab.yaml", found)


def _table(found: Sequence[Row], language: Language) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 1))
    table.add_column("")
    for place, title in enumerate(_HEAD):
        table.add_column(title.in_(language), justify="right" if 0 < place < len(_HEAD) - 1 else "left", no_wrap=True)
    for row in found:
        table.add_row(*_cells(row, language))
    return table


def _cells(row: Row, language: Language) -> list[str]:
    unit = UNITS[row.figure].in_(language)
    declared = [_MARKS[row.verdict], NAMES[row.figure].in_(language), f"{row.declared:.0f} {unit}"]
    if row.measured is None or row.share is None:
        return [*declared, _NOT_MEASURED.in_(language), "", ""]
    return [*declared, f"{row.measured:.0f} {unit}", f"{row.share:.0%}", ways(row.way or "").in_(language)]


def _as_json(code: str, found: Sequence[Row], entries: Sequence[Entry]) -> dict[str, object]:
    figures = {
        row.figure: {
            "declared": row.declared, "measured": row.measured, "predicted": row.predicted, "way": row.way,
            "share": None if row.share is None else round(row.share, 3), "verdict": row.verdict,
        }
        for row in found
    }  # fmt: skip
    built = {each.way: each.built for each in entries}
    cores = entries[0].cores if entries else None
    return {"lab": code, "passed": all(row.verdict == "within" for row in found), "cores": cores, "built": built,
            "figures": figures}  # fmt: skip

"""`lab compare NN`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from lab import compare as comparison
from lab.commands.common import number, output, progress, standing, wanted
from lab.errors import BadInput
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course, LabSpec
from lab.text import Text

_BARS = ("latency_p95_ms", "cpu_s_per_1000")
"""Columns drawn in the terminal; the picture has them all."""
_WIDTH = 120
"""Columns of the output where there is no terminal to ask."""
_WRITTEN = Text(en="all figures as a picture: {file}", fr="tous les chiffres en image : {file}")


@click.command()
@number
@click.option("--only", multiple=True, metavar="EXPERIMENT", help="Measure this one only; may be given again.")
@click.option("--png", type=click.Path(path_type=Path), help="Where to write the picture.")
@output
@click.pass_obj
def compare(settings: Settings, number: str | None, only: tuple[str, ...], png: Path | None, output: str) -> None:
    """Measure the lab's patterns and compare them: figures of this run only. / Mesurer et comparer les patterns."""
    code = wanted(settings, number)
    names = _chosen(Course(settings.root).lab(code), only)
    standing(settings)
    display = progress(settings, output)
    with display.shown(["experiments"], {}), display.phase("experiments") as phase:
        results = comparison.measure(settings, code, names, display.teller(phase))
    rows = [row for result in results for row in result["figures"]]
    file = png or settings.folder / f"compare-{code}.png"
    comparison.picture(rows, file, settings.lang)
    if output == "json":
        click.echo(dump({"lab": code, "figures": rows, "results": results, "png": str(file)}))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(comparison.table(rows, settings.lang))
    for column in comparison.COLUMNS:
        if column.key in _BARS:
            console.print(comparison.chart(rows, column, settings.lang))
    click.echo(_WRITTEN.in_(settings.lang).format(file=file))


def _chosen(lab: LabSpec, only: tuple[str, ...]) -> list[str]:
    """Return the experiments that are meant, in the lab's order.

    Raises:
        BadInput: the lab has none, or none of a name.

    """
    unknown = sorted(set(only) - set(lab.experiments))
    if unknown or not lab.experiments:
        there = ", ".join(lab.experiments) or "-"
        raise BadInput(
            Text(
                en=f"lab {lab.code} has no experiment {', '.join(unknown)}".rstrip(),
                fr=f"le lab {lab.code} n'a pas d'expérience {', '.join(unknown)}".rstrip(),
            ),
            Text(en=f"choose among: {there}", fr=f"choisissez parmi : {there}"),
        )
    return [name for name in lab.experiments if not only or name in only]

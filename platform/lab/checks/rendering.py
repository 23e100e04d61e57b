"""Results as a trainee sees them in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Words

from lab.checks.runner import Result
from lab.checks.verdict import Finding
from lab.text import Language, Text

_SEEN = Text(en="seen", fr="constaté")
_WHY = Text(en="why", fr="pourquoi")
_WHAT_TO_DO = Text(en="what to do", fr="que faire")
_ALL_DONE = Text(
    en="All {count} exercises are done. Compare with one solution: labs/{lab}/manifests/solved",
    fr="Les {count} exercices sont faits. Comparez avec une solution : labs/{lab}/manifests/solved",
)
_SOME_DONE = Text(en="{done} of {count} exercises are done.", fr="{done} exercices faits sur {count}.")


def show(console: Console, lab: str, results: Sequence[Result], language: Language) -> None:
    """Print each exercise with its verdict, and what is wrong with those that fail.

    Args:
        console: where to print.
        lab: the lab's folder name, such as `01-patterns`.
        results: what the checks said.
        language: the user's.

    """
    for result in results:
        console.print(_exercise(result, language))
    console.print(Words(_summary(lab, results).in_(language), style="bold"))


def _exercise(result: Result, language: Language) -> RenderableType:
    mark, style = ("✓", "green") if result.passed else ("✗", "red")
    head = Words.assemble((f"{mark} ", style), (result.exercise, "bold"), "  ", result.title.in_(language))
    shown = [finding for finding in result.verdict.findings if finding.evidence or not finding.met]
    return Group(head, *(Padding(_finding(finding, language), (0, 0, 0, 4)) for finding in shown))


def _finding(finding: Finding, language: Language) -> RenderableType:
    if finding.met:
        return Words(f"{finding.condition}: {finding.evidence}", style="dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="yellow", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(_WHY.in_(language), Words(finding.reason.in_(language)))
    if finding.evidence:
        table.add_row(_SEEN.in_(language), Words(finding.evidence))
    table.add_row(_WHAT_TO_DO.in_(language), Words(finding.remedy.in_(language)))
    return table


def _summary(lab: str, results: Sequence[Result]) -> Text:
    done = sum(result.passed for result in results)
    words = _ALL_DONE if done == len(results) else _SOME_DONE
    figures = {"done": done, "count": len(results), "lab": lab}
    return Text(en=words.en.format(**figures), fr=words.fr.format(**figures))

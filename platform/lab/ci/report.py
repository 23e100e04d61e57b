"""What a CI server shows of a proof: JUnit's XML, and a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from lab.ci.steps import Outcome


def junit(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write outcomes as JUnit's XML: a suite for each lab, a case for each step."""
    root = ET.Element("testsuites", {"name": "lab ci", **_counts(outcomes)})
    for code, steps in _labs(outcomes):
        suite = ET.SubElement(root, "testsuite", {"name": f"lab {code}", **_counts(steps)})
        for each in steps:
            case = ET.SubElement(suite, "testcase", name=each.step, classname=f"lab.{code}", time=f"{each.seconds:.2f}")
            if each.wrong is None:
                ET.SubElement(case, "skipped", message="a step before it failed")
            elif each.wrong:
                ET.SubElement(case, "failure", message=each.wrong[0]).text = "\n".join(each.wrong)
    file.parent.mkdir(parents=True, exist_ok=True)
    ET.indent(root)
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Return outcomes as a table, with what went wrong below it."""
    lines = ["| lab | step | | seconds |", "|---|---|---|---|"]
    marks = {True: "✓", False: "✗"}
    lines += [
        f"| {each.lab} | {each.step} | {'·' if each.wrong is None else marks[each.passed]} | {each.seconds:.1f} |"
        for each in outcomes
    ]
    for each in outcomes:
        if each.wrong:
            lines += ["", f"**lab {each.lab}, {each.step}**", "", "```text", *each.wrong, "```"]
    return "\n".join(lines) + "\n"


def _labs(outcomes: Sequence[Outcome]) -> Iterable[tuple[str, list[Outcome]]]:
    return [(code, list(steps)) for code, steps in groupby(outcomes, key=lambda each: each.lab)]


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the attributes by which JUnit's readers count."""
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(bool(each.wrong) for each in outcomes)),
        "skipped": str(sum(each.wrong is None for each in outcomes)),
        "time": f"{sum(each.seconds for each in outcomes):.2f}",
    }

"""The page of figures: what was measured, in both languages, and what was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.authoring import figures

_LAB = {
    "checks": 10, "conditions": 53, "mutants": 72, "killed": 72, "killed_by_the_right_condition": 71,
    "alternatives": 16, "accepted": 15, "done_at_start": ["shadow"], "seconds": 0.0056,
}  # fmt: skip
_RECORDS: dict[str, Any] = {
    "checks": {"most_seconds": 0.2, "labs": {"01": _LAB}},
    "diagnosis": {"faults": 104, "states": 1476, "right": 1402, "share": 0.95, "healthy": 66, "blamed": 1},
    "times": {"01": {"reset": 21.3, "goto-solved": 30.1, "solve": 101.0}},
}


def test_every_figure_is_told_also_a_bad_one() -> None:
    """Nothing is rounded to what one would like."""
    text = figures.page(_RECORDS, "en")
    assert "| 01 | 10 | 53 | 71 / 72 | 15 / 16 | 1 | 5.6 ms (≤ 200 ms) |" in text
    assert "of 1476 states 1402 were given their one root cause (95.0%); of 66 healthy states 1 were blamed" in text
    assert "| 01 | jump to the solution that was kept | 30.1 | ≤ 45 |" in text


def test_both_languages_have_the_same_figures() -> None:
    """The tables differ in their words only."""
    pages = [figures.page(_RECORDS, language) for language in ("en", "fr")]
    for figure in ("71 / 72", "15 / 16", "5.6 ms", "1476", "30.1", "101.0"):
        assert all(figure in page for page in pages), figure
    assert len({len(page.splitlines()) for page in pages}) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_was_not_measured_is_said(language: str) -> None:
    """A page without figures does not look like one with good ones."""
    text = figures.page({"checks": None, "diagnosis": None, "times": None}, language)  # type: ignore[arg-type]
    assert text.count(figures._MISSING.in_(language)) == 3  # type: ignore[arg-type]


def test_it_is_written_once(tmp_path: Path) -> None:
    """A run that measured the same changes no file."""
    for name, file in figures._RECORDS.items():
        target = tmp_path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(_RECORDS[name]))
    (tmp_path / "docs").mkdir()
    assert [path.name for path in figures.write(tmp_path)] == ["quality.md", "quality.fr.md"]
    assert figures.write(tmp_path) == []

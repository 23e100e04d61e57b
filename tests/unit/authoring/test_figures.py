"""The page of figures: what was measured, in both languages, and what was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.authoring import figures, taken
from lab.budget import FIGURES

_LAB = {
    "checks": 10, "conditions": 53, "mutants": 72, "killed": 72, "killed_by_the_right_condition": 71,
    "alternatives": 16, "accepted": 15, "done_at_start": ["shadow"], "seconds": 0.0056,
}  # fmt: skip
_UNMEASURED = {"declared": 100.0, "measured": None, "predicted": None, "way": None}


def _budget(**measured: dict[str, Any]) -> dict[str, Any]:
    """Return what `lab budget` says of a lab of which only these figures were measured."""
    return {"lab": "01", "cores": 2, "figures": {name: measured.get(name, _UNMEASURED) for name in FIGURES}}


_RECORDS: dict[str, Any] = {
    "checks": {"most_seconds": 0.2, "labs": {"01": _LAB}},
    "diagnosis": {"faults": 104, "states": 1476, "right": 1402, "share": 0.95, "healthy": 66, "blamed": 1},
    "budgets": {"01": _budget(seconds={"declared": 90.0, "measured": 51.2, "predicted": 88.0, "way": "nothing"})},
    "independent": {
        "faults": 103,
        "states": 1416,
        "right": 1415,
        "share": 0.9993,
        "quiet": 150,
        "blamed": 2,
        "first": {
            "faults": 102,
            "states": 1398,
            "right": 1266,
            "share": 0.9056,
            "quiet": 156,
            "blamed": 6,
            "wrong": 11,
            "corrected": 2,
        },
    },
    "second": {
        "faults": 83,
        "states": 957,
        "right": 956,
        "share": 0.999,
        "quiet": 184,
        "blamed": 3,
        "first": {
            "faults": 81,
            "states": 954,
            "right": 816,
            "share": 0.8553,
            "quiet": 185,
            "blamed": 7,
            "wrong": 14,
            "corrected": 4,
        },
    },
    "third": {
        "faults": 119,
        "states": 1305,
        "right": 1300,
        "share": 0.9962,
        "quiet": 135,
        "blamed": 4,
        "first": {
            "faults": 120,
            "states": 1308,
            "right": 1135,
            "share": 0.8677,
            "quiet": 136,
            "blamed": 5,
            "wrong": 19,
            "corrected": 1,
        },
    },
    "breaks": {
        "01": {
            "gone-kafka": {"cause": "TD-KAFKA-GONE", "told": ["TD-KAFKA-GONE"], "seconds": 4.2, "mended": 20.5},
            "dns-gone": {"cause": "TD-DNS-GONE", "told": ["TD-POD-CRASH", "TD-DNS-GONE"], "seconds": 31.7},
        },
        "02": {"room-redis": {"cause": "TD-POD-NO-ROOM", "told": [], "seconds": 150.0}},
    },
    "times": {"01": {"reset": 21.3, "goto-solved": 30.1, "solve": 101.0}},
}


def test_every_figure_is_told_also_a_bad_one() -> None:
    """Nothing is rounded to what one would like."""
    text = figures.page(_RECORDS, "en")
    assert "| 01 | 10 | 53 | 71 / 72 | 15 / 16 | 1 | 5.6 ms (≤ 200 ms) |" in text
    assert "of 1476 states 1402 were given their one root cause (95.0%); of 66 healthy states 1 were blamed" in text
    assert "at the first run, of 1398 states 1266 were given their one root cause (90.6%)" in text
    assert "of 156 states without a fault 6 were blamed" in text
    assert "now, with 103 faults, 1415 of 1416 (99.9%), and 2 of 150." in text
    assert "81 faults of a second set by another author" in text
    assert "at the first run, of 954 states 816 were given their one root cause (85.5%)" in text
    assert "of 185 states without a fault 7 were blamed" in text
    assert "now, with 83 faults, 956 of 957 (99.9%), and 3 of 184. Of the 14 cases that were wrong at first, 4" in text
    assert "120 faults of a third set by a further author" in text
    assert "at the first run, of 1308 states 1135 were given their one root cause (86.8%)" in text
    assert "of 136 states without a fault 5 were blamed" in text
    assert (
        "now, with 119 faults, 1300 of 1305 (99.6%), and 4 of 135. Of the 19 cases that were wrong at first, 1" in text
    )
    assert "of 3 faults 1 were named right at the first telling, 2 in the end; " in text
    assert "the command that was told with it put 1 of them right. lab 01" in text
    assert "lab 01 `dns-gone` (32 s), lab 01 `gone-kafka` (4 s), lab 02 `room-redis` (150 s)." in text
    assert "| 01 | jump to the solution that was kept | 30.1 | ≤ 45 |" in text
    assert "| 01 | time until ready | 90 s | 88 s | 51 s | from nothing |" in text
    assert "| 01 | disk | 100 MiB | not measured | not measured |  |" in text


def test_both_languages_have_the_same_figures() -> None:
    """The tables differ in their words only."""
    pages = [figures.page(_RECORDS, language) for language in ("en", "fr")]
    for figure in (
        "71 / 72",
        "15 / 16",
        "5.6 ms",
        "1476",
        "1266",
        "90.6%",
        "1415",
        "954",
        "85.5%",
        "956",
        "1308",
        "86.8%",
        "1300",
        "30.1",
        "101.0",
        "| 90 s | 88 s | 51 s |",
    ):
        assert all(figure in page for page in pages), figure
    assert len({len(page.splitlines()) for page in pages}) == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_was_not_measured_is_said(language: str) -> None:
    """A page without figures does not look like one with good ones."""
    text = figures.page(dict.fromkeys(figures._RECORDS), language)  # type: ignore[arg-type]
    assert text.count(figures._MISSING.in_(language)) == len(figures._RECORDS) - 1  # type: ignore[arg-type]
    assert figures._UNBROKEN.in_(language) in text  # type: ignore[arg-type]


def test_each_author_has_a_paragraph() -> None:
    """Sets stand one after the other and say what came between them; without its record only that one is missing."""
    english, french = (figures.page(_RECORDS, language) for language in ("en", "fr"))
    assert "by an author who had not read the causes: at the first run, of 1398 states" in english
    assert "after they had been mended by the first: at the first run, of 954 states" in english
    assert "après leur correction d'après le premier : à la première exécution, sur 954 états" in french
    assert "after they had been mended by the second: at the first run, of 1308 states" in english
    assert "après leur correction d'après le deuxième : à la première exécution, sur 1308 états" in french
    places = [english.index(each) for each in ("1398 states", "954 states", "1308 states", "lab break")]
    assert places == sorted(places)
    alone = figures.page({**_RECORDS, "second": None}, "en")
    assert alone.count(figures._MISSING.en) == 1
    assert "1398 states" in alone
    assert "1308 states" in alone


def test_it_is_written_once(tmp_path: Path) -> None:
    """A run that measured the same changes no file."""
    for name, file in figures._RECORDS.items():
        target = tmp_path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(_RECORDS[name]))
    (tmp_path / "docs").mkdir()
    assert [path.name for path in figures.write(tmp_path)] == ["quality.md", "quality.fr.md"]
    assert figures.write(tmp_path) == []


def test_guides_show_what_was_measured(tmp_path: Path) -> None:
    """Both languages, between their marks and nowhere else; without a record, no guide changes."""
    guides = [tmp_path / f"labs/{lab}/{name}" for lab in ("01-first", "02-second") for name in taken.GUIDES.values()]
    before = f"# Guide\n\n{taken.BEGIN}\n\nold\n\n{taken.END}\n\n## More\n"
    for file in (*guides, *(tmp_path / name for name in figures.FILES.values())):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(before, "utf-8")
    figures.write(tmp_path)
    assert {file.read_text("utf-8") for file in guides} == {before}
    record = tmp_path / figures._RECORDS["budgets"]
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(_RECORDS["budgets"]))
    assert set(guides[:2]) <= set(figures.write(tmp_path))
    assert figures.write(tmp_path) == []
    english, french, *others = [file.read_text("utf-8") for file in guides]
    assert "(from nothing); `lab budget 01` says" in english
    assert "| time until ready | 51 s | 90 s |" in english
    assert "| durée jusqu'à la fin | 51 s | 90 s |" in french
    for text in (english, french):
        assert text.startswith(f"# Guide\n\n{taken.BEGIN}\n\n")
        assert text.endswith(f"|\n\n{taken.END}\n\n## More\n")
        assert "old" not in text
    assert others == [before, before]

"""The mutation score of every lab, published where the page of figures is written from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.authoring import Folder
from lab.authoring.quality import MOST_SECONDS, Quality, measure, publish
from lab.spec import Course

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def figures() -> dict[str, Quality]:
    """Return the figures of every lab of the course, published as build/quality/checks.json."""
    measured = {code: measure(Folder(ROOT, code)) for code in Course(ROOT, drafts=False).codes()}
    publish(ROOT / "build/quality/checks.json", measured)
    return measured


def test_every_lab_is_at_its_best(figures: dict[str, Quality]) -> None:
    """All mistakes are caught by the right condition, all right solutions accepted, nothing is done at the start."""
    for code, lab in figures.items():
        assert lab["killed_by_the_right_condition"] == lab["killed"] == lab["mutants"] > 0, code
        assert lab["accepted"] == lab["alternatives"] > 0, code
        assert lab["done_at_start"] == [], code
        assert lab["conditions"] > lab["checks"], code


def test_checks_are_quick_over_a_recorded_state(figures: dict[str, Quality]) -> None:
    """From the file to all verdicts of a lab, with room for a busy machine."""
    assert {code: lab["seconds"] for code, lab in figures.items() if lab["seconds"] > MOST_SECONDS} == {}


def test_what_is_published_can_be_read_back(figures: dict[str, Quality]) -> None:
    """The page of figures is written from this file by another program."""
    told = json.loads((ROOT / "build/quality/checks.json").read_text("utf-8"))
    assert told == {"most_seconds": MOST_SECONDS, "labs": figures}

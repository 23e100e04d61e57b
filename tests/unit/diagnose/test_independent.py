"""The diagnosis, held to cases by an author who had not read its causes."""

from __future__ import annotations

from pathlib import Path

from lab.spec import Course
from unit.diagnose.independent.measure import FAULTS, HARMLESS, measured

ROOT = Path(__file__).resolve().parents[3]


def test_finds_the_causes_of_faults_by_another_author() -> None:
    """Of cases by an author who did not know the causes, 95 % are found, and nothing harmless is blamed."""
    counted = measured(Course(ROOT, drafts=False))
    counted.write(ROOT / "build" / "diagnosis-independent.json")
    assert len(FAULTS) >= 40
    assert len(HARMLESS) >= 15
    assert counted.share >= 0.95, counted.wrong
    assert not counted.blamed, counted.blamed

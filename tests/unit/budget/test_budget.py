"""`lab budget`: what was declared beside what was measured, as a process and as a judgement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.budget import FIGURES, Entry, Ledger, expected, lasting, rows, standing
from lab.settings import Settings
from lab.spec import Course

ROOT = Path(__file__).resolve().parents[3]
COURSE = Course(ROOT, drafts=False)
BUDGET = COURSE.lab("01").budget
WITHIN = {name: 0.5 * getattr(BUDGET, name) for name in FIGURES}


def _entry(way: str = "nothing", at: float = 1, **measured: float) -> Entry:
    return Entry(way, built=False, cores=2, at=at, measured=measured, predicted=dict.fromkeys(measured, 7.0))


def _budget(home: Path, *words: str, language: str = "en") -> tuple[int, str, str]:
    environment = {
        "HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "platform"), "LAB_LANG": language,
        "COLUMNS": "120",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "lab", "budget", *words],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def _keep(home: Path, *entries: Entry) -> None:
    for each in entries:
        Ledger(Settings.load({"HOME": str(home)})).keep("01", each)


def test_a_lab_within_its_budget(tmp_path: Path) -> None:
    """Exit code 0; each figure with its share and how the lab came."""
    _keep(tmp_path, _entry(**WITHIN))
    code, out, err = _budget(tmp_path, "01")
    assert (code, err) == (0, "")
    assert out.count("✓") == out.count("50%") == out.count("from nothing") == len(FIGURES)
    told = json.loads(_budget(tmp_path, "1", "--output", "json")[1])
    assert (told["lab"], told["passed"], told["cores"]) == ("01", True, 2)
    assert told["figures"]["seconds"] == {
        "declared": BUDGET.seconds, "measured": WITHIN["seconds"], "predicted": 7.0, "way": "nothing", "share": 0.5,
        "verdict": "within",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "told", "remedy"),
    [
        (
            "en",
            "lab 01: budget.peak_mib (memory at its peak): 9999 MiB measured from nothing, {} MiB declared",
            "raise",
        ),
        (
            "fr",
            "lab 01 : budget.peak_mib (mémoire au plus haut) : 9999 Mio mesurés de rien, {} Mio déclarés",
            "relevez",
        ),
    ],
)
def test_what_exceeds_is_told(tmp_path: Path, language: str, told: str, remedy: str) -> None:
    """Exit code 1; lab, field, both figures, and the file in which it is declared."""
    _keep(tmp_path, _entry(**WITHIN | {"peak_mib": 9999}))
    code, out, err = _budget(tmp_path, "01", language=language)
    first, second = err.splitlines()
    assert (code, first) == (1, told.format(BUDGET.peak_mib))
    assert f"{remedy} budget.peak_mib" in second
    assert "labs/01-patterns/lab.yaml" in second
    assert "✗" in out
    code, out, _ = _budget(tmp_path, "01", "--output", "json")
    assert (code, json.loads(out)["figures"]["peak_mib"]["verdict"]) == (1, "exceeded")


@pytest.mark.parametrize(
    ("language", "told"), [("en", "lab 01: not measured: budget.seconds"), ("fr", "lab 01 : pas mesuré : budget.sec")]
)
def test_what_was_not_measured_is_no_pass(tmp_path: Path, language: str, told: str) -> None:
    """Exit code 1 with the fields and what measures them, though nothing exceeds."""
    _keep(tmp_path, _entry(**{name: figure for name, figure in WITHIN.items() if name != "seconds"}))
    code, out, err = _budget(tmp_path, "01", language=language)
    assert code == 1
    assert err.startswith(told)
    assert "`lab down`" in err
    assert {"en": "not measured", "fr": "pas mesuré"}[language] in out


def test_a_lab_that_never_came_up_here(tmp_path: Path) -> None:
    """Nothing is known, and all of it is said."""
    code, out, err = _budget(tmp_path, "04")
    assert code == 1
    assert out.count("?") == len(FIGURES)
    assert all(f"budget.{name}" in err for name in FIGURES)


def test_an_excess_counts_in_every_way_and_a_pass_only_where_the_lab_was_made() -> None:
    """A reset that stays within the time proves nothing; one that exceeds it does."""
    of = {each.figure: each for each in rows("01", BUDGET, [_entry("reset", seconds=BUDGET.seconds - 1)])}
    assert of["seconds"].verdict == "unmeasured"
    of = {
        each.figure: each
        for each in rows("01", BUDGET, [_entry("reset", seconds=BUDGET.seconds + 1), _entry(**WITHIN)])
    }
    assert (of["seconds"].verdict, of["seconds"].way) == ("exceeded", "reset")
    assert of["peak_mib"].way == "nothing"


@pytest.mark.parametrize(("way", "counts"), [("lab 01", True), ("lab 04", False), ("stopped", False)])
def test_a_later_lab_has_made_an_earlier_one_already(way: str, *, counts: bool) -> None:
    """Lab 02 after lab 01 is made; after lab 04 it mostly stands."""
    (first, *_) = rows("02", COURSE.lab("02").budget, [_entry(way, peak_mib=100)])
    assert (first.verdict == "within") is counts


def test_the_newest_of_each_way_is_kept(tmp_path: Path) -> None:
    """Another measurement in the same way takes the place of the one before."""
    _keep(tmp_path, _entry(at=1, seconds=80), _entry("reset", at=2, seconds=20), _entry(at=3, seconds=60))
    entries = Ledger(Settings.load({"HOME": str(tmp_path)})).entries("01")
    assert [(each.way, each.measured["seconds"]) for each in entries] == [("nothing", 60), ("reset", 20)]


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_what_is_waited_for_is_no_shorter_with_more_cores(cores: int) -> None:
    """On two cores a lab from nothing takes what it declares; CPU time is shared among cores, waiting is not."""
    told = expected(COURSE.lab("01"), None, cores)
    waiting = BUDGET.seconds - BUDGET.cpu_seconds / 2
    assert told["seconds"] == pytest.approx(waiting + BUDGET.cpu_seconds / cores)
    assert (told["peak_mib"], told["cpu_seconds"]) == (BUDGET.peak_mib, BUDGET.cpu_seconds)


def test_what_stands_has_not_to_be_made() -> None:
    """Lab 02 after lab 01, and after a reset, takes less than from nothing, and memory and disk as much."""
    lab = COURSE.lab("02")
    whole, after, reset = (expected(lab, standing(COURSE, way), 2) for way in ("nothing", "lab 01", "reset"))
    assert after["seconds"] < whole["seconds"]
    assert reset["cpu_seconds"] < whole["cpu_seconds"]
    assert after["peak_mib"] == reset["peak_mib"] == whole["peak_mib"]
    assert "kafka" in lasting(COURSE)
    assert "redis" not in lasting(COURSE)
    assert standing(COURSE, "lab 09") == set()

"""Lab 04's checks over a state that is made by hand: what its experiments write is what its checks read."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.checks import Bundle, Check, alternatives
from lab.checks.loader import load
from lab.checks.mutants import judge, read
from lab.spec import Course
from lab.state.bundle import State
from unit.lab_checks.serving_worlds import solved, started

ROOT = Path(__file__).parents[3]
_UNNAMED = {"choose-runtime"}
"""Exercises that set nothing to be measured with."""


@pytest.fixture(scope="module")
def course() -> Course:
    """Return what this checkout declares."""
    return Course(ROOT)


@pytest.fixture(scope="module")
def checks(course: Course) -> Mapping[str, Check]:
    """Return each exercise's check."""
    return load(course.folder("04"), course.lab("04").exercises)


def test_the_solution_passes(checks: Mapping[str, Check]) -> None:
    """Every condition of every exercise is met, and shows what it saw."""
    for name, check in checks.items():
        verdict = check(Bundle(solved()))
        assert [(name, finding.condition, finding.reason.en) for finding in verdict.unmet] == []
        assert all(finding.evidence for finding in verdict.findings), name


def test_the_start_fails_by_what_it_sets(checks: Mapping[str, Check], course: Course) -> None:
    """Whatever was measured: each exercise's own setting is seen to be wrong."""
    for name, check in checks.items():
        unmet = [finding.condition for finding in check(Bundle(started(course))).unmet]
        assert unmet, name
        assert "present" not in unmet, name
        assert "measured" not in unmet, name


def test_each_mutant_is_killed_by_its_condition_alone(checks: Mapping[str, Check], course: Course) -> None:
    """As on the state recorded from a cluster."""
    report = judge(read(course.folder("04") / "mutants.yaml"), checks, solved())
    assert report.as_json()["survivors"] == []


def _seeded(checks: Mapping[str, Check], course: Course) -> State:
    """Return the solution of a workstation with another seed."""
    there = alternatives.read(course.folder("04") / "alternatives.yaml")
    (each,) = [each for each in there if each.id == "versions-of-a-seed"]
    return each.made_on(solved(), checks)


def test_a_solution_with_a_seed_is_taken(checks: Mapping[str, Check], course: Course) -> None:
    """Right is what the recorded seed makes of the versions; under another seed the same answer is none."""
    state = _seeded(checks, course)
    assert checks["canary-steps"](Bundle(state)).passed
    env: Any = state["objects"]
    entry = next(each for each in env[0]["spec"]["template"]["spec"]["containers"][0]["env"] if each["value"] == "1234")
    entry["value"] = "42"
    (unmet,) = checks["canary-steps"](Bundle(state)).unmet
    assert unmet.condition == "versions"
    assert "another seed" in unmet.reason.en
    settings: Any = state["answers"]
    settings["canary-steps"]["body"]["settings"]["seed"] = "42"
    assert "versions" in [finding.condition for finding in checks["canary-steps"](Bundle(state)).unmet]


def test_every_condition_has_a_mutant(checks: Mapping[str, Check], course: Course) -> None:
    """None could be dropped unnoticed."""
    made_for = {(mutant.exercise, mutant.condition) for mutant in read(course.folder("04") / "mutants.yaml")}
    there = {
        (name, finding.condition) for name, check in checks.items() for finding in check(Bundle(solved())).findings
    }
    assert there - made_for == set()
    assert made_for - there == set()


def test_other_settings_than_those_measured_are_noticed(checks: Mapping[str, Check]) -> None:
    """Whichever setting of an exercise it is."""
    for name in set(checks) - _UNNAMED:
        for field in set(solved()["answers"][name]["body"]["settings"]) - {"seed"}:
            state = copy.deepcopy(solved())
            state["answers"][name]["body"]["settings"][field] = "else"
            assert "measured" in [each.condition for each in checks[name](Bundle(state)).unmet], (name, field)


@pytest.mark.parametrize(
    ("minutes", "share", "gain", "unmet"),
    [
        ("12", 0.4, 0.88, []),
        ("0", 0.7, 0.96, ["few"]),
        ("45", 0.05, 0.25, ["gain"]),
        ("1000", 0.0, 0.0, ["bound", "gain"]),
    ],
)
def test_a_bound_is_judged_by_its_own_figures(
    checks: Mapping[str, Check], minutes: str, share: float, gain: float, unmet: list[str]
) -> None:
    """No number is right for every training: its share and its gain decide."""
    state = solved()
    for each in state["objects"][0]["spec"]["template"]["spec"]["containers"][0]["env"]:
        if each["name"] == "TARMAC_CASCADE_MINUTES":
            each["value"] = minutes
    body = state["answers"]["cascade"]["body"]
    body["settings"]["cascade_minutes"] = float(minutes)
    body["chosen"] |= {"share": share, "gain": gain}
    assert [finding.condition for finding in checks["cascade"](Bundle(state)).unmet] == unmet


@pytest.mark.parametrize("steps", ["", "ten,20", ","])
def test_steps_that_are_none_are_told_to_the_trainee(checks: Mapping[str, Check], steps: str) -> None:
    """In words, with the file to correct; a check never stumbles."""
    state = solved()
    for each in state["objects"][0]["spec"]["template"]["spec"]["containers"][0]["env"]:
        if each["name"] == "TARMAC_CANARY_STEPS":
            each["value"] = steps
    unmet = checks["canary-steps"](Bundle(state)).unmet
    assert [finding.condition for finding in unmet] == ["present"]
    assert "canary-steps.yaml" in unmet[0].remedy.en

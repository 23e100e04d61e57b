"""What a seed decides: a solution is right on its own workstation, and its answer is wrong on a neighbour's."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from lab.checks import Bundle, Check, alternatives
from lab.checks.loader import load
from lab.spec import Course

_COURSE = Course(Path(__file__).parents[3])
_OWN, _NEIGHBOURS = "1234", "7"

State = dict[str, Any]


@pytest.fixture(
    scope="module",
    params=[
        ("01", "edge-offline", "airport-of-a-seed", "cut-site"),
        ("02", "quality-monitors", "damage-of-a-seed", "damage"),
    ],
    ids=lambda param: param[1],
)
def seeded(request: pytest.FixtureRequest) -> tuple[str, Check, State, State, str]:
    """Return an exercise, its check, its solution without a seed and with one, and the condition that the seed adds."""
    code, exercise, name, condition = request.param
    folder = _COURSE.folder(code)
    checks = load(folder, _COURSE.lab(code).exercises)
    recorded = json.loads((folder / "bundles/solved.json").read_text("utf-8"))
    (own,) = [each for each in alternatives.read(folder / "alternatives.yaml") if each.id == name]
    return exercise, checks[exercise], recorded, own.made_on(recorded, checks), condition


def _elsewhere(state: State, exercise: str, *, measured: bool) -> State:
    """Return the same state on the neighbour's workstation, with the experiment run there or carried along."""
    there = copy.deepcopy(state)
    for container in (
        each
        for item in there["objects"]
        if item["kind"] == "Deployment"
        for each in item["spec"]["template"]["spec"]["containers"]
    ):
        for variable in container.get("env", []):
            if variable["name"] == "TARMAC_SEED":
                variable["value"] = _NEIGHBOURS
    if measured:
        there["answers"][exercise]["body"]["settings"]["seed"] = _NEIGHBOURS
    return there


def test_a_solution_is_right_on_its_own_workstation(seeded: tuple[str, Check, State, State, str]) -> None:
    """The check asks one thing more than of a state without a seed, and derives the answer from the recorded one."""
    _, check, recorded, own, condition = seeded
    assert check(Bundle(recorded)).passed
    assert check(Bundle(own)).passed
    conditions = [[finding.condition for finding in check(Bundle(state)).findings] for state in (recorded, own)]
    assert conditions[1] == [*conditions[0], condition]


def test_a_neighbours_answer_is_none(seeded: tuple[str, Check, State, State, str]) -> None:
    """The same file and the same way to measure, under another seed: only the answer is wrong."""
    exercise, check, _, own, condition = seeded
    (unmet,) = check(Bundle(_elsewhere(own, exercise, measured=True))).unmet
    assert unmet.condition == condition
    assert f"tarmac.dev/{condition}" in unmet.reason.en
    assert f"{exercise}.yaml" in unmet.remedy.fr


def test_a_neighbours_measurement_is_none(seeded: tuple[str, Check, State, State, str]) -> None:
    """Carried along to another workstation it tells of the wrong facts; the remedy is to measure here."""
    exercise, check, _, own, condition = seeded
    (unmet,) = check(Bundle(_elsewhere(own, exercise, measured=False))).unmet
    assert unmet.condition == condition
    assert "another seed" in unmet.reason.en
    assert f"lab compare {_code(exercise)} --only {exercise}" in unmet.remedy.en


def _code(exercise: str) -> str:
    return next(code for code in _COURSE.codes() if exercise in {each.id for each in _COURSE.lab(code).exercises})

"""Mutants: mistakes made on a recorded solution."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.checks import Bundle, Findings, Text, check, need
from lab.checks.mutants import judge, read
from lab.errors import BadInput

_T = Text.plain("t")
_MUTANT = "mutants: [{id: a, exercise: e, condition: c, title: {en: e, fr: f}, change: [%s]}]"
_GATEWAY = {"object": "Deployment/gateway"}


@check
def _replicas(bundle: Bundle) -> Findings:
    yield need("replicas", bundle.object("Deployment", "gateway").number("spec.replicas") == 2, "", _T, _T)


@check
def _late(bundle: Bundle) -> Findings:
    yield need("late", bundle.answer("report").number("rows[EWR].late") < 10, "", _T, _T)
    yield need("agree", bundle.answer("report").flag("agree"), "", _T, _T)


_CHECKS = {"scale": _replicas, "report": _late}


def _read(folder: Path, *changes: dict[str, Any], exercise: str = "scale", condition: str = "replicas") -> Any:  # noqa: ANN401
    entry = {
        "id": "one",
        "exercise": exercise,
        "condition": condition,
        "title": {"en": "e", "fr": "f"},
        "change": list(changes),
    }
    file = folder / "mutants.yaml"
    file.write_text(yaml.safe_dump({"mutants": [entry]}))
    return read(file)


def test_a_mutant_is_killed_by_the_condition_it_was_made_for(tmp_path: Path, state: dict[str, Any]) -> None:
    """The right check fails, by the named condition alone, and the solution itself stays untouched."""
    before = copy.deepcopy(state)
    mutants = _read(tmp_path, {"set": {**_GATEWAY, "path": "spec.replicas", "to": 1}})
    report = judge(mutants, _CHECKS, state)
    assert report.rate == 1
    assert state == before
    assert report.as_json()["killed"] == 1


def test_a_mutant_that_only_another_check_notices_has_survived(tmp_path: Path, state: dict[str, Any]) -> None:
    """An accident is no proof of the exercise's own check; the report names who noticed."""
    mutants = _read(tmp_path, {"set": {"answer": "report", "path": "body.rows[EWR].late", "to": 50}})
    report = judge(mutants, _CHECKS, state)
    assert report.rate == 0
    assert report.survivors[0].others == ("report",)


def test_a_mutant_killed_by_a_neighbouring_condition_has_survived(tmp_path: Path, state: dict[str, Any]) -> None:
    """Each condition needs a mutant that it alone kills, or nobody knows whether it works."""
    mutants = _read(
        tmp_path,
        {"set": {"answer": "report", "path": "body.rows[EWR].late", "to": 50}},
        {"set": {"answer": "report", "path": "body.agree", "to": False}},
        exercise="report",
        condition="late",
    )
    assert judge(mutants, _CHECKS, state).survivors[0].failed == ("late", "agree")


@pytest.mark.parametrize(
    "change",
    [
        {"set": {**_GATEWAY, "path": "spec.replica", "to": 1}},
        {"set": {**_GATEWAY, "path": "spec.replicas", "to": 2}},
        {"set": {"object": "Deployment/gatewy", "path": "spec.replicas", "to": 1}},
        {"set": {"answer": "nope", "path": "x", "to": 1}},
        {"add": {**_GATEWAY, "path": "spec.replicas", "to": 1}},
        {"append": {"answer": "report", "path": "body.agree", "to": 1}},
        {"remove": {"topic": "nope"}},
        {"remove": {"metric": "rate", "path": "[9]"}},
    ],
)
def test_a_change_that_aims_at_nothing_is_an_error(
    tmp_path: Path, state: dict[str, Any], change: dict[str, Any]
) -> None:
    """A selector that went stale never counts as a mutant."""
    mutants = _read(tmp_path, change)
    with pytest.raises(BadInput, match="mutant one"):
        judge(mutants, _CHECKS, state)


def test_a_mutant_of_no_exercise_is_an_error(tmp_path: Path, state: dict[str, Any]) -> None:
    """A renamed exercise takes its mutants along, or they say so."""
    mutants = _read(tmp_path, {"remove": _GATEWAY}, exercise="gone")
    with pytest.raises(BadInput, match="exercise gone"):
        judge(mutants, _CHECKS, state)


@pytest.mark.parametrize(
    "change",
    [
        {"add": {"object": "ConfigMap/settings", "path": "data[extra]", "to": "1"}},
        {"append": {"answer": "report", "path": "body.rows", "to": {"site": "JFK"}}},
        {"remove": {"metric": "rate", "path": "[0]"}},
        {"remove": {"trace": "gateway"}},
        {"set": {"group": "readers", "path": "flights[1].lag", "to": 9}},
        {"set": {"topic": "flights", "path": "config[cleanup.policy]", "to": "compact"}},
        {"remove": _GATEWAY},
    ],
)
def test_every_part_of_a_bundle_can_be_changed(tmp_path: Path, state: dict[str, Any], change: dict[str, Any]) -> None:
    """Objects, answers, topics, groups, metrics and traces are all within a mutant's reach."""
    (mutant,) = _read(tmp_path, change)
    assert mutant.made_on(state, _CHECKS) != state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mutants: 1",
        "mutants: [{id: a}]",
        "{",
        _MUTANT % "{set: {path: x, to: 1}}",
        _MUTANT % "{remove: {answer: a, path: '['}}",
        _MUTANT % "",
        _MUTANT % "{drop: {answer: a}}",
    ],
)
def test_a_malformed_file_is_refused_and_named(tmp_path: Path, text: str) -> None:
    """The message names the file."""
    file = tmp_path / "mutants.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"mutants\.yaml cannot be used"):
        read(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A lab without mutants proves nothing and says so."""
    with pytest.raises(BadInput, match=r"mutants\.yaml"):
        read(tmp_path / "mutants.yaml")

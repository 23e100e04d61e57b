"""What proves checks: right solutions that are taken, and a start at which nothing is done."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.checks import Bundle, Check, Findings, Text, check, need
from lab.checks.alternatives import Alternative, read
from lab.checks.alternatives import judge as received
from lab.checks.mutants import Mutant
from lab.checks.proof import done, prove
from lab.errors import BadInput

_T = Text.plain("t")
_REPLICAS = {"object": "Deployment/gateway", "path": "spec.replicas"}


def _scale(least: int, most: int) -> Check:
    @check
    def scale(bundle: Bundle) -> Findings:
        count = bundle.object("Deployment", "gateway").number("spec.replicas")
        yield need("replicas", least <= count <= most, f"replicas={count}", _T, _T)

    return scale


def _alternative(*changes: dict[str, Any], exercise: str = "scale") -> Alternative:
    entry = {"id": "a", "exercise": exercise, "title": {"en": "e", "fr": "f"}, "change": list(changes)}
    return Alternative.model_validate(entry)


def test_another_right_solution_is_accepted_and_judged_by_what_it_did(state: dict[str, Any]) -> None:
    """The check passes on other evidence than the solution's, which itself stays untouched."""
    before = copy.deepcopy(state)
    (reception,) = received([_alternative({"set": {**_REPLICAS, "to": 3}})], {"scale": _scale(2, 5)}, state)
    assert reception.accepted
    assert reception.seen
    assert state == before


def test_a_check_that_wants_what_its_author_typed_refuses(state: dict[str, Any]) -> None:
    """The exercise and the condition that refuse are named, whichever exercise it is."""
    checks = {"scale": _scale(2, 5), "same": _scale(2, 2)}
    (reception,) = received([_alternative({"set": {**_REPLICAS, "to": 3}})], checks, state)
    assert reception.refused == ("same.replicas",)
    assert not reception.accepted


def test_what_the_check_does_not_look_at_is_no_other_evidence(state: dict[str, Any]) -> None:
    """An alternative that its check cannot tell from the solution does not count."""
    extra = {"add": {"object": "Deployment/gateway", "path": "metadata.labels[team]", "to": "a"}}
    (reception,) = received([_alternative(extra)], {"scale": _scale(2, 5)}, state)
    assert (reception.accepted, reception.seen) == (True, False)


@pytest.mark.parametrize(
    "alternative",
    [_alternative({"set": {**_REPLICAS, "to": 2}}), _alternative({"set": {**_REPLICAS, "to": 3}}, exercise="gone")],
)
def test_an_alternative_that_changes_nothing_is_an_error(state: dict[str, Any], alternative: Alternative) -> None:
    """So is one of no exercise; the message names file and alternative."""
    with pytest.raises(BadInput, match=r"alternatives\.yaml: alternative a: nothing to change at"):
        received([alternative], {"scale": _scale(2, 5)}, state)


@pytest.mark.parametrize("text", ["", "alternatives: 1", "mutants: []", "alternatives: [{id: a}]", "{"])
def test_a_malformed_file_is_refused_and_named(tmp_path: Path, text: str) -> None:
    """Mutants are no alternatives."""
    file = tmp_path / "alternatives.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"alternatives\.yaml cannot be used"):
        read(file)


def test_a_name_used_twice_is_refused(tmp_path: Path) -> None:
    """A name leads to one of them."""
    entry = _alternative({"remove": {"object": "Deployment/gateway"}}).model_dump(mode="json")
    entry["change"] = [{"remove": {"object": "Deployment/gateway"}}]
    (tmp_path / "alternatives.yaml").write_text(yaml.safe_dump({"alternatives": [entry, entry]}))
    with pytest.raises(BadInput, match="id used twice: a"):
        read(tmp_path / "alternatives.yaml")


def test_a_check_that_passes_at_the_start_is_told(state: dict[str, Any]) -> None:
    """It proves nothing, whatever it catches."""
    start = copy.deepcopy(state)
    start["objects"][0]["spec"]["replicas"] = 1
    assert done({"open": _scale(2, 5), "lazy": _scale(1, 5)}, start) == ("lazy",)


def test_checks_are_sound_when_nothing_speaks_against_them(state: dict[str, Any]) -> None:
    """One mutant caught, one alternative taken, the start open; each of the three can spoil it."""
    start = copy.deepcopy(state)
    start["objects"][0]["spec"]["replicas"] = 1
    change = {"set": {**_REPLICAS, "to": 9}}
    mutant = Mutant.model_validate(
        {"id": "m", "exercise": "scale", "condition": "replicas", "title": {"en": "e", "fr": "f"}, "change": [change]}
    )
    other = _alternative({"set": {**_REPLICAS, "to": 3}})
    assert prove({"scale": _scale(2, 5)}, start, state, [mutant], [other]).sound
    assert not prove({"scale": _scale(2, 9)}, start, state, [mutant], [other]).sound
    assert not prove({"scale": _scale(2, 2)}, start, state, [mutant], [other]).sound
    assert not prove({"scale": _scale(1, 5)}, start, state, [mutant], [other]).sound
    assert not prove({"scale": _scale(2, 5)}, start, state, [], [other]).sound
    told = prove({"scale": _scale(1, 2)}, start, state, [mutant], [other]).as_json()
    assert told["done_at_start"] == ["scale"]
    assert told["refused"] == [{"id": "a", "exercise": "scale", "refused_by": ["scale.replicas"]}]

"""The checks of every lab over the states recorded from a real cluster, and over damaged ones."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.checks import Bundle, Check, Text

State = dict[str, Any]
Checks = Mapping[str, Check]


def test_conditions_have_names_of_their_own_within_a_check(checks: Checks, solved: State) -> None:
    """A name leads to one condition."""
    for name, check in checks.items():
        names = [finding.condition for finding in check(Bundle(solved)).findings]
        assert len(names) == len(set(names)), name


@pytest.mark.parametrize("folder", ["01-patterns"], indirect=True)
def test_a_service_without_pods_is_told_from_the_null_that_kubernetes_writes(checks: Checks, solved: State) -> None:
    """A selector that matches nothing leaves an EndpointSlice with null for its endpoints: no address, no stumbling."""
    state = copy.deepcopy(solved)
    for item in state["objects"]:
        if item["kind"] == "EndpointSlice":
            item["endpoints"] = None
    verdict = checks["service-discovery"](Bundle(state))
    assert [finding.condition for finding in verdict.unmet] == ["endpoints"]


@pytest.mark.parametrize("folder", ["02-pipelines"], indirect=True)
@pytest.mark.parametrize(
    ("pace", "least", "most"), [(6.0, 2, 3), (10.0, 2, 4), (12.38, 3, 5), (15.0, 3, 6), (20.0, 4, 8), (30.0, 6, 12)]
)
def test_the_right_number_of_shards_follows_from_the_measured_pace(
    checks: Checks, solved: State, pace: float, least: int, most: int
) -> None:
    """No number is right for everybody: it must carry 200 times the trainee's own pace, and twice that at most."""
    state = copy.deepcopy(solved)
    state["answers"]["choose-broker"]["body"]["replay"] |= {"events_per_second": pace, "bytes_per_second": 239 * pace}
    (decision,) = [each for each in state["objects"] if each["metadata"]["name"] == "decision"]
    right = []
    for shards in range(20):
        decision["data"]["kinesis-shards"] = str(shards)
        if checks["choose-broker"](Bundle(state)).passed:
            right.append(shards)
    assert right == list(range(least, most + 1))


def test_an_experiment_that_failed_says_why(checks: Checks, solved: State) -> None:
    """What the experiment itself reported reaches the trainee in both languages."""
    for name in set(checks) & set(solved["answers"]):
        state = copy.deepcopy(solved)
        state["answers"][name]["body"] = {"name": name, "error": "Service/centre: no answer within 5 s"}
        unmet = checks[name](Bundle(state)).unmet
        assert [finding.condition for finding in unmet] == ["present"]
        assert all("Service/centre: no answer within 5 s" in words for words in _both(unmet[0].reason))


def test_an_experiment_that_was_not_run_is_asked_for(checks: Checks, solved: State, code: str) -> None:
    """Right settings alone pass nothing: the remedy names the command that measures."""
    for name in set(checks) & set(solved["answers"]):
        state = copy.deepcopy(solved)
        state["answers"][name] = {"status": 404, "body": {"error": "no result yet"}}
        unmet = checks[name](Bundle(state)).unmet
        assert [finding.condition for finding in unmet] == ["present"]
        assert all(f"`lab compare {code} --only {name}`" in words for words in _both(unmet[0].remedy))


def _both(text: Text) -> tuple[str, str]:
    return text.en, text.fr


def _places(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            yield (*way, key)
            yield from _places(inner, (*way, key))


_STRANGE: tuple[object, ...] = (None, "", "strange", -1, 10**400, float("nan"), True, [], {}, [None], {"": None}, [[1]])


_DAMAGES = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(range(-1, len(_STRANGE)))), min_size=1, max_size=4)
"""Which place, counted round and round, and what comes there; -1: nothing, it is taken away."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damages=_DAMAGES)
def test_a_check_never_raises_on_a_damaged_state(damages: list[tuple[int, int]], checks: Checks, solved: State) -> None:
    """Whatever part is missing or strange, every check answers with a verdict."""
    state = copy.deepcopy(solved)
    for number, strange in damages:
        places = list(_places(state))
        *way, last = places[number % len(places)]
        holder: Any = state
        for step in way:
            holder = holder[step]
        if strange < 0:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(_STRANGE[strange])
    bundle = Bundle(state)
    for check in checks.values():
        check(bundle)


def test_every_text_may_be_empty(checks: Checks, solved: State) -> None:
    """Also where a check looks further under what it has read: an experiment may have been told nothing."""
    for answer in solved["answers"].values():
        told = answer["body"].get("settings", {}) if isinstance(answer["body"], dict) else {}
        for name in told:
            before, told[name] = told[name], ""
            for check in checks.values():
                check(Bundle(solved))
            told[name] = before


@pytest.mark.parametrize("strange", _STRANGE, ids=lambda value: type(value).__name__ + str(value)[:5])
def test_every_answer_may_be_strange(checks: Checks, solved: State, strange: object) -> None:
    """An answer or an object of the wrong kind fails the check that needs it and names it."""
    for name in solved["answers"]:
        state = copy.deepcopy(solved)
        state["answers"][name]["body"] = strange
        for check in checks.values():
            check(Bundle(state))


@pytest.mark.parametrize("part", ["objects", "topics", "groups", "metrics", "traces", "answers"])
def test_a_missing_part_of_the_bundle_is_named(checks: Checks, solved: State, part: str) -> None:
    """Without a part of the bundle no check that needs it passes, and the reason names something that is missing."""
    state = {key: value for key, value in copy.deepcopy(solved).items() if key != part}
    for check in checks.values():
        for finding in check(Bundle(state)).unmet:
            assert finding.reason.en
    json.dumps(state)

"""The checks of every lab over the states recorded from a real cluster, and over damaged ones."""

import ast
import copy
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.checks import Bundle, Check, Text
from lab.checks.mutants import judge, read
from lab.state import bundle as files
from lab.state.redaction import redacted

State = dict[str, Any]
Checks = Mapping[str, Check]


def test_the_start_fails_every_exercise_with_a_reason_and_a_remedy(checks: Checks, start: State) -> None:
    """Nothing is done before the trainee has done it, and each verdict says why and what to do in both languages."""
    for name, check in checks.items():
        verdict = check(Bundle(start))
        assert not verdict.passed, name
        for finding in verdict.unmet:
            assert finding.reason.en, name
            assert finding.reason.fr, name
            assert finding.remedy.en, name
            assert finding.remedy.fr, name


def test_the_solution_passes_every_exercise_with_evidence(checks: Checks, solved: State) -> None:
    """The published solution is right, and each condition shows what was seen."""
    for name, check in checks.items():
        verdict = check(Bundle(solved))
        assert [(name, finding.condition, finding.reason.en) for finding in verdict.unmet] == []
        assert all(finding.evidence for finding in verdict.findings), name


def test_every_mutant_is_killed_by_the_condition_it_was_made_for(folder: Path, checks: Checks, solved: State) -> None:
    """The kill rate is 100 %, by the right check, never by accident."""
    report = judge(read(folder / "mutants.yaml"), checks, solved)
    assert report.as_json()["survivors"] == []
    assert report.rate == 1


def test_every_exercise_has_at_least_three_mutants(folder: Path, checks: Checks) -> None:
    """Each check can fail in several ways."""
    counts = Counter(mutant.exercise for mutant in read(folder / "mutants.yaml"))
    assert {name: counts[name] for name in checks if counts[name] < 3} == {}


def test_every_condition_has_a_mutant_that_it_alone_kills(folder: Path, checks: Checks, solved: State) -> None:
    """A condition that no mutant needs could be dropped unnoticed."""
    made_for = {(mutant.exercise, mutant.condition) for mutant in read(folder / "mutants.yaml")}
    set_by_checks = {
        (name, finding.condition) for name, check in checks.items() for finding in check(Bundle(solved)).findings
    }
    assert set_by_checks - made_for == set()


def test_conditions_have_names_of_their_own_within_a_check(checks: Checks, solved: State) -> None:
    """A name leads to one condition."""
    for name, check in checks.items():
        names = [finding.condition for finding in check(Bundle(solved)).findings]
        assert len(names) == len(set(names)), name


def test_what_is_wrong_at_the_start_leads_to_a_file_or_a_command(checks: Checks, start: State) -> None:
    """No remedy leaves the trainee without a place to go to, and both languages lead to the same one."""
    for name, check in checks.items():
        for finding in check(Bundle(start)).unmet:
            places = [re.findall(r"manifests/work/[a-z-]+\.yaml|`[^`]+`", words) for words in _both(finding.remedy)]
            assert places[0], (name, finding.condition)
            assert places[0] == places[1], (name, finding.condition)


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


@pytest.mark.parametrize("name", ["start", "solved"])
def test_recorded_states_are_usable_small_and_without_secrets(folder: Path, code: str, name: str) -> None:
    """What is committed can be read back, has no secret left in it, and stays small enough to review."""
    file = folder / "bundles" / f"{name}.json"
    state = files.read(file, code)
    assert redacted(state) == state
    assert file.stat().st_size < 400_000
    assert "managedFields" not in file.read_text("utf-8")


def test_checks_import_the_checks_package_and_nothing_else_of_ours(folder: Path) -> None:
    """A lab's checks stand on `lab.checks` and the standard library's plain tools."""
    allowed = {"__future__", "collections", "lab", "math", "itertools", "statistics"}
    for file in sorted((folder / "checks").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed - {"lab"}, file
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module in {"lab.checks", "__future__", "collections.abc"} or (
                    str(node.module).partition(".")[0] in allowed - {"lab"}
                ), file


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

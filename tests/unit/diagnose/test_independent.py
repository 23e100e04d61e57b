"""The diagnosis, held to cases by authors who had not read its causes when they wrote them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.authoring.figures import _RECORDS
from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.faults.world import WARN
from lab.spec import Course
from unit.diagnose.independent.measure import FIRST, ROUNDS, Counted, measured, played

ROOT = Path(__file__).resolve().parents[3]
LARGEST = next(state for name, _, state in healthy(Course(ROOT, drafts=False)) if name == "04 solved")
_CASES = FIRST.cases


@pytest.fixture(scope="module", params=ROUNDS, ids=lambda each: each.name)
def counted(request: pytest.FixtureRequest) -> Counted:
    """Return the measurement of a round over all labs, which is kept for the documents too."""
    found = measured(Course(ROOT, drafts=False), request.param)
    found.write(ROOT / "build")
    return found


def test_the_root_cause_is_found(counted: Counted) -> None:
    """Of faults told in others' words, on every lab that can have them: 95 % at first guess."""
    assert len(counted.of.faults) >= 40
    assert len(counted.of.cases) == len(counted.of.faults) + len(counted.of.harmless)
    assert counted.share >= 0.95, counted.wrong


def test_nothing_that_is_well_is_blamed(counted: Counted) -> None:
    """What any cluster in use shows without being broken is no cause."""
    assert len(counted.of.harmless) >= 15
    assert not counted.blamed


def test_the_first_figures_stay(counted: Counted, tmp_path: Path) -> None:
    """Documents tell what the first run found beside what this one did."""
    first = counted.of.first
    figures = json.loads(counted.write(tmp_path / "new").read_text())
    assert figures["first"] == first
    assert (figures["states"], figures["right"]) == (counted.states, counted.right)
    assert first["share"] == round(first["right"] / first["states"], 4)
    # Cases without a fault that were blamed are wrong ones too.
    assert first["faults"] - first["faults_right"] <= first["wrong"] <= first["faults"] + first["harmless"]


def test_each_round_has_its_own_record() -> None:
    """No author's figures are written over another's, and the documents find each of them."""
    assert {each.name: f"build/{each.file}" for each in ROUNDS}.items() <= _RECORDS.items()
    assert len({each.file for each in ROUNDS}) == len(ROUNDS)


def test_a_wrong_diagnosis_counts_as_one() -> None:
    """The measurement can fail: another code, another place and a blame of nothing are each told."""
    right = _CASES["redis-deleted"]
    other, elsewhere = replace(right, name="a", code="TD-KAFKA-GONE"), replace(right, name="b", where="postgres")
    quiet = replace(right, name="c", code=None)
    found = measured(Course(ROOT, drafts=False), replace(FIRST, faults=(other, elsewhere, right), harmless=(quiet,)))
    assert {name.partition(":")[0] for name in found.wrong} == {"a", "b"}
    assert found.right * 3 == found.states
    assert list(found.blamed) == ["c"]


def test_a_taint_is_mended_by_taking_it_away() -> None:
    """The command names node and taint; a node that is cordoned is opened instead."""
    tainted, cordoned = (_blame(name) for name in ("drained-by-taint", "cordoned"))
    assert tainted.mend == "lab kubectl taint nodes tarmac-control-plane maintenance-"
    assert cordoned.mend == "lab kubectl uncordon tarmac-control-plane"


def test_a_taint_explains_nothing_where_another_node_is_open() -> None:
    """A control plane that takes no pods beside a worker that has no room: the worker is told."""
    state = played(_CASES["no-cores-left"], LARGEST, WARN)
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    first = next(each for each in state["health"]["objects"] if each["kind"] == "Node")
    state["health"]["objects"].append({**first, "metadata": {"name": "worker"}, "spec": {}})
    first["spec"] = {"taints": [taint]}
    for pod in state["health"]["objects"]:
        for each in pod["status"].get("conditions", []) if pod["kind"] == "Pod" else []:
            if each.get("reason") == "Unschedulable":
                each["message"] = f"0/2 nodes are available: 1 had untolerated taint {taint}, 1 Insufficient cpu."
    found = root(state)
    assert found is not None
    assert found.cause.code == "TD-POD-NO-ROOM"


def test_a_claim_that_was_deleted_is_named() -> None:
    """The scheduler names the claim; commands take that name."""
    found = _blame("claim-deleted")
    assert found.where == "data/PersistentVolumeClaim/objectstore"
    assert "?" not in found.mend + found.look


def _blame(name: str) -> Any:  # noqa: ANN401  a Blame
    found = root(played(_CASES[name], LARGEST, WARN))
    assert found is not None
    return found

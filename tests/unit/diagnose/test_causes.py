"""One root cause: found where there is one, at its object, and none where all is well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.diagnose.accuracy import Accuracy, accuracy, broken, healthy
from lab.diagnose.causes import CHAIN, blames, every, root
from lab.diagnose.causes.chain import WORKLOADS
from lab.diagnose.faults import FAULTS, named
from lab.diagnose.faults.world import CRASH, WARN
from lab.spec import Course

ROOT = Path(__file__).resolve().parents[3]
STATES = {name: state for name, _, state in healthy(Course(ROOT, drafts=False))}
LARGEST = STATES["04 solved"]


@pytest.fixture(scope="module")
def measured() -> Accuracy:
    """Return the measurement over all labs, which is kept for the documents too."""
    counted = accuracy(Course(ROOT, drafts=False), variations=9)
    counted.write(ROOT / "build" / "diagnosis.json")
    return counted


def test_the_root_cause_is_found(measured: Accuracy) -> None:
    """Of 30 faults and more, on every lab that can have them, however hard neighbours take it: 95 % at first guess."""
    assert len(measured.faults) >= 30
    assert measured.tried >= 1000
    assert measured.share >= 0.95, measured.wrong


def test_nothing_that_is_well_is_blamed(measured: Accuracy) -> None:
    """Recorded states as they are and completed, and harmless variations of them: not one is blamed."""
    assert measured.healthy >= 50
    assert measured.blamed == []


def test_the_figures_are_kept(measured: Accuracy, tmp_path: Path) -> None:
    """A document finds counts, share, and what went wrong."""
    measured.write(tmp_path / "new" / "figures.json")
    figures = json.loads((tmp_path / "new" / "figures.json").read_text())
    assert figures["states"] == measured.tried
    assert figures["right"] == measured.right
    assert figures["blamed"] == len(measured.blamed)


def test_a_wrong_diagnosis_counts_as_one() -> None:
    """The measurement can fail: nothing found is neither right nor quietly left out."""
    counted = Accuracy(tried=2, right=1, wrong=["01: TD-X, found nothing"])
    assert counted.share == 0.5


def test_every_cause_has_a_fault_that_shows_it() -> None:
    """No code is listed that no fault of the catalogue must lead to, and no fault leads to an unknown one."""
    assert {fault.code for fault in FAULTS} == {cause.code for cause in every()}
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_chain_goes_from_the_cluster_to_the_lab() -> None:
    """Every component has its place, and the walk keeps the order in which one stands on another."""
    assert [link.name for link in CHAIN if link.component] == [*WORKLOADS, "lab"]
    assert [link.name for link in CHAIN[:3]] == ["cluster", "images", "storage"]


def test_all_that_the_chain_names_is_there() -> None:
    """Workloads that the chain waits for are those that the recorded cluster has."""
    there = {
        (each["metadata"]["namespace"], each["kind"], each["metadata"]["name"])
        for each in LARGEST["objects"]
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    assert {place for places in WORKLOADS.values() for place in places} <= there


@pytest.mark.parametrize("severity", [WARN, CRASH])
def test_what_lies_upstream_explains_what_lies_downstream(severity: int) -> None:
    """Kafka is gone and its readers complain or crash: Kafka is told first, and one cause only."""
    found = root(broken(LARGEST, named("gone-kafka"), severity))
    assert found is not None
    assert (found.cause.code, found.where) == ("TD-KAFKA-GONE", "platform/StatefulSet/kafka")
    if severity == CRASH:
        assert "TD-POD-CRASH" in {each.cause.code for each in blames(broken(LARGEST, named("gone-kafka"), severity))}


def test_what_is_mild_explains_nothing_that_is_broken() -> None:
    """Events in the dead-letter queue upstream, and the gateway gone: the gateway is told; alone, the events are."""
    poisoned = broken(LARGEST, named("poisoned-events"), WARN)
    both = root(broken(poisoned, named("gone-gateway"), WARN))
    alone = root(poisoned)
    assert both is not None
    assert alone is not None
    assert (both.cause.code, alone.cause.code) == ("TD-GATEWAY-GONE", "TD-EVENTS-POISONED")


def test_a_blame_names_evidence_and_the_command_that_mends_it() -> None:
    """Filled in for this place, in both languages."""
    found = root(broken(LARGEST, named("service-redis"), WARN))
    assert found is not None
    assert found.told().en == "TD-SERVICE-EMPTY: a Service leads to no pod, data/Service/redis: " + found.found.evidence
    assert found.told().fr.startswith("TD-SERVICE-EMPTY : un Service ne mène à aucun pod, data/Service/redis")
    assert "selector" in found.found.evidence
    assert found.mend == "lab up 04"
    assert found.look == "lab kubectl -n data get endpointslices -l kubernetes.io/service-name=redis"
    assert found.as_json()["code"] == "TD-SERVICE-EMPTY"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_command_can_be_filled_in(fault: Any) -> None:  # noqa: ANN401  a Fault
    """Whatever is blamed, both commands come out without a gap."""
    if not fault.fits(LARGEST["health"]["declared"]["components"]):
        pytest.skip("no lab has it")
    for each in blames(broken(LARGEST, fault, CRASH)):
        assert "{" not in each.mend + each.look


@pytest.mark.parametrize("state", [{}, {"health": {}}, {"objects": [{}], "health": {"objects": [{"kind": "Pod"}]}}])
def test_a_state_that_holds_hardly_anything_is_no_error(state: dict[str, Any]) -> None:
    """A bundle of a cluster that is half gone, or of an older version, is walked all the same."""
    root(state)


def test_a_fault_does_not_touch_the_healthy_state() -> None:
    """States can be broken again and again."""
    before = json.dumps(LARGEST, sort_keys=True)
    for fault in FAULTS:
        if fault.fits(LARGEST["health"]["declared"]["components"]):
            broken(LARGEST, fault, CRASH)
    assert json.dumps(LARGEST, sort_keys=True) == before

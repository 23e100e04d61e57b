"""Lookups in a recorded state."""

from collections.abc import Callable
from typing import Any

import pytest

from lab.checks import Bundle, Missing

State = dict[str, Any]


def test_an_environment_variable_is_found_wherever_it_is_set(state: State) -> None:
    """A value counts alike when set in the container, by a key of a ConfigMap, or by a whole ConfigMap."""
    bundle = Bundle(state)
    gateway = bundle.object("Deployment", "gateway")
    assert bundle.env(gateway, "main", "FAILURES").number() == 5
    assert bundle.env(gateway, "main", "MODE").text() == "kappa"
    assert bundle.env(gateway, "main", "mode").text() == "kappa"


def test_figures_are_summed_over_partitions_and_samples(state: State) -> None:
    """Records, lag and metrics are totals unless a label narrows them."""
    bundle = Bundle(state)
    assert bundle.records("flights") == 30
    assert bundle.lag("readers") == bundle.lag("readers", "flights") == 7
    assert bundle.metric("rate") == 4
    assert bundle.metric("rate", {"site": "JFK"}) == 2.5


def test_answers_are_read_by_path(state: State) -> None:
    """An answer's rows are entered by the site that they tell of."""
    report = Bundle(state).answer("report")
    assert report.at("rows[EWR].late").number() == 7
    assert report.flag("agree")


@pytest.mark.parametrize(
    ("lookup", "named"),
    [
        (lambda b: b.object("Deployment", "gatewy"), "Deployment/gatewy is not there; there is: gateway"),
        (lambda b: b.object("Job", "x"), "Job/x is not there"),
        (lambda b: b.container(b.object("Deployment", "gateway"), "side"), "containers[side]"),
        (lambda b: b.env(b.object("Deployment", "gateway"), "main", "NOPE"), "does not set NOPE"),
        (lambda b: b.answer("other"), "answers[other] is not there"),
        (lambda b: b.answer("down"), "answers[down] came back with status 503, not 200"),
        (lambda b: b.metric("none"), "metrics[none] is not there"),
        (lambda b: b.metric("rate", {"site": "LGA"}), "metric rate has no sample site=LGA"),
        (lambda b: b.topic("flight"), "topics[flight] is not there; there is: flights"),
        (lambda b: b.lag("readers", "x"), "groups[readers] has no [x]"),
        (lambda b: b.traces("other"), "traces[other] is not there"),
        (lambda b: b.answer("report").number("agree"), "agree should be a number but is True"),
        (lambda b: b.answer("report").text("rows"), "rows should be text"),
        (lambda b: b.answer("report").items("agree"), "agree should be a list"),
        (lambda b: b.answer("report").flag("rows[0].late"), "late should be true or false but is 7"),
        (lambda b: b.answer("report").entries("rows"), "rows should be a map"),
    ],
)
def test_what_is_not_there_is_named_in_both_languages(
    state: State, lookup: Callable[[Bundle], object], named: str
) -> None:
    """A failed lookup says what is missing and where, and gives a remedy."""
    with pytest.raises(Missing) as caught:
        lookup(Bundle(state))
    assert named in caught.value.reason.en
    assert caught.value.reason.fr != caught.value.reason.en
    assert "make lab" in caught.value.remedy.en or "guide" in caught.value.remedy.en


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", None, True, [], float("nan"), 10**400])
def test_only_a_finite_number_is_a_number(state: State, value: object) -> None:
    """Neither true, nor NaN, nor a figure beyond all bounds passes for a measurement."""
    state["answers"]["report"]["body"] = value
    with pytest.raises(Missing):
        Bundle(state).answer("report").number()

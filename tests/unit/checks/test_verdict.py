"""Verdicts and what the runner makes of them."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from lab.checks import Bundle, Check, Findings, Text, Verdict, check, need
from lab.checks.rendering import show
from lab.checks.runner import as_json, run

_WHY = Text(en="too few", fr="trop peu")
_DO = Text(en="add some", fr="ajoutez-en")


@dataclass(frozen=True)
class _Exercise:
    id: str = "enough"
    title: Text = field(default_factory=lambda: Text(en="Enough", fr="Assez"))
    check: str = "check_enough"


@check
def _enough(bundle: Bundle) -> Findings:
    """Look at two conditions."""
    replicas = bundle.object("Deployment", "gateway").number("spec.replicas")
    yield need("replicas", replicas >= 2, f"replicas={replicas:.0f}", _WHY, _DO)
    yield need("records", bundle.records("flights") > 0, "", _WHY, _DO)


@check
def _nothing(_: Bundle) -> Findings:
    """Look at nothing."""
    yield from ()


def _broken(_: Bundle) -> Verdict:
    raise ZeroDivisionError


def _results(state: dict[str, Any], function: Check) -> Any:  # noqa: ANN401  read as JSON
    return json.loads(json.dumps(as_json("99-demo", run([_Exercise()], {"enough": function}, state))))


def test_a_check_passes_when_every_condition_is_met(state: dict[str, Any]) -> None:
    """A passed result carries its evidence and neither reason nor remedy."""
    report = _results(state, _enough)
    assert report["passed"]
    assert report["results"][0]["evidence"] == "replicas=2"
    assert report["results"][0]["reason"] is None


def test_every_unmet_condition_is_told(state: dict[str, Any]) -> None:
    """A trainee sees all that is wrong at once, the first one on top."""
    state["objects"][0]["spec"]["replicas"] = 1
    state["topics"]["flights"]["end"] = [0, 5]
    report = _results(state, _enough)
    assert not report["passed"]
    assert (report["done"], report["exercises"]) == (0, 1)
    first = report["results"][0]
    assert first["condition"] == "replicas"
    assert first["reason"] == {"en": "too few", "fr": "trop peu"}
    assert [finding["met"] for finding in first["findings"]] == [False, False]


def test_a_missing_object_fails_the_check_and_is_named(state: dict[str, Any]) -> None:
    """What a check cannot find becomes a verdict, not an exception."""
    state["objects"] = []
    verdict = _enough(Bundle(state))
    assert [finding.condition for finding in verdict.unmet] == ["present"]
    assert "Deployment/gateway" in verdict.unmet[0].reason.en


def test_a_check_that_looked_at_nothing_fails(state: dict[str, Any]) -> None:
    """Silence is no proof."""
    assert not _results(state, _nothing)["passed"]


def test_a_check_with_a_fault_fails_and_says_what_to_send(state: dict[str, Any]) -> None:
    """A trainee never meets a traceback."""
    result = _results(state, _broken)["results"][0]
    assert not result["passed"]
    assert "ZeroDivisionError" in result["reason"]["en"]
    assert "lab support" in result["remedy"]["fr"]


def test_results_are_shown_in_the_users_language(state: dict[str, Any]) -> None:
    """Each failing exercise shows why, what was seen and what to do."""
    state["objects"][0]["spec"]["replicas"] = 1
    results = run([_Exercise()], {"enough": _enough}, state)
    seen = {}
    for language in ("en", "fr"):
        stream = io.StringIO()
        show(Console(file=stream, width=100), "99-demo", results, "fr" if language == "fr" else "en")
        seen[language] = stream.getvalue()
    assert "too few" in seen["en"]
    assert "add some" in seen["en"]
    assert "0 of 1" in seen["en"]
    assert "replicas=1" in seen["fr"]
    assert "que faire" in seen["fr"]
    assert "ajoutez-en" in seen["fr"]
    assert "too few" not in seen["fr"]


def test_markup_in_recorded_text_is_shown_as_it_is(state: dict[str, Any]) -> None:
    """A name such as containers[main] is not taken for the terminal's markup."""
    state["objects"][0]["metadata"]["name"] = "[red]x[/red]"
    stream = io.StringIO()
    show(Console(file=stream, width=200), "99-demo", run([_Exercise()], {"enough": _enough}, state), "en")
    assert "[red]x[/red]" in stream.getvalue()

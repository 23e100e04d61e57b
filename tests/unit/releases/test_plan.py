"""Plans: what cannot be carried out is refused with the field and the remedy."""

from typing import Any

import msgspec
import pytest

from releases import plan as plans
from releases.errors import BadPlan
from releases.plan import Stage
from unit.releases.worlds import GIVEN, plan


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        (
            {"strategy": "canary", "steps": [{"weight": 10, "seconds": 60}, {"weight": 50, "seconds": 90}]},
            (Stage("baseline", 0, 0), Stage("step", 10, 60), Stage("step", 50, 90, final=True)),
        ),
        (
            {"strategy": "blue-green", "seconds": 60},
            (Stage("baseline", 0, 60), Stage("watch", 100, 60, final=True, recorded=True)),
        ),
        (
            {"strategy": "ab", "seconds": 60, "share": 0.2},
            (Stage("baseline", 0, 0), Stage("split", 0, 60, mode="header", final=True)),
        ),
        (
            {"strategy": "shadow", "seconds": 60},
            (Stage("baseline", 0, 0), Stage("mirror", 0, 60, mode="mirror", final=True)),
        ),
    ],
)
def test_each_strategy_has_its_stages(changed: dict[str, Any], stages: tuple[Stage, ...]) -> None:
    """Every strategy begins with the stable version alone and ends with a stage at which all must be shown."""
    assert plan(**changed).stages() == stages


def test_a_plan_survives_json() -> None:
    """A plan is written into the release's state and read from there."""
    given = plan(strategy="ab", goal="errors", criteria={"interval": 5, "latency": {"limit_seconds": 0.3}})
    assert plans.read(msgspec.json.decode(msgspec.json.encode(given))) == given


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"strategy": "hope"}, "strategy"),
        ({"version": "latest"}, "version"),
        ({"versions": "7"}, "leave out versions"),
        ({"steps": []}, "steps"),
        ({"steps": [{"weight": 0}]}, r"steps\[0\].weight"),
        ({"steps": [{"weight": 50}, {"weight": 10}]}, "do not rise"),
        ({"steps": [{"weight": 50}, {"weight": 100}]}, r"steps\[1\].weight.*stop below 100"),
        ({"steps": [{"weight": number} for number in range(1, 22)]}, "are enough"),
        ({"criteria": {"alarm": 0}}, "criteria.alarm"),
        ({"criteria": {"threshold": 0}}, "criteria.threshold"),
        ({"criteria": {"errors": {"need": "maybe"}}}, "criteria.errors.need"),
        ({"criteria": {"interval": 15, "patience": 2}}, "patience.*raise patience or interval"),
        ({"canary": {**GIVEN["canary"], "service": "serving-stable"}}, "a Service of its own"),
        ({"canary": {**GIVEN["canary"], "selector": GIVEN["stable"]["selector"]}}, "labels of the canary alone"),
        ({"canary": {**GIVEN["canary"], "selector": '{app="canary"}'}}, "canary.selector.*braces"),
        ({"canary": {**GIVEN["canary"], "service": "Serving Canary"}}, "canary.service"),
        ({"strategy": "ab", "criteria": {"labels": {"need": "off"}}}, "criteria.labels.need"),
        ({"strategy": "ab", "share": 1.5}, "share"),
    ],
)
def test_what_cannot_be_done_is_refused(changed: dict[str, Any], words: str) -> None:
    """The message names the field, what is wrong with it, and what to give it."""
    with pytest.raises(BadPlan, match=words):
        plan(**changed)


@pytest.mark.parametrize("given", [None, 7, "canary", [], {}])
def test_what_is_no_plan_is_refused(given: object) -> None:
    """Any JSON value is either a plan or a BadPlan."""
    with pytest.raises(BadPlan):
        plans.read(given)


def test_the_tracks_of_the_serving_chart_are_meant_without_words() -> None:
    """A model and a version are enough; a number is a version too; what is named is taken as it is."""
    short = plans.read({"strategy": "shadow", "model": 'delay "x"', "version": 7})
    assert (short.version, short.stable.service, short.canary.service) == ("7", "serving-stable", "serving-canary")
    assert short.stable.selector == 'track="stable",model="delay \\"x\\""'
    assert short.canary.selector == 'track="canary",model="delay \\"x\\"",version="7"'
    own = plans.read({**GIVEN, "stable": {"service": "mine", "selector": 'app="mine"'}})
    assert own.stable.service == "mine"


@pytest.mark.parametrize(
    "given", [{"model": 7, "version": "7"}, {"model": "m"}, {"model": "m", "version": True}, [], 7]
)
def test_what_is_left_out_beyond_that_is_told(given: Any) -> None:  # noqa: ANN401  any JSON
    """No model, no version, no object: a plan that names its field."""
    with pytest.raises(BadPlan, match="plan, "):
        plans.read({"strategy": "canary", **given} if isinstance(given, dict) else given)

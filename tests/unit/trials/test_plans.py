"""Plans that experiments give to the release controller: it takes them, as it would a trainee's."""

import pytest

from releases import plan as plans
from trials.releasing import MODEL, OFF, judged_by, plan


@pytest.mark.parametrize(
    ("strategy", "more"),
    [
        ("canary", {"steps": [{"weight": 20, "seconds": 5.0}, {"weight": 50, "seconds": 5.0}]}),
        ("blue-green", {"seconds": 30.0}),
        ("ab", {"share": 0.5, "seconds": 60.0, "goal": "errors"}),
        ("shadow", {"seconds": 10.0}),
    ],
)
def test_the_controller_takes_each_plan(strategy: str, more: dict[str, object]) -> None:
    """With all criteria, with some, and with none."""
    for criteria in (OFF, judged_by([]), judged_by(["errors"]), judged_by(["errors", "latency", "outputs"])):
        read = plans.read(plan(strategy, "2", criteria, **more))
        assert (read.model, read.version) == (MODEL, "2")
        assert read.canary.selector == f'app="serving",track="canary",model="{MODEL}",version="2"'


def test_what_is_not_named_is_not_looked_at() -> None:
    """So a plan that judges by errors alone lets the other two bad versions through."""
    read = plans.read(plan("canary", "2", judged_by(["errors"])))
    needs = [read.criteria.errors.need, read.criteria.latency.need, read.criteria.outputs.need]
    assert needs == ["required", "off", "off"]

"""Strategies of a release as data: canary, blue-green, A/B and shadow; each tells its stages, and all share criteria.

{"strategy": "canary", "model": "delay-boosting", "version": "7",
 "stable": {"service": "serving-stable", "selector": "app='serving',track='stable'"},
 "canary": {"service": "serving-canary", "selector": "app='serving',track='canary',version='7'"},
 "steps": [{"weight": 10, "seconds": 60}, {"weight": 50, "seconds": 60}]}

Without `stable` and `canary` the two tracks of the serving chart are meant.
"""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from releases.criteria import Criteria
from releases.errors import BadPlan

Mode = Literal["weight", "mirror", "header"]
"""How requests get to the canary: by weight, as copies whose answers nobody sees, or by headers of the caller."""

_Positive = Annotated[float, Meta(gt=0)]
_Named = Annotated[str, Meta(min_length=1, max_length=256)]
"""As MLflow takes names; the plan is kept in an annotation, which has bounds of its own."""
_Weight = Annotated[int, Meta(ge=1, le=100)]


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two versions, where requests and metrics of it are.

    Attributes:
        service: name of its Service, as the route's backendRefs name it.
        selector: label matchers of its metrics in Prometheus, without braces: `app="serving",track="canary"`.
        port: of the Service.
    """

    service: Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    selector: Annotated[str, Meta(min_length=1, max_length=1000)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080


class Stage(msgspec.Struct, frozen=True):
    """One stage of a release.

    Attributes:
        name: baseline (only the stable version is looked at), step, watch, split or mirror.
        weight: per cent of the requests that the canary gets.
        seconds: that it lasts at least.
        mode: how they get there.
        final: whether everything that is required must be shown good at its end.
        recorded: whether the canary is compared with what was recorded in the baseline: nobody uses the stable version.
    """

    name: str
    weight: int
    seconds: float
    mode: Mode = "weight"
    final: bool = False
    recorded: bool = False


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="strategy"):
    """What every strategy is told.

    Attributes:
        model: name of the registered model.
        version: of the model, which the canary serves.
        stable: where the version in use is.
        canary: where the new version is.
        criteria: when to go on, and when back.
        candidate: alias that points to `version` from the beginning: what the canary serves.
        alias: that points to `version` after a promotion: what the stable version's servers serve.
    """

    model: _Named
    version: Annotated[str, Meta(pattern=r"^[1-9][0-9]*$", max_length=18)]
    stable: Side
    canary: Side
    criteria: Criteria = Criteria()
    candidate: _Named = "challenger"
    alias: _Named = "champion"

    @property
    def promotes(self) -> bool:
        """Whether the alias moves at a good end."""
        return True

    def stages(self) -> tuple[Stage, ...]:
        """The stages, in their order; in the first one the canary gets nothing."""
        raise NotImplementedError

    def _baseline(self, seconds: float = 0.0) -> Stage:
        return Stage("baseline", 0, seconds)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a canary: per cent of the requests, and seconds at least."""

    weight: _Weight
    seconds: _Positive = 60.0


class Canary(_Plan, frozen=True, tag="canary", kw_only=True):
    """More and more requests go to the new version."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1)] = (Step(10), Step(25), Step(50))

    def stages(self) -> tuple[Stage, ...]:
        """A baseline, then the steps."""
        last = len(self.steps) - 1
        return (
            self._baseline(),
            *(Stage("step", it.weight, it.seconds, final=at == last) for at, it in enumerate(self.steps)),
        )


class BlueGreen(_Plan, frozen=True, tag="blue-green", kw_only=True):
    """All requests go to the new version at once, and back at once; it is compared with what was recorded before.

    Before and after are not dealt by chance: a world that has changed meanwhile looks like the new version's doing.

    Attributes:
        seconds: that the version in use is recorded, and the new one is watched.
    """

    seconds: _Positive = 120.0

    def stages(self) -> tuple[Stage, ...]:
        """A baseline of as many looks as the watch has, then the switch."""
        return self._baseline(self.seconds), Stage("watch", 100, self.seconds, final=True, recorded=True)


class AB(_Plan, frozen=True, tag="ab", kw_only=True):
    """Who gets B is drawn once for each unit (statistics/experiment.py); a caller says in a header which unit it is.

    Requests that name no unit get A, unless they ask for B by a header of its own.

    Attributes:
        share: of the units that get B, from 0 to 1.
        seconds: that it lasts at least.
        goal: what B has to be better in.
    """

    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    seconds: _Positive = 120.0
    goal: Literal["errors", "labels"] = "labels"

    def stages(self) -> tuple[Stage, ...]:
        """A baseline, then the split."""
        return self._baseline(), Stage("split", 0, self.seconds, mode="header", final=True)


class Shadow(_Plan, frozen=True, tag="shadow", kw_only=True):
    """The new version gets a copy of each request, and nobody gets its answers.

    Attributes:
        seconds: that it lasts at least.
        promote: whether the alias moves at a good end; otherwise the end is only told.
    """

    seconds: _Positive = 120.0
    promote: bool = False

    @property
    def promotes(self) -> bool:
        """Whether the alias moves at a good end."""
        return self.promote

    def stages(self) -> tuple[Stage, ...]:
        """A baseline, then the copies."""
        return self._baseline(), Stage("mirror", 0, self.seconds, mode="mirror", final=True)


Plan = Canary | BlueGreen | AB | Shadow
_MOST_STAGES = 20


def read(given: Any) -> Plan:  # noqa: ANN401  any JSON
    """The plan in a JSON value.

    Raises:
        BadPlan: it cannot be carried out; names the field and what to give it.
    """
    try:
        plan: Plan = msgspec.convert(_completed(given), Plan)
    except msgspec.ValidationError as failure:
        raise _refused(str(failure)) from failure
    for field, fault, remedy in _faults(plan):
        raise BadPlan(f"plan, {field}: {fault}", remedy)
    return plan


def _completed(given: Any) -> Any:  # noqa: ANN401  any JSON
    """The plan with what it may leave out: a version that is a number as text, and the two tracks of `serving`."""
    if not isinstance(given, dict) or not isinstance(given.get("model"), str):
        return given
    version = given.get("version")
    named = str(version) if isinstance(version, int) and not isinstance(version, bool) else version
    model = json.dumps(given["model"])
    sides = {
        "stable": {"service": "serving-stable", "selector": f'track="stable",model={model}'},
        "canary": {"service": "serving-canary", "selector": f'track="canary",model={model},version="{named}"'},
    }
    return {**sides, **given} | ({"version": named} if "version" in given else {})


def _refused(told: str) -> BadPlan:
    """Msgspec ends its message with the place: "Expected `int` >= 1 - at `$.steps[0].weight`"."""
    fault, _, place = told.partition(" - at `$")
    field = place.rstrip("`").lstrip(".") or "the whole of it"
    unknown = re.search(r"unknown field `(\w+)`", fault)
    remedy = (
        f"leave out {unknown[1]}" if unknown else f"see the fields in releases/plan.py and give {field} what it says"
    )
    return BadPlan(f"plan, {field}: {fault}", remedy)


def _faults(plan: Plan) -> Iterator[tuple[str, str, str]]:
    if plan.stable.service == plan.canary.service:
        yield "canary.service", "is the stable Service as well", "give the new version a Service of its own"
    if plan.stable.selector == plan.canary.selector:
        yield "canary.selector", "finds the stable version's metrics as well", "give it labels of the canary alone"
    for name, side in (("stable", plan.stable), ("canary", plan.canary)):
        if "{" in side.selector or "}" in side.selector:
            yield f"{name}.selector", "has braces", 'give the matchers alone, such as app="serving"'
    yield from _step_faults(plan) if isinstance(plan, Canary) else ()
    if plan.criteria.interval * plan.criteria.patience < max(stage.seconds for stage in plan.stages()):
        yield "criteria.patience", "is over before the longest stage is", "raise patience or interval"
    if isinstance(plan, AB) and plan.goal == "labels" and plan.criteria.labels.need == "off":
        yield "criteria.labels.need", "is off, and the goal is labels", "say watched, or choose the goal errors"


def _step_faults(plan: Canary) -> Iterator[tuple[str, str, str]]:
    weights = [step.weight for step in plan.steps]
    if weights != sorted(set(weights)):
        yield "steps", f"weights {weights} do not rise", "let each step give the canary more than the one before"
    if len(weights) > _MOST_STAGES:
        yield "steps", f"there are {len(weights)}", f"{_MOST_STAGES} are enough"
    for at, weight in enumerate(weights):
        if weight == 100:  # noqa: PLR2004  per cent
            remedy = "stop below 100: without requests to the stable version there is nothing to compare with"
            yield f"steps[{at}].weight", "is 100", remedy

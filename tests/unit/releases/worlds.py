"""A world in small: requests of passengers, dealt to two versions of a model that answer as they are told to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from releases import machine
from releases import plan as plans
from releases.plan import Plan
from releases.samples import Histogram, Moments, Observation, Sample, Share
from releases.state import State, Weigh

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)
"""Seconds."""
OUTPUTS = (-20.0, -10.0, 0.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""Minutes."""
RATE = 20.0  # requests per second
_LABELLED = 0.2  # share of the predictions whose label has come by the next look

GIVEN: dict[str, Any] = {
    "strategy": "canary",
    "model": "delay-boosting",
    "version": "7",
    "stable": {"service": "serving-stable", "selector": 'app="serving",track="stable"'},
    "canary": {"service": "serving-canary", "selector": 'app="serving",track="canary"'},
}


def plan(**changed: Any) -> Plan:  # noqa: ANN401  any JSON
    """A plan, by default a canary's as it is without further words."""
    return plans.read({**GIVEN, **changed})


@dataclass(frozen=True)
class Version:
    """How one version answers.

    Attributes:
        errors: share of its requests that fail.
        slower: factor of its latency, whose median is 30 ms.
        shift: minutes by which its predictions are higher.
        spread: factor of their spread; 0: it always says the same.
        error: minutes, its mean absolute error.
        seen: whether it has metrics.
    """

    errors: float = 0.01
    slower: float = 1.0
    shift: float = 0.0
    spread: float = 1.0
    error: float = 15.0
    seen: bool = True


class World:
    """Passengers who ask 20 times a second.

    Args:
        seed: of everything that is left to chance.
        canary: how the new version answers.
        stable: how the version in use answers.
        noise: spread of the logarithm of each version's latency from one interval to the next, beside a weather that
            is twice as rough and hits both.
        outage: extra share of failures, of both versions, in the interval of that number.
    """

    def __init__(
        self,
        seed: int,
        canary: Version | None = None,
        stable: Version | None = None,
        noise: float = 0.1,
        outage: Callable[[int], float] = lambda _: 0.0,
    ) -> None:
        self._seed = seed
        self._canary = canary or Version()
        self._stable = stable or Version()
        self._noise = noise
        self._outage = outage

    def between(self, since: float, until: float, route: Weigh, share: float = 0.5) -> Observation:
        """What both did; the same question has the same answer.

        Args:
            since: seconds.
            until: seconds.
            route: who gets what.
            share: of the callers that ask for B, where the route heeds that.
        """
        draw = np.random.default_rng((self._seed, round(since * 10)))
        asked = int(draw.poisson(RATE * (until - since)))
        weight = {"weight": route.weight / 100, "mirror": 1.0, "header": share}[route.mode]
        ours = int(draw.binomial(asked, weight))
        theirs = asked if route.mode == "mirror" else asked - ours
        weather = float(np.exp(draw.normal(0, 2 * self._noise)))
        outage = self._outage(round(since / 15))
        canary = self._sample(draw, self._canary, ours, weather, outage)
        stable = self._sample(draw, self._stable, theirs, weather, outage)
        pairs = self._pairs(draw, ours) if route.mode == "mirror" else Moments()
        return Observation(canary, stable, pairs)

    def _sample(
        self, draw: np.random.Generator, version: Version, requests: int, weather: float, outage: float
    ) -> Sample | None:
        if not version.seen:
            return None
        own = float(np.exp(draw.normal(0, self._noise)))
        seconds = 0.03 * np.exp(draw.normal(0, 0.5, requests)) * weather * own * version.slower
        minutes = 8 + version.shift + version.spread * draw.normal(0, 15, requests)
        labels = draw.exponential(version.error, int(requests * _LABELLED))
        return Sample(
            answers=Share(int(draw.binomial(requests, min(version.errors + outage, 1.0))), requests),
            latency=_histogram(LATENCY, seconds),
            outputs=_histogram(OUTPUTS, minutes),
            labels=Moments.of(labels.tolist()),
        )

    def _pairs(self, draw: np.random.Generator, requests: int) -> Moments:
        both = draw.exponential(1.0, int(requests * _LABELLED))
        differences = both * (self._canary.error - self._stable.error) + draw.normal(0, 4, len(both))
        return Moments.of(differences.tolist())


def _histogram(bounds: tuple[float, ...], values: "np.ndarray[Any, np.dtype[np.float64]]") -> Histogram:
    counts = np.bincount(np.searchsorted(bounds, values, side="left"), minlength=len(bounds) + 1)
    return Histogram(bounds, tuple(int(count) for count in counts))


def lived(what: Plan, world: World, begun: float = 1000.0) -> tuple[State, int]:
    """A release from its beginning to its end, and after how many looks at the canary that was."""
    state, _ = machine.start(what, begun)
    clock, looks = begun, 0
    while not state.over:
        state = machine.done(state)
        since, clock = clock, clock + what.criteria.interval
        looks += state.stage > 0
        state, _ = machine.advance(state, world.between(since, clock, state.route), clock)
    return state, looks


def blind(what: Version) -> Version:
    """The same version without metrics."""
    return replace(what, seen=False)

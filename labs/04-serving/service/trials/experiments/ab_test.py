"""Who gets which version in an A/B test, and what looking until it is significant makes of a test."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]  # has no types of its own

from releases.samples import Share
from releases.statistics.experiment import assigned
from releases.statistics.proportions import Odds
from runtime.figures import Result, rounded, row
from trials import graphs
from trials.asks import Answer, Ask, ask
from trials.releasing import MODEL, OFF, Releases, plan, trial
from trials.settings import PASSENGER, PEEK, PLANNED, REQUEST, SEQUENTIAL
from trials.stage import Stage
from trials.traffic import Traffic, seconds

B = "2"
"""Version that B is."""
NAME, SHARE = "trial-ab", 0.5
_PASSENGERS, _RATE, _WARM, _SECONDS, _PATIENCE = 60, 40.0, 6.0, 10.0, 30.0
_TESTS, _PEOPLE, _LOOK = 200, 2_000, 100
"""Simulated tests, passengers of each side, and of each side between two looks."""
_BASE, _LIFT, _ALPHA = 0.10, 0.04, 0.05
"""Share of passengers that book again; by how much more where there is a difference; chance of a false alarm."""


def ab_test(stage: Stage) -> Result:
    """Split real requests both ways, and run many tests of two versions that are equally good.

    Raises:
        PeerFailure: the controller does not answer, or has another release under way.
        RegistryFailure: MLflow does not answer as it should.
        NotThere: a server does not load a version, or the split does not come about.
    """
    with stage.registry() as registry, trial(stage, registry, graphs.adding(), graphs.adding(1.0)) as releases:
        releases.prepared(B)
        try:
            answers = _split(stage, releases)
        finally:
            releases.abort()
    names = (PEEK, PLANNED, SEQUENTIAL)
    return {
        "settings": {"assignment": stage.settings.assignment, "stopping": stage.settings.stopping},
        "split": {unit: told(each) for unit, each in answers.items()},
        "tests": _TESTS,
        "people": _PEOPLE,
        "false_alarms": {name: found(name, _BASE, _BASE) for name in names},
        "found_real": {name: found(name, _BASE, _BASE + _LIFT) for name in names},
        "figures": [row(f"by {unit}", "recommendation", seconds=seconds(each)) for unit, each in answers.items()],
    }


def questions(unit: str) -> list[Ask]:
    """Requests of passengers, who ask several times each; the tag names the passenger and what was drawn.

    Args:
        unit: what is drawn for A or B, a passenger or a request.
    """
    made = []
    for number in range(_PASSENGERS * 7):
        passenger = f"passenger-{number % _PASSENGERS}"
        drawn = "b" if assigned(passenger if unit == PASSENGER else f"{passenger}/{number}", NAME, SHARE) else "a"
        plain = ask(MODEL, [[1, 2, 3, 4]], tag=f"{passenger} {drawn}")
        made.append(Ask(plain.path, plain.body, {**plain.headers, "x-tarmac-variant": drawn}, plain.tag))
    return made


def _split(stage: Stage, releases: Releases) -> dict[str, Sequence[Answer]]:
    """Answers by what was drawn, while the route splits by the callers' header."""
    gateway = stage.settings.gateway
    with Traffic(gateway, questions(PASSENGER), _RATE):
        stage.stop.wait(_WARM)  # Prometheus has to have seen the version in use
        releases.begin(plan("ab", B, OFF, share=SHARE, seconds=_PATIENCE * 2, goal="errors"))
        releases.at("split", _PATIENCE)
    found: dict[str, Sequence[Answer]] = {}
    for unit in (REQUEST, PASSENGER):
        asked = questions(unit)
        with Traffic(gateway, asked, _RATE) as traffic:
            stage.stop.wait(_SECONDS + 1)
        # The route needs a moment to hear of the split.
        found[unit] = [each for each in traffic.answers if each.sent > traffic.answers[0].sent + 1]
    return found


def told(answers: Sequence[Answer]) -> dict[str, Any]:
    """What a split came to.

    Args:
        answers: with the passenger and what was drawn in each tag.
    """
    good = [(*each.tag.split(), each.version) for each in answers if each.good]
    versions: dict[str, set[str]] = {}
    for passenger, _, version in good:
        versions.setdefault(passenger, set()).add(version)
    return {
        "requests": len(answers),
        "failed": len(answers) - len(good),
        "passengers": len(versions),
        "mixed": sum(len(each) > 1 for each in versions.values()),
        "misrouted": sum((drawn == "b") != (version == B) for _, drawn, version in good),
        "share_b": rounded(sum(version == B for *_, version in good) / max(len(good), 1)),
    }


def found(stopping: str, one: float, other: float) -> float:
    """Share of many simulated tests that find a difference.

    Args:
        stopping: peek, planned or sequential.
        one: share of A's passengers that book again.
        other: the same of B's.
    """
    draw = np.random.default_rng(13)
    looks = _PEOPLE // _LOOK
    hits = 0
    for _ in range(_TESTS):
        sides = [np.cumsum(draw.binomial(_LOOK, rate, looks)) for rate in (one, other)]
        hits += _RULES[stopping](*sides)
    return hits / _TESTS


def significant(one: int, other: int, people: int) -> bool:
    """Whether the two shares differ by a two-sided z-test at 5 %.

    Args:
        one: passengers of A that book again.
        other: the same of B.
        people: of each side.
    """
    pooled = (one + other) / (2 * people)
    spread = math.sqrt(2 * pooled * (1 - pooled) / people)
    return spread > 0 and abs(one - other) / people / spread > float(ndtri(1 - _ALPHA / 2))


def _peek(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> bool:
    """Look after each hundred, and stop as soon as it looks significant."""
    return any(significant(int(a), int(b), _LOOK * (at + 1)) for at, (a, b) in enumerate(zip(one, other, strict=True)))


def _planned(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> bool:
    """Look once, at the end."""
    return significant(int(one[-1]), int(other[-1]), _PEOPLE)


def _sequential(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> bool:
    """Look after each hundred, by the release controller's test, which allows for it."""
    odds = Odds()
    for a, b in zip(np.diff(one, prepend=0), np.diff(other, prepend=0), strict=True):
        odds = odds.plus(Share(int(b), _LOOK), Share(int(a), _LOOK))
        if max(odds.worse, odds.better) >= math.log(2 / _ALPHA):
            return True
    return False


_RULES: Mapping[str, Any] = {PEEK: _peek, PLANNED: _planned, SEQUENTIAL: _sequential}

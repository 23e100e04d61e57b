"""Releases and served models on the cluster, while things go wrong: bad versions, restarts, stores that are away.

Twenty bad canaries and twenty good ones are released by the lab's controller on the real cluster: through its gateway,
on its servers, by its registry and its Prometheus, up to ten of them side by side (faults/lanes.py). Only intervals are
shorter than a plan's usual ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from driver import Driver, until
from faults import versions
from faults.away import Away, frozen
from faults.figures import series
from faults.lanes import Lanes, lanes
from faults.load import Ask, Load, infer, posted
from faults.registered import CHALLENGER, Registry
from faults.releasing import OVER, THRESHOLD, TRACKS, Kept, kept, plan, questions, quick

pytestmark = [pytest.mark.cluster, pytest.mark.stands("04"), pytest.mark.long, pytest.mark.timeout(900)]

STABLE, FAILING, WRONG, SLOW, GOOD = "1", "2", "3", "4", "5"
"""Versions of each lane's model."""
LANES = 10
RATE = 12.0
"""Requests to each lane, per second."""
PACE, RESTARTS = 100.0, 10
ONE = "fault-one"
"""A model that the platform's own route leads to."""
_FAILS_FROM, _WRONG_MINUTES, _SLOW_SECONDS = 5, 60.0, 0.04
_MODEL = "delay-boosting"
_FLIGHT = {
    "carrier": "UA", "flight": 1545, "origin": "EWR", "dest": "IAH", "scheduled_departure": "2013-01-01T10:15:00Z",
}  # fmt: skip
_CONTROLLER = ("lab-04", "app.kubernetes.io/name=releases", "releases")
Fault = Callable[[Driver], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def served(lab: Driver) -> Driver:
    """Return the stack of lab 04, which answers about flights."""
    lab.run("up", "04")
    until(lambda: _flight(lab).status_code == httpx.codes.OK, "flights are predicted", 120)
    return lab


class TestServing:
    """Predictions while something that they need, or do not need, is away."""

    @pytest.mark.parametrize(
        ("workload", "namespace"),
        [("deployment/mlflow", "data"), ("deployment/jaeger", "platform"), ("deployment/prometheus", "platform")],
    )
    def test_predictions_need_none_of_it(self, served: Driver, workload: str, namespace: str) -> None:
        """MLflow, Jaeger or Prometheus goes, is away for ten seconds and comes back: no prediction fails."""
        with Load(_gateway(served), _asks(served), 50) as load, Away(served, workload, namespace, seconds=10):
            pass
        assert load.failed == []
        assert len(load.answers) >= 500

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(lambda lab: Away(lab, "deployment/feature", "chain", seconds=0), id="service gone"),
            pytest.param(lambda lab: Away(lab, "statefulset/redis", seconds=0), id="redis gone"),
            pytest.param(
                lambda lab: frozen(lab, "chain", "app.kubernetes.io/name=feature", "server"), id="service stands still"
            ),
            pytest.param(
                lambda lab: frozen(lab, "data", "app.kubernetes.io/name=redis", "redis"), id="redis stands still"
            ),
        ],
    )
    def test_without_the_feature_store_people_are_told_at_once(self, served: Driver, fault: Fault) -> None:
        """Every answer comes within a second, a prediction or a typed 503; half a minute after it is back, all is well.

        Whoever brings the features along does not notice.
        """
        with Load(_gateway(served), _asks(served)[:1], 20) as load:
            with fault(served):
                told = _refused(served, 10)
            until(lambda: _flight(served).status_code == httpx.codes.OK, "flights are predicted again", 30)
        assert load.failed == []
        assert max(seconds for _, seconds in told) <= 1.0
        assert {answer.status_code for answer, _ in told} <= {httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}
        for answer, _ in told:
            if answer.is_error:
                assert answer.json()["error"].startswith("feature service ")
                assert int(answer.headers["retry-after"]) >= 1

    def test_ten_restarts_of_a_track_lose_no_request(self, served: Driver) -> None:
        """At 100 requests a second, through the gateway, while every server is replaced ten times."""
        words = ("deployment/serving-stable", "-n", "chain")
        before = _pods(served)
        with Load(_gateway(served), _asks(served), PACE) as load:
            for _ in range(RESTARTS):
                served.kubectl("rollout", "restart", *words)
                served.kubectl("rollout", "status", *words, "--timeout=240s")
            until(lambda: len(_pods(served)) == len(before), "the last old server is gone", 120)
        assert load.failed == []
        # Slower machines send slower while they start servers; every request that was sent is counted.
        assert load.pace >= 0.9 * PACE
        assert not _pods(served) & before


@pytest.fixture(scope="module")
def registry(served: Driver) -> Registry:
    """Return the registry of the cluster."""
    return Registry(served)


@pytest.fixture(scope="module")
def hurried(served: Driver) -> Iterator[Driver]:
    """Return the stack with tracks that are read every second."""
    with quick(served):
        yield served


@pytest.fixture(scope="class")
def ten(hurried: Driver, registry: Registry) -> Iterator[Lanes]:
    """Return ten lanes, whose models have a version of each kind."""
    kinds = {
        "stable": versions.good(),
        "failing": versions.failing(_FAILS_FROM),
        "wrong": versions.good(_WRONG_MINUTES),
        "slow": versions.slow(_SLOW_SECONDS),
        "good": versions.good(0.01),
    }
    names = [f"fault-{number}" for number in range(LANES)]
    with registry.models(names, kinds), lanes(hurried, registry, names) as made:
        yield made


class TestSideBySide:
    """Twenty bad canaries, and twenty good ones."""

    def test_failing_and_wrong_canaries_go_back(self, ten: Lanes) -> None:
        """Five of which every second request fails, and five whose predictions are an hour too high."""
        half = LANES // 2
        told = dict(zip(ten.names, [FAILING] * half + [WRONG] * half, strict=True))
        ten.prepare(told)
        ended, load = ten.release(told, RATE, 180)
        for name, release in ended.items():
            _went_back(release, "failed requests" if told[name] == FAILING else "distribution of the predictions")
        assert {each.status for each in load.failed} == {422}
        assert {each.tag for each in load.failed} == set(ten.names[:half])
        assert set(ten.promoted(ten.names).values()) == {STABLE}

    def test_canaries_without_metrics_go_back(self, ten: Lanes, hurried: Driver) -> None:
        """Five good ones that nobody can see: Prometheus reads no server of the canary track."""
        told = dict.fromkeys(ten.names[: LANES // 2], GOOD)
        ten.prepare(told)
        with _unread(hurried):
            ended, load = ten.release(told, RATE, 180)
        for release in ended.values():
            _went_back(release, "no metrics")
            assert release.verdicts[-2:] == ["pause", "roll back"]
        assert load.failed == []
        assert set(ten.promoted(list(told)).values()) == {STABLE}

    def test_slow_canaries_go_back(self, ten: Lanes) -> None:
        """Five of which each run takes as long as many of the version in use."""
        told = dict.fromkeys(ten.names[LANES // 2 :], SLOW)
        ten.prepare(told)
        ended, load = ten.release(told, RATE, 180)
        for release in ended.values():
            _went_back(release, "slow requests")
        assert load.failed == []
        assert set(ten.promoted(list(told)).values()) == {STABLE}

    @pytest.mark.parametrize(("champion", "version"), [(STABLE, GOOD), (GOOD, STABLE)], ids=["there", "and back"])
    def test_good_canaries_are_promoted(self, ten: Lanes, champion: str, version: str) -> None:
        """Ten at a time go all the way, and nobody's request fails: of twenty, none is rolled back."""
        told = dict.fromkeys(ten.names, version)
        ten.prepare(told, champion)
        ended, load = ten.release(told, RATE, 300)
        assert {name: release.why for name, release in ended.items() if release.phase != "promoted"} == {}
        assert [release.shares for release in ended.values()] == [_ALL_TO_STABLE] * LANES
        assert load.failed == []
        assert set(ten.promoted(ten.names).values()) == {version}


class TestOnTheRoute:
    """A good release by `lab release` on the platform's own route, while something breaks."""

    @pytest.fixture
    def under_way(self, hurried: Driver, registry: Registry, tmp_path: Path) -> Iterator[Load]:
        """Return the requests to a model whose second version is being released; it is not any more afterwards."""
        file = tmp_path / "plan.yaml"
        file.write_text(yaml.safe_dump(plan(ONE, "2")))
        with registry.models([ONE], {"stable": versions.good(), "good": versions.good(0.01)}):
            registry.point(ONE, CHALLENGER, "2")
            query = f'serving_alias_version{{model="{ONE}",track!="",alias="{CHALLENGER}"}} == 2'
            until(lambda: len(series(hurried, query)) == len(TRACKS), "both tracks have the version", 60, step=1)
            with Load(_gateway(hurried), questions(ONE), 40) as load:
                until(lambda: load.answers, "the model answers", 20)
                hurried.run("release", "start", str(file))
                try:
                    yield load
                finally:
                    hurried.run("release", "back", code=None)

    def test_without_prometheus_a_release_pauses_and_goes_back(
        self, hurried: Driver, registry: Registry, under_way: Load
    ) -> None:
        """It is never promoted blind, and nobody's request fails on the way back."""
        until(lambda: _at(hurried, 1), "the first step is under way", 120)
        with Away(hurried, "deployment/prometheus", "platform", seconds=0):
            until(lambda: kept(hurried).phase == "paused", "the release pauses", 60, step=0.5)
            ended = until(lambda: _over(hurried), "the release ends", 120)
            # Those while it was still there saw a good canary.
        _went_back(ended, "no metrics", ended.state["blind"])
        assert ended.verdicts[-2:] == ["pause", "roll back"]
        assert "no metrics" in hurried.run("release", "status").stdout
        assert registry.named(ONE) == STABLE
        assert under_way.failed == []

    def test_a_controller_that_is_killed_goes_on_where_it_was(
        self, hurried: Driver, registry: Registry, under_way: Load
    ) -> None:
        """It is killed once in each step: no step begins anew or is left out, and what was seen before still counts."""
        for step in (1, 2):
            until(lambda: _at(hurried, step), f"step {step} is under way", 180)  # noqa: B023  asked at once
            hurried.in_node("kill", "-9", str(hurried.first_process(*_CONTROLLER)))
            before = kept(hurried)
            after = until(lambda: _looked(hurried, before), "the controller looks again", 120)  # noqa: B023
            _went_on(before.state, after.state)
        ended = until(lambda: _over(hurried), "the release ends", 240)
        assert (ended.phase, ended.shares) == ("promoted", _ALL_TO_STABLE), ended.why
        assert ended.verdicts.count("promote") == 3  # the baseline, and both steps
        numbers = [each["number"] for each in ended.state["decisions"]]
        assert numbers == sorted(set(numbers))
        assert _started(hurried, ended) == 1
        assert registry.named(ONE) == "2"
        assert under_way.failed == []


_ALL_TO_STABLE = {"serving-stable": 100, "serving-canary": 0}


def _went_back(release: Kept, why: str, looks: int | None = None) -> None:
    """Hold a bad release to its end: in its first step, for this reason, within threshold + 1 looks.

    Args:
        release: as it ended.
        why: a part of the reason.
        looks: since it could be seen to be bad; None: all of them.

    """
    assert (release.phase, release.state["stage"], release.shares) == ("rolled back", 1, _ALL_TO_STABLE), release.why
    assert why in release.why
    assert (release.looks if looks is None else looks) <= THRESHOLD + 1, release.why


def _went_on(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Hold a release to what it was when its controller was killed: the last decision may have newer figures."""
    assert after["started"] == before["started"]
    assert after["decisions"][: len(before["decisions"]) - 1] == before["decisions"][:-1]
    assert after["evidence"]["looks"] > before["evidence"]["looks"]
    if (after["stage"], after["phase"]) == (before["stage"], before["phase"]):
        assert after["since"] == before["since"]
        assert after["looks"] > before["looks"]


def _at(lab: Driver, stage: int) -> Kept | None:
    """Return the release once it has looked at a stage for the first time."""
    found = kept(lab)
    return found if found.state.get("stage") == stage and found.looks else None


def _looked(lab: Driver, before: Kept) -> Kept | None:
    """Return the release once its controller has looked again."""
    found = kept(lab)
    return found if found.state["looked"] > before.state["looked"] else None


def _over(lab: Driver) -> Kept | None:
    found = kept(lab)
    return found if found.phase in OVER else None


def _started(lab: Driver, release: Kept) -> int:
    """Return how many events say that this release began."""
    words = ("get", "events", "-n", "chain", "--field-selector=reason=Started", "-o", "json")
    names = [each["metadata"]["name"] for each in json.loads(lab.kubectl(*words))["items"]]
    return sum(name.startswith(f"serving.{int(release.state['started'])}.") for name in names)


@contextmanager
def _unread(lab: Driver) -> Iterator[None]:
    """Let Prometheus read no server of the canary track."""
    pods = ("pods", "-n", "chain", "-l", "tarmac.dev/track=canary")
    lab.kubectl("annotate", *pods, "prometheus.io/port-")
    try:
        until(lambda: not series(lab, 'up{track="canary"}'), "Prometheus lets the canary go", 60)
        yield
    finally:
        lab.kubectl("annotate", *pods, "prometheus.io/port=8080")
        until(lambda: series(lab, 'up{track="canary"} == 1'), "Prometheus reads the canary again", 60)


def _gateway(lab: Driver) -> str:
    return f"http://127.0.0.1:{lab.port(8800)}"


def _asks(lab: Driver) -> list[Ask]:
    """Return requests as they come: of ten, nine bring their features along, and one names a flight and is traced."""
    told = httpx.get(f"{_gateway(lab)}/v2/models/{_MODEL}", timeout=5).raise_for_status().json()
    columns = told["inputs"][0]["shape"][1]
    traced = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    return [infer(_MODEL, [0.0] * columns)] * 9 + [posted("/flights/predict", _FLIGHT, **traced)]


def _flight(lab: Driver) -> httpx.Response:
    try:
        return httpx.post(f"{_gateway(lab)}/flights/predict", json=_FLIGHT, timeout=5)
    except httpx.HTTPError:
        return httpx.Response(httpx.codes.BAD_GATEWAY)


def _refused(lab: Driver, times: int) -> list[tuple[httpx.Response, float]]:
    """Ask about a flight until it was refused so many times; every answer with the seconds that it took."""
    told: list[tuple[httpx.Response, float]] = []
    begun = time.monotonic()
    while sum(answer.is_error for answer, _ in told) < times:
        assert time.monotonic() < begun + 60, f"of {len(told)} questions too few were refused"
        asked = time.monotonic()
        told.append((_flight(lab), time.monotonic() - asked))
        time.sleep(0.2)
    return told


def _pods(lab: Driver) -> set[str]:
    """Return the servers of the stable track, those that are going among them."""
    return set(lab.kubectl("get", "pods", "-n", "chain", "-l", "tarmac.dev/track=stable", "-o", "name").split())

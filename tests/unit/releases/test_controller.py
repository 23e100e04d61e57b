"""The controller against Kubernetes, Prometheus and MLflow at the wire."""

from pathlib import Path

import pytest

from releases.controller import Controller
from releases.errors import ApiFailure, BadPlan, Conflict, NoRegistry, NotNow
from releases.state import Phase
from unit.releases.cluster import GOOD, RULES, Cluster, ended, standing
from unit.releases.worlds import Version, World, plan


def test_a_good_canary_goes_all_the_way(cluster: Cluster) -> None:
    """Weights rise in the route, the alias moves, the route leads to the stable Service again, and events tell it."""
    controller = cluster.controller()
    controller.start(GOOD)
    assert ended(cluster, controller) is Phase.PROMOTED
    assert cluster.aliases == {"delay-boosting@challenger": "7", "delay-boosting@champion": "7"}
    assert cluster.weight() == 0
    controller.glance()
    reasons = [event["reason"] for event in cluster.events.values()]
    assert (reasons[0], reasons[-1]) == ("Started", "Promoted")
    assert reasons.count("StageDone") == 3
    assert {event["type"] for event in cluster.events.values()} == {"Normal"}
    assert cluster.state().pending == ()


@pytest.mark.parametrize(
    ("canary", "words"),
    [
        (Version(errors=0.3), "failed requests"),
        (Version(slower=3.0), "slow requests"),
        (Version(shift=40.0), "distribution of the predictions"),
        (Version(seen=False), "Prometheus has no serving_requests_total of the canary"),
    ],
)
def test_a_bad_canary_is_taken_back(tmp_path: Path, canary: Version, words: str) -> None:
    """Errors, slowness, wrong outputs, no metrics: within threshold + 1 looks nobody gets it, and an event says why."""
    with standing(World(12, canary), tmp_path) as cluster:
        controller = cluster.controller()
        controller.start(GOOD)
        assert ended(cluster, controller) is Phase.ROLLED_BACK
        state = cluster.state()
        assert state.looks + state.evidence.looks * (state.stage > 1) <= GOOD.criteria.threshold + 1
        assert cluster.weight() == 0
        assert cluster.aliases == {"delay-boosting@challenger": "7"}
        controller.glance()
        warnings = [event for event in cluster.events.values() if event["type"] == "Warning"]
        assert words in warnings[-1]["message"]
        assert warnings[-1]["involvedObject"]["name"] == "serving"


def test_a_controller_that_starts_anew_goes_on(cluster: Cluster) -> None:
    """With another controller at every glance the release ends as well as with one."""
    cluster.controller().start(GOOD)
    for _ in range(40):
        cluster.controller().glance()
        if cluster.state().over:
            break
        cluster.wait(15)
    assert cluster.state().phase is Phase.PROMOTED
    assert cluster.aliases == {"delay-boosting@challenger": "7", "delay-boosting@champion": "7"}


def test_of_two_controllers_one_acts(cluster: Cluster) -> None:
    """Both read the same route; the second one's write is refused, and nothing of it is done."""
    first, second = cluster.controller(), cluster.controller()
    first.start(GOOD)
    first.glance()
    cluster.wait(15)
    held = second._route.read()
    assert held.state
    first.glance()
    written = len(cluster.writes)
    with pytest.raises(Conflict):
        second._looked(held, held.state)
    assert len(cluster.writes) == written


def test_two_releases_at_once_are_refused(cluster: Cluster) -> None:
    """While one is under way another cannot begin; after it has been given up it can."""
    controller = cluster.controller()
    controller.start(GOOD)
    with pytest.raises(NotNow, match="wait for its end"):
        controller.start(GOOD)
    assert controller.abort().phase is Phase.ROLLED_BACK
    for order in (controller.abort, controller.halt, controller.resume):
        with pytest.raises(NotNow, match="no release is under way"):
            order()
    assert controller.start(GOOD).phase is Phase.RUNNING


def test_a_registry_that_is_away_delays_the_end(cluster: Cluster) -> None:
    """The alias is tried again until it moves; meanwhile the canary keeps what it has, and is not called promoted."""
    controller = cluster.controller()
    controller.start(GOOD)
    controller.glance()
    cluster.away.add("registry")
    with pytest.raises(NoRegistry):
        ended(cluster, controller)
    for _ in range(5):
        cluster.wait(5)
        with pytest.raises(NoRegistry):
            controller.glance()
    assert (cluster.state().phase, cluster.weight()) == (Phase.PROMOTING, 50)
    for order in (controller.abort, controller.halt):
        with pytest.raises(NotNow, match="is being promoted"):
            order()
    cluster.away.clear()
    assert ended(cluster, controller) is Phase.PROMOTED


def test_events_that_cannot_be_made_stop_nothing(tmp_path: Path) -> None:
    """Without the right to make events a bad canary is taken back all the same."""
    with standing(World(13, Version(errors=0.5)), tmp_path) as cluster:
        cluster.away.add("events")
        controller = cluster.controller()
        controller.start(GOOD)
        assert ended(cluster, controller) is Phase.ROLLED_BACK
        assert cluster.weight() == 0


def test_prometheus_away_for_a_while_is_a_pause(cluster: Cluster) -> None:
    """Two looks without Prometheus pause the release; it goes on when Prometheus is back."""
    controller = cluster.controller()
    controller.start(GOOD)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)
    cluster.away.add("prometheus")
    for _ in range(6):
        cluster.wait(5)
        controller.glance()
    assert cluster.state().phase is Phase.PAUSED
    cluster.away.clear()
    assert ended(cluster, controller) is Phase.PROMOTED


def test_a_route_that_somebody_changed_is_put_right(cluster: Cluster) -> None:
    """Weights that are not the release's are the release's again at the next glance."""
    controller = cluster.controller()
    controller.start(GOOD)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)
    cluster.rules = RULES
    cluster.version += 1
    controller.glance()
    assert cluster.weight() == 25


def test_a_route_that_cannot_be_read_is_a_failure_for_a_while(cluster: Cluster) -> None:
    """ApiFailure, which the loop outlives."""
    cluster.away.add("route")
    with pytest.raises(ApiFailure):
        cluster.controller().glance()


def test_without_a_release_nothing_is_done(cluster: Cluster) -> None:
    """A route without the annotation is left alone."""
    assert cluster.controller().glance() is None
    assert cluster.writes == []


def test_its_metrics_tell_where_it_is(cluster: Cluster) -> None:
    """Weights, stage, phase, evidence and verdicts are what the release's state says."""
    controller = cluster.controller()
    controller.start(GOOD)
    while cluster.state().stage < 2:
        controller.glance()
        cluster.wait(5)
    controller.glance()
    told = _told(cluster)
    assert told["release_weight", "canary"] == 50
    assert told["release_weight", "stable"] == 50
    assert told["release_step",] == 2
    assert told["release_phase", "running"] == 1
    assert told["release_phase", "rolled back"] == 0
    assert told["release_verdicts_total", "promote"] == 2
    assert told["release_evidence", "errors"] < 1


def test_a_version_that_the_registry_does_not_have_is_refused(cluster: Cluster) -> None:
    """Nothing begins: it would wait for the alias for ever. A registry that is away is told as such."""
    controller = cluster.controller()
    with pytest.raises(BadPlan, match="plan, version: MLflow has no version 8 of model delay-boosting"):
        controller.start(plan(version="8"))
    cluster.away.add("registry")
    with pytest.raises(NoRegistry):
        controller.start(GOOD)
    assert cluster.writes == []


def _at_first_step(cluster: Cluster, controller: Controller) -> None:
    controller.start(GOOD)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)


def test_a_paused_release_stays_and_is_resumed(cluster: Cluster) -> None:
    """However long: the weight is what it was, whoever starts the controller anew; then it goes on to its good end."""
    controller = cluster.controller()
    _at_first_step(cluster, controller)
    assert controller.halt().halted
    for _ in range(GOOD.criteria.patience * 4):
        cluster.controller().glance()
        cluster.wait(5)
    state = cluster.state()
    assert (state.phase, state.stage, cluster.weight()) == (Phase.RUNNING, 1, 25)
    assert "somebody has paused it" in state.decisions[-1].reasons[0].en
    assert not controller.resume().halted
    assert ended(cluster, controller) is Phase.PROMOTED
    reasons = [event["reason"] for event in cluster.events.values()]
    assert reasons.index("Halted") < reasons.index("Resumed")


def test_an_order_that_changes_nothing_is_not_written(cluster: Cluster) -> None:
    """Pausing what is paused keeps the release as it is; resuming what runs is refused."""
    controller = cluster.controller()
    _at_first_step(cluster, controller)
    with pytest.raises(NotNow, match="not paused by anybody"):
        controller.resume()
    controller.halt()
    written = len(cluster.writes)
    assert controller.halt().halted
    assert len(cluster.writes) == written


@pytest.mark.parametrize(
    ("canary", "away"), [(Version(errors=0.4), ""), (Version(), "prometheus")], ids=["errors", "no metrics"]
)
def test_a_pause_protects_nobody_from_going_back(tmp_path: Path, canary: Version, away: str) -> None:
    """A paused canary that is worse, or that cannot be seen, is rolled back all the same."""
    with standing(World(14, canary), tmp_path) as cluster:
        controller = cluster.controller()
        _at_first_step(cluster, controller)
        controller.halt()
        cluster.away.add(away)
        assert ended(cluster, controller) is Phase.ROLLED_BACK
        assert cluster.weight() == 0


def test_a_blue_green_release_is_not_paused(cluster: Cluster) -> None:
    """It is compared with what was recorded just before, so that a pause would leave nothing to compare with."""
    controller = cluster.controller()
    controller.start(plan(strategy="blue-green", seconds=60))
    with pytest.raises(NotNow, match="blue-green"):
        controller.halt()
    assert controller.abort().phase is Phase.ROLLED_BACK


def test_a_status_that_the_gateway_tells_costs_no_look(cluster: Cluster) -> None:
    """The version is another, and the rules and the release are not: what is due is done at this glance."""
    controller = cluster.controller()
    controller.start(GOOD)
    controller.glance()
    cluster.wait(15)
    written = len(cluster.writes)
    cluster.meddle = 1
    assert controller.glance() == cluster.state()
    assert len(cluster.writes) > written


def test_an_order_outlasts_writes_of_others(cluster: Cluster) -> None:
    """Back means back, though the loop, or somebody's hands, change the route at the same moment; not for ever."""
    controller = cluster.controller()
    _at_first_step(cluster, controller)
    cluster.meddle = 3
    assert controller.abort().phase is Phase.ROLLED_BACK
    assert cluster.weight() == 0
    cluster.meddle = 100
    with pytest.raises(Conflict):
        controller.start(GOOD)


def test_a_route_made_anew_has_no_release(cluster: Cluster) -> None:
    """Somebody removed the route, and `lab up` made it again: nothing is under way, and no figure says otherwise."""
    controller = cluster.controller()
    _at_first_step(cluster, controller)
    controller.glance()
    assert _told(cluster)["release_weight", "canary"] == 25
    cluster.annotations, cluster.rules, cluster.version = {}, RULES, 1
    assert controller.glance() is None
    told = _told(cluster)
    assert told["release_route_weight", "serving-stable"] == 100
    assert not {name for name, *_ in told} & {"release_weight", "release_phase", "release_evidence"}


def test_weights_are_told_without_a_release(cluster: Cluster) -> None:
    """Weights set by hand show: per cent of each Service, and nothing of one that the route no longer names."""
    controller = cluster.controller()
    stable = RULES[0]["backendRefs"][0]
    refs = [{**stable, "weight": 3}, {**stable, "name": "serving-canary", "weight": 1}]
    cluster.rules = [{**RULES[0], "backendRefs": refs}]
    controller.glance()
    told = _told(cluster)
    assert told["release_route_weight", "serving-stable"] == 75
    assert told["release_route_weight", "serving-canary"] == 25
    cluster.rules = RULES
    controller.glance()
    assert ("release_route_weight", "serving-canary") not in _told(cluster)


def _told(cluster: Cluster) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in cluster.registry.collect()
        for sample in family.samples
        if sample.name.startswith("release_")
    }

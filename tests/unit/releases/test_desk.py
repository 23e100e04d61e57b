"""What people and programs ask of the controller over HTTP."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from contracts.units import unit
from releases.desk import Desk
from unit.releases.cluster import Cluster, standing
from unit.releases.worlds import GIVEN, World


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with a good new version."""
    with standing(World(21), tmp_path) as made:
        yield made


def test_a_release_is_begun_told_and_given_up(cluster: Cluster) -> None:
    """POST /release, GET /release with text in both languages, POST /release/abort."""
    controller = cluster.controller()
    desk = Desk(controller)
    assert desk.told(())[1]["phase"] == "none"
    status, begun = desk.ordered((), GIVEN)
    assert (status, begun["phase"], begun["stage"]["of"]) == (HTTPStatus.ACCEPTED, "running", 3)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)
    status, told = desk.told(())
    assert (status, told["weight"], told["strategy"]) == (HTTPStatus.OK, 10, "canary")
    assert "delay-boosting version 7: running; stage 1 of 3 (step), canary 10 %" in told["text"]["en"]
    assert "delay-boosting version 7 : en cours ; étape 1 sur 3 (step), canari 10 %" in told["text"]["fr"]
    assert "the stable version is seen" in told["text"]["en"]
    assert "canari ; cette étape : 0 observations" in told["text"]["fr"]
    while cluster.state().looks == 0:
        cluster.wait(5)
        controller.glance()
    words = desk.told(())[1]["text"]
    assert "shown so far:" in words["en"]
    assert "requêtes en échec : " in words["fr"]
    assert len(words["en"].splitlines()) == len(words["fr"].splitlines())
    assert desk.ordered(("pause",), None)[1]["halted"]
    assert "suspendue par quelqu'un" in desk.told(())[1]["text"]["fr"]
    assert not desk.ordered(("resume",), None)[1]["halted"]
    assert desk.ordered(("abort",), None)[1]["phase"] == "rolled back"


def test_bad_orders_are_answered_not_raised(cluster: Cluster) -> None:
    """400 with the field, 409 while one is under way, 404 for what there is not, 503 without Kubernetes."""
    desk = Desk(cluster.controller())
    status, refused = desk.ordered((), {**GIVEN, "version": "latest"})
    assert status == HTTPStatus.BAD_REQUEST
    assert "version" in refused["error"]
    assert desk.ordered((), {**GIVEN, "version": 8})[0] == HTTPStatus.BAD_REQUEST
    for order in ("abort", "pause", "resume"):
        status, refused = desk.ordered((order,), None)
        assert (status, refused["kind"]) == (HTTPStatus.CONFLICT, "NotNow")
        assert refused["error"] == "no release is under way"
        assert refused["fr"]["error"] == "aucune livraison n'est en cours"
        assert "lab release start" in refused["fr"]["remedy"]
    desk.ordered((), GIVEN)
    assert desk.ordered((), GIVEN)[0] == HTTPStatus.CONFLICT
    assert desk.ordered(("later",), GIVEN)[0] == HTTPStatus.NOT_FOUND
    cluster.away.add("registry")
    desk.ordered(("abort",), None)
    assert desk.ordered((), GIVEN)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    cluster.away.add("route")
    assert desk.told(())[0] == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("segments", [(), ("",), ("autumn", "0.5", "N14228")])
def test_an_assignment_is_somebodys(cluster: Cluster, segments: tuple[str, ...]) -> None:
    """Anything but one name is answered with what to ask."""
    status, told = Desk(cluster.controller()).assignment(segments)
    assert (status, told["paths"]) == (HTTPStatus.NOT_FOUND, ["assignment/WHO"])


def test_without_a_test_nobody_is_on_a_side(cluster: Cluster) -> None:
    """Before any release, and in one that deals no units: the unit is told, no test and no variant."""
    desk = Desk(cluster.controller())
    none = {"who": "N14228", "unit": unit("N14228"), "test": None, "variant": None}
    assert desk.assignment(("N14228",)) == (HTTPStatus.OK, none)
    desk.ordered((), GIVEN)
    assert desk.assignment(("N14228",)) == (HTTPStatus.OK, none)
    cluster.away.add("route")
    assert desk.assignment(("N14228",))[0] == HTTPStatus.SERVICE_UNAVAILABLE

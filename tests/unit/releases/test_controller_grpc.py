"""The controller and the route of gRPC, which goes where that of HTTP goes."""

from pathlib import Path
from typing import Any

import pytest

from releases.state import Phase
from unit.releases.cluster import GOOD, Cluster, ended, standing
from unit.releases.worlds import Version, World


def shares(rules: list[dict[str, Any]]) -> dict[tuple[str, int], int]:
    """Weight of each Service's port, by the last rule that names it."""
    return {(ref["name"], ref["port"]): ref["weight"] for rule in rules for ref in rule["backendRefs"]}


def test_grpc_goes_where_http_goes(cluster: Cluster) -> None:
    """Its route has the same weights at every step, on its own port, and what it matches stays."""
    controller = cluster.controller()
    controller.start(GOOD)
    seen = set()
    for _ in range(200):
        state = controller.glance()
        assert state
        canary = shares(cluster.grpc)["serving-canary", 8081]
        assert canary == shares(cluster.rules)["serving-canary", 8080]
        assert {match["method"]["service"] for rule in cluster.grpc for match in rule["matches"]} == {
            "inference.GRPCInferenceService"
        }
        seen.add(canary)
        if state.over:
            break
        cluster.wait(5)
    assert seen == {0, 25, 50}


@pytest.mark.parametrize("trouble", ["grpc", "grpc refused"])
def test_a_release_goes_on_without_a_route_of_grpc(cluster: Cluster, trouble: str) -> None:
    """There is none, or it cannot be touched: HTTP goes on."""
    cluster.away.add(trouble)
    controller = cluster.controller()
    controller.start(GOOD)
    assert ended(cluster, controller) is Phase.PROMOTED
    assert shares(cluster.grpc) == {("serving-stable", 8081): 1}


def test_grpc_goes_back_as_soon_as_it_can(tmp_path: Path) -> None:
    """Its route could not be touched when a bad canary went back: it is tried again though the release is over."""
    with standing(World(12, Version(errors=0.5)), tmp_path) as cluster:
        controller = cluster.controller()
        controller.start(GOOD)
        while shares(cluster.grpc).get(("serving-canary", 8081), 0) == 0:
            controller.glance()
            cluster.wait(5)
        cluster.away.add("grpc refused")
        assert ended(cluster, controller) is Phase.ROLLED_BACK
        assert shares(cluster.grpc)["serving-canary", 8081] == 25
        cluster.away.clear()
        controller.glance()
        assert shares(cluster.grpc)["serving-canary", 8081] == 0


def test_grpc_is_given_back_what_its_release_says(cluster: Cluster) -> None:
    """Somebody changed its route alone, in the middle of a release: the next glance sees it."""
    controller = cluster.controller()
    controller.start(GOOD)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)
    given = shares(cluster.grpc)
    assert given["serving-canary", 8081] > 0
    for rule in cluster.grpc:
        for ref in rule["backendRefs"]:
            ref["weight"] = 7
    controller.glance()
    assert shares(cluster.grpc) == given


def test_a_new_controller_looks_after_grpc_as_well(cluster: Cluster) -> None:
    """What the one before could not finish: the release is over, its route of gRPC is not."""
    controller = cluster.controller()
    controller.start(GOOD)
    while cluster.state().stage == 0:
        controller.glance()
        cluster.wait(5)
    controller.abort()
    assert shares(cluster.grpc)["serving-canary", 8081] == 25
    cluster.controller().glance()
    assert shares(cluster.grpc)["serving-canary", 8081] == 0

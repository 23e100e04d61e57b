"""What the node is made of is killed, piece by piece and whole: it heals, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from driver import Driver, engine, until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.turn(1),
    pytest.mark.timeout(600),
    # The Kafka client of earlier tests leaves connections that the fault breaks to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _pod_of(program: str) -> Callable[[Driver], None]:
    def kill(lab: Driver) -> None:
        lab.in_node("kill", "-9", str(lab.process(program)))

    return kill


def _restart(lab: Driver) -> None:
    engine("restart", "--time", "0", lab.node)


def _stop(lab: Driver) -> None:
    engine("kill", lab.node)


@pytest.mark.parametrize(
    "fault",
    [_pod_of("kube-apiserver"), _pod_of("etcd"), _pod_of("kubelet"), _restart, _stop],
    ids=["api-server", "etcd", "kubelet", "node-restarted", "node-killed"],
)
def test_the_cluster_heals_with_nothing_lost(lab: Driver, fault: Callable[[Driver], None]) -> None:
    """After the fault `lab up` converges, and what was written before it is there: an object, and Kafka's records."""
    # After a reset the replay begins anew at midnight: the first plane leaves a minute later.
    records = until(lambda: _records(lab), "departures have come", 180, step=3)
    try:
        lab.kubectl("create", "configmap", "before", "-n", "lab-01", "--from-literal=kept=yes")
        fault(lab)
        assert lab.json("up", "01")["verdict"] == "converged"
        assert lab.kubectl("get", "configmap", "before", "-n", "lab-01", "-o", "jsonpath={.data.kept}") == "yes"
        until(lambda: _records(lab) >= records, "Kafka's records are there", 60)
    finally:
        lab.kubectl("delete", "configmap", "before", "-n", "lab-01", "--ignore-not-found")


def _records(lab: Driver) -> int:
    """Return how many records the departures hold, as the tool's own bundle counts them."""
    file = lab.folder / "bundle.json"
    lab.run("support", "01", "--file", str(file))
    topic = json.loads(file.read_text())["topics"].get("flight.departed.v1", {"begin": [0], "end": [0]})
    return int(sum(topic["end"]) - sum(topic["begin"]))

"""A replay of 100,000 events during which broker, consumer and API server are killed: nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from driver import Driver, until
from replays import Replay

pytestmark = [pytest.mark.cluster, pytest.mark.turn(2), pytest.mark.timeout(600)]

_EVENTS = 100_000
_SPEEDUP = 80_000
"""All of them in about a minute."""


@pytest.fixture
def replay(lab: Driver) -> Iterator[Replay]:
    """Return a replay of exactly 100,000 events into new topics; the lab is put right afterwards."""
    lab.run("reset", "01")
    yield Replay.begun(lab, _EVENTS, _SPEEDUP)
    lab.run("reset", "01")


def test_killing_broker_consumer_and_api_server_loses_and_doubles_nothing(replay: Replay) -> None:
    """Every event stands once in the log and was applied once, whatever was killed in the middle."""
    lab = replay.lab
    for share, kill in ((0.2, _kill_broker), (0.4, _kill_consumer), (0.6, _kill_api_server)):
        goal = int(share * _EVENTS)
        sent = until(lambda: sent if (sent := replay.sent()) >= goal else 0, f"{goal} events are sent", 180)  # noqa: B023  asked at once
        assert sent < _EVENTS, "the replay was over before the fault"
        kill(lab)
    until(lambda: replay.sent() >= _EVENTS, "all events are sent", 240)
    total = _EVENTS + replay.probes
    until(lambda: sum(replay.outcomes().values()) >= total, "all events are applied", 120)

    ids = replay.ids()
    assert [name for name, count in ids.items() if count > 1] == []
    assert len(ids) == _EVENTS
    outcomes = replay.outcomes()
    assert sum(outcomes.values()) == total, outcomes
    assert (outcomes["duplicate"], outcomes["dead"]) == (0, 0), outcomes


def _kill_broker(lab: Driver) -> None:
    lab.kubectl("delete", "pod", "kafka-0", "-n", "platform", "--force", "--grace-period=0")


def _kill_consumer(lab: Driver) -> None:
    selector = ("-l", "app.kubernetes.io/component=consumer", "-n", "chain")
    lab.kubectl("delete", "pod", *selector, "--force", "--grace-period=0")


def _kill_api_server(lab: Driver) -> None:
    lab.in_node("kill", "-9", str(lab.process("kube-apiserver")))

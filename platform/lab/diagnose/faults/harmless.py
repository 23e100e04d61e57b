"""Healthy states that look different: other names, restarts in the past, old events, small lags; none is a fault."""

from __future__ import annotations

import copy
import random
from datetime import datetime, timedelta
from typing import Any

from lab.diagnose.causes.models import STREAMED
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import World

Json = dict[str, Any]

_PAST = timedelta(hours=3)
_OLD_EVENTS = (
    ("Unhealthy", "Startup probe failed: dial tcp: connect: connection refused"),
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    ("BackOff", "Back-off restarting failed container"),
    ("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
)


def varied(state: Json, draw: random.Random) -> Json:
    """Return a copy of a completed healthy state with harmless differences, drawn."""
    world = World(clone(state), 0)
    pods = [each for each in world.health["objects"] if each["kind"] == "Pod"]
    for pod in draw.sample(pods, min(len(pods), 6)):
        draw.choice((_restarted, _remembered, _warned))(world, pod, draw)
    _figures(world, draw)
    draw.choice((_starting, _waiting_claim, _policy, _nothing))(world, draw)
    return world.state


def _restarted(world: World, pod: Json, draw: random.Random) -> None:
    """Let a pod have come back long ago, from a crash, a lack of memory or a restart of the node."""
    reason, code = draw.choice((("Error", 1), ("OOMKilled", 137), ("Completed", 0), ("Error", 2), ("Error", 255)))
    taken = datetime.fromisoformat(world.state["taken"])
    ended = {"exitCode": code, "reason": reason, "finishedAt": (taken - _PAST).isoformat()}
    for twin in world.objects("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"]):
        for status in twin["status"].get("containerStatuses", []):
            status |= {"restartCount": draw.randint(1, 9), "lastState": {"terminated": ended}}


def _remembered(world: World, pod: Json, draw: random.Random) -> None:
    """Let the cluster remember warnings about a pod that stands by now."""
    meta = pod["metadata"]
    for reason, message in draw.sample(_OLD_EVENTS, 2):
        world.tells("Pod", meta["namespace"], meta["name"], reason, message)


def _warned(world: World, pod: Json, draw: random.Random) -> None:
    """Let a pod have said something that it got over."""
    meta = pod["metadata"]
    words = (
        '{"level": "warning", "event": "waiting for Kafka", "seconds": 2}',
        '{"level": "warning", "event": "no connection to Redis", "cause": "Connection refused"}',
        "Transient error Connection refused encountered while exporting span batch, retrying in 0.91s.",
        '{"level": "error", "event": "model trial-delay version 3: contradicts its card"}',
    )
    place = f"{meta['namespace']}/{meta['name']}/{pod['spec']['containers'][0]['name']}"
    world.health["logs"][place] = [draw.choice(words)]


def _figures(world: World, draw: random.Random) -> None:
    """Let lags, ages and counts be what they are at a quiet or a busy moment."""
    figures = world.health["figures"]
    for name, low, high in (("lag", 0, 4000), ("lag_growth", -900, 300), ("produced", 0, 40)):
        for each in figures.get(name, []):
            each["value"] = draw.uniform(low, high)
    for each in figures.get("feature_staleness", []):
        streamed = each["labels"]["view"].startswith(tuple(STREAMED))
        each["value"] = draw.uniform(0, 200 if streamed else 40_000)
    figures["models_refused"] = [{"labels": {"model": "trial-broken"}, "value": 3.0}]
    world.health["machine"]["skew_seconds"] = draw.uniform(-3, 3)


def _starting(world: World, draw: random.Random) -> None:
    """Let a pod have been made a moment ago, beside the one that stands."""
    pods = [each for each in world.health["objects"] if each["kind"] == "Pod"]
    new = copy.deepcopy(draw.choice(pods))
    taken = datetime.fromisoformat(world.state["taken"])
    new["metadata"]["name"] += "-young"
    new["status"]["startTime"] = (taken - timedelta(seconds=draw.randint(1, 50))).isoformat()
    for each in new["status"]["conditions"]:
        each["status"] = "False" if each["type"] in ("Ready", "ContainersReady") else each["status"]
    for each in new["status"]["containerStatuses"]:
        each |= {
            "ready": False,
            "restartCount": 0,
            "lastState": {},
            "state": {"waiting": {"reason": "ContainerCreating"}},
        }
    world.health["objects"].append(new)


def _waiting_claim(world: World, draw: random.Random) -> None:
    """Let a trainee have made a claim that waits for its first pod."""
    claim = {
        "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}, "spec": {},
        "metadata": {"name": f"mine-{draw.randint(1, 99)}", "namespace": f"lab-{world.state['lab']}"},
    }  # fmt: skip
    world.health["objects"].append(claim)


def _policy(world: World, draw: random.Random) -> None:
    """Let a policy choose pods that are reached all the same."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    metadata = {"name": f"open-{draw.randint(1, 99)}", "namespace": "chain"}
    world.health["objects"].append({"kind": "NetworkPolicy", "metadata": metadata, "spec": spec})


def _nothing(_: World, __: random.Random) -> None:
    """Let nothing more be different."""

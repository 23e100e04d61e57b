"""A recorded healthy state, completed by the part `health` as a cluster on which all stands would record it.

Bundles that were recorded without that part are completed: what it holds follows from the objects that they have.
"""

from __future__ import annotations

import pickle
from typing import Any

from lab.diagnose.causes.pods import part
from lab.state.health import FIGURES, Declared
from lab.state.objects import slim

Json = dict[str, Any]

_NODE = "tarmac-control-plane"
_WELL = {"Ready": "True", "DiskPressure": "False", "MemoryPressure": "False", "PIDPressure": "False"}
_TOPICS = ("flight.departed.v1", "flight.arrived.v1", "weather.read.v1")


def clone(state: Json) -> Json:
    """Return a copy of JSON, several times as fast as by `copy.deepcopy`: thousands of states are broken."""
    copied: Json = pickle.loads(pickle.dumps(state))  # noqa: S301  our own copy
    return copied


def completed(bundle: Json, declared: Declared) -> Json:
    """Return a copy of a bundle with what a deep recording adds.

    Args:
        bundle: a recorded healthy state.
        declared: what ought to be there.

    """
    state: Json = clone(bundle)
    if "health" in state:
        return state
    taken = str(state["taken"])
    started = f"{taken[:11]}00:00:00+00:00"
    chain = [each for each in state["objects"] if each["kind"] in ("Deployment", "StatefulSet")]
    system = [_system("kube-system", "coredns"), _system("storage", "volume-provisioner")]
    there: list[Json] = [slim(each) for each in state["objects"] if each["kind"] == "Pod"]
    own = {each["metadata"]["namespace"] for each in there}
    made = [_pod(each, index, started) for each in [*chain, *system] for index in range(part(each, "spec", "replicas"))]
    pods = there + [each for each in made if each["metadata"]["namespace"] not in own]
    slices = [_slice(each, pods) for each in state["objects"] if each["kind"] == "Service"]
    slices = [each for each in slices if each["metadata"]["namespace"] not in own]
    places = ("data", "chain", f"lab-{state['lab']}")
    state["health"] = {
        "declared": {"components": list(declared.components), "topics": list(declared.topics)},
        "cluster": {"backend": "kind", "asked": "auto", "status": "running", "error": ""},
        "machine": {"skew_seconds": 0.2, "disk_free": 64 << 30, "inotify": {}},
        "objects": [_node(), *system, *pods, *slices],
        "events": [],
        "copies": [_copy(name, place) for name in declared.secrets for place in places],
        "logs": {},
        "targets": [_target(each) for each in pods if _read(each)],
        "figures": _figures(declared),
        "answers": {},
    }  # fmt: skip
    return state


def _node() -> Json:
    conditions = [{"type": kind, "status": status} for kind, status in _WELL.items()]
    return {"kind": "Node", "metadata": {"name": _NODE}, "spec": {}, "status": {"conditions": conditions}}


def _system(namespace: str, name: str) -> Json:
    labels = {"app.kubernetes.io/name": name}
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "observedGeneration"), 1)
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    metadata = {"name": name, "namespace": namespace, "generation": 1}
    return {"kind": "Deployment", "metadata": metadata, "spec": spec, "status": counts}


def _pod(workload: Json, index: int, started: str) -> Json:
    name, template = workload["metadata"]["name"], workload["spec"]["template"]
    own = f"{name}-{index}" if workload["kind"] == "StatefulSet" else f"{name}-5d8f9c7b4-x{index}k2p"
    containers = part(template, "spec", "containers") or [{"name": name, "image": "tarmac.local/node-programs:1"}]
    spec = {"nodeName": _NODE, "containers": [{"name": each["name"], "image": each["image"]} for each in containers]}
    statuses = [
        {
            "name": each["name"], "image": each["image"], "ready": True, "restartCount": 0, "lastState": {},
            "state": {"running": {}},
        }
        for each in containers
    ]  # fmt: skip
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "ContainersReady", "Ready")]
    meta = part(template, "metadata") or {}
    return {
        "kind": "Pod",
        "metadata": {
            "name": own, "namespace": workload["metadata"]["namespace"], "labels": dict(meta.get("labels") or {}),
            "annotations": dict(meta.get("annotations") or {}),
        },
        "spec": spec,
        "status": {"phase": "Running", "startTime": started, "conditions": conditions, "containerStatuses": statuses},
    }  # fmt: skip


def _slice(service: Json, pods: list[Json]) -> Json:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    chosen = (service["spec"].get("selector") or {}).items()
    ends = [
        {"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": each["metadata"]["name"]}}
        for each in pods
        if each["metadata"]["namespace"] == namespace
        and chosen
        <= {**each["metadata"]["labels"], "statefulset.kubernetes.io/pod-name": each["metadata"]["name"]}.items()
    ]
    labels = {"kubernetes.io/service-name": name}
    return {
        "kind": "EndpointSlice", "endpoints": ends,
        "metadata": {"name": f"{name}-abcde", "namespace": namespace, "labels": labels},
    }  # fmt: skip


def _copy(name: str, namespace: str) -> Json:
    return {"name": name, "namespace": namespace, "marks": [f"{name}-a", f"{name}-b"]}


def _read(pod: Json) -> bool:
    return "prometheus.io/port" in (pod["metadata"].get("annotations") or {})


def _target(pod: Json) -> Json:
    meta = pod["metadata"]
    return {"job": "pods", "namespace": meta["namespace"], "pod": meta["name"], "health": "up", "error": ""}


def _figures(declared: Declared) -> dict[str, list[Json]]:
    """Return every figure as a well cluster has it, of the components that stand."""
    by_topic = {"lag": 12.0, "lag_growth": -1.0, "dead_letters": 0.0, "produced": 4.2}
    found: dict[str, list[Json]] = {name: [] for name in FIGURES}
    for name, value in by_topic.items():
        found[name] = [{"labels": {"topic": topic}, "value": value} for topic in _TOPICS]
    if "feature" in declared.components:
        ages = {"weather_by_origin": 6.0, "punctuality_30d_by_carrier": 580.0}
        found["feature_staleness"] = [{"labels": {"view": view}, "value": age} for view, age in ages.items()]
    if "redis" in declared.components:
        found["redis_refused"] = [{"labels": {}, "value": 0.0}]
        found["rows_older"] = [{"labels": {}, "value": 0.0}]
    if "serving" in declared.components:
        found["lookup_failures"] = [{"labels": {"reason": "timeout"}, "value": 0.0}]
    return found

"""Kubernetes objects as a bundle keeps them: what a check or a trainer reads, without the server's bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable

JsonDict = dict[str, object]

_BOOKKEEPING = ("managedFields", "uid", "resourceVersion", "selfLink", "creationTimestamp", "generateName")
_SLIM = {"Pod": ("nodeName", "containers"), "Node": ("unschedulable", "taints")}
"""Kind -> fields of `spec` that a diagnosis reads; of a container its name and image."""
_TIMES = ("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime")


def trimmed(objects: Iterable[JsonDict]) -> list[JsonDict]:
    """Return the objects without bookkeeping, in an order that does not change from one recording to the next."""
    return sorted((_object(item) for item in objects), key=_order)


def slim(item: JsonDict) -> JsonDict:
    """Return a pod or node with what a diagnosis reads of it; anything else as it is."""
    spec = item.get("spec")
    if not isinstance(spec, dict) or item.get("kind") not in _SLIM:
        return item
    kept = {key: value for key, value in spec.items() if key in _SLIM[str(item["kind"])]}
    containers = kept.get("containers")
    if isinstance(containers, list):
        kept["containers"] = [{key: each.get(key) for key in ("name", "image")} for each in containers]
    status = item.get("status")
    told = {key: value for key, value in status.items() if key != "images"} if isinstance(status, dict) else status
    return {**item, "spec": kept, "status": told}


def _object(item: JsonDict) -> JsonDict:
    kept = dict(item)
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {key: value for key, value in metadata.items() if key not in _BOOKKEEPING}
    status = item.get("status")
    if isinstance(status, dict) and isinstance(status.get("conditions"), list):
        kept["status"] = {**status, "conditions": [_condition(entry) for entry in status["conditions"]]}
    return kept


def _condition(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    return {key: value for key, value in entry.items() if key not in _TIMES}


def _order(item: JsonDict) -> tuple[str, str, str]:
    metadata = item.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    return str(item.get("kind")), str(names.get("namespace")), str(names.get("name"))

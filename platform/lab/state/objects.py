"""Kubernetes objects as a bundle keeps them: what a check or a trainer reads, without the server's bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable

JsonDict = dict[str, object]

_BOOKKEEPING = ("managedFields", "uid", "resourceVersion", "selfLink", "creationTimestamp", "generateName")
_TIMES = ("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime")


def trimmed(objects: Iterable[JsonDict]) -> list[JsonDict]:
    """Return the objects without bookkeeping, in an order that does not change from one recording to the next."""
    return sorted((_object(item) for item in objects), key=_order)


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

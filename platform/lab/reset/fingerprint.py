"""What a lab can leave behind, read from the cluster and the broker: empty after a reset, or the reset has failed."""

from __future__ import annotations

from collections.abc import Iterable

from lab.api import BROUGHT, Api, Object
from lab.broker import Broker

KINDS = (
    "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service", "ConfigMap", "Secret",
    "ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget", "Ingress",
    "HorizontalPodAutoscaler", "ResourceQuota", "LimitRange", *(kind for kinds in BROUGHT.values() for kind in kinds),
)  # fmt: skip
"""Kinds that a lab's namespace may hold, where the cluster knows them; a trainee may have made any of them by hand."""
_EVERYWHERE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


def objects(api: Api, namespace: str) -> list[Object]:
    """Return everything in a lab's namespace that Kubernetes did not put there itself."""
    return [
        each
        for kind in KINDS
        for each in api.find(kind, namespace)
        if (kind, each["metadata"]["name"]) not in _EVERYWHERE
    ]


def volumes(api: Api, namespaces: Iterable[str]) -> list[Object]:
    """Return the volumes that claims of these namespaces hold, or held."""
    names = set(namespaces)
    found = api.find("PersistentVolume")
    return [each for each in found if (each["spec"].get("claimRef") or {}).get("namespace") in names]


def residue(api: Api, broker: Broker | None, namespaces: list[str]) -> list[str]:
    """Return what is left, one line each; empty when nothing is. Without a broker, of the cluster alone."""
    lines = [_named(each) for name in namespaces for each in objects(api, name)]
    lines += [f"PersistentVolume/{each['metadata']['name']}" for each in volumes(api, namespaces)]
    if broker is None:
        return lines
    lines += [f"topic {name}: {_records(found)} records" for name, found in broker.topics().items()]
    lines += [f"consumer group {name}" for name in broker.group_names()]
    return lines


def _named(found: Object) -> str:
    """Return kind, name and namespace, and what holds an object that was deleted."""
    meta = found["metadata"]
    holders = ", ".join(meta.get("finalizers") or ()) if meta.get("deletionTimestamp") else ""
    return f"{found['kind']}/{meta['name']} ({meta['namespace']}{holders and f'; held by {holders}'})"


def _records(topic: dict[str, object]) -> int:
    begin, end = topic["begin"], topic["end"]
    if not isinstance(begin, list) or not isinstance(end, list):
        return 0
    return sum(end) - sum(begin)

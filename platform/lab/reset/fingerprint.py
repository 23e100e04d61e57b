"""What a lab can leave behind, read from the cluster and the broker: empty after a reset, or the reset has failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.api import BROUGHT, Api, Object
from lab.broker import Broker

KINDS = (
    "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service", "ConfigMap", "Secret",
    "ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget", "Ingress",
    "HorizontalPodAutoscaler", "ResourceQuota", "LimitRange", *(kind for kinds in BROUGHT.values() for kind in kinds),
)  # fmt: skip
"""Kinds that a lab's namespace may hold, where the cluster knows them; a trainee may have made any of them by hand."""
_EVERYWHERE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


@dataclass(frozen=True)
class Found:
    """What is there.

    Attributes:
        objects: in the labs' namespaces, of each its kind and its metadata.
        volumes: that claims of these namespaces hold, or held.
        topics: of the broker, with their positions.
        groups: of its consumers.

    """

    objects: list[Object]
    volumes: list[Object]
    topics: dict[str, dict[str, object]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return it, one line each; empty when nothing is there."""
        return [
            *map(_named, self.objects),
            *(f"PersistentVolume/{each['metadata']['name']}" for each in self.volumes),
            *(f"topic {name}: {_records(topic)} records" for name, topic in self.topics.items()),
            *(f"consumer group {name}" for name in self.groups),
        ]


def found(api: Api, broker: Broker | None, namespaces: list[str]) -> Found:
    """Look for everything that Kubernetes did not put there itself; without a broker, at the cluster alone."""
    objects = [
        each for each in api.inventory(KINDS, namespaces) if (each["kind"], each["metadata"]["name"]) not in _EVERYWHERE
    ]
    volumes = [
        each
        for each in api.find("PersistentVolume")
        if (each["spec"].get("claimRef") or {}).get("namespace") in namespaces
    ]
    if broker is None:
        return Found(objects, volumes)
    return Found(objects, volumes, broker.topics(), broker.group_names())


def _named(each: Object) -> str:
    """Return kind, name and namespace, and what holds an object that was deleted."""
    meta = each["metadata"]
    holders = ", ".join(meta.get("finalizers") or ()) if meta.get("deletionTimestamp") else ""
    return f"{each['kind']}/{meta['name']} ({meta['namespace']}{holders and f'; held by {holders}'})"


def _records(topic: dict[str, object]) -> int:
    begin, end = topic["begin"], topic["end"]
    if not isinstance(begin, list) or not isinstance(end, list):
        return 0
    return sum(end) - sum(begin)

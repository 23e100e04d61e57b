"""Objects as the API server tells them, and the kinds that components bring along."""

from __future__ import annotations

from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON gives it."""

BROUGHT = {
    "gateway.networking.k8s.io/v1": ("Gateway", "HTTPRoute", "GRPCRoute", "ReferenceGrant"),
    "gateway.envoyproxy.io/v1alpha1": ("EnvoyProxy", "BackendTrafficPolicy", "ClientTrafficPolicy", "SecurityPolicy"),
}
"""Kinds inside a namespace that components bring along (`definitions` in stack.yaml), by group and version."""
ROUTING = ("HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTrafficPolicy", "ClientTrafficPolicy", "SecurityPolicy")
"""Those of them that say which requests go where and how: a lab may declare them, and its bundle holds them."""
ORIGIN = {kind: version for version, kinds in BROUGHT.items() for kind in kinds}
"""Group and version of each of them."""


def ready(workload: Object) -> bool:
    """Say whether a Deployment, StatefulSet or Job stands as it was last asked to."""
    spec, status = workload.get("spec", {}), workload.get("status", {})
    if workload.get("kind") == "Job":
        return bool(status.get("succeeded"))
    wanted = spec.get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    counts = (status.get("readyReplicas", 0), status.get("updatedReplicas", 0), status.get("replicas", 0))
    if workload.get("kind") == "StatefulSet":
        return bool(seen and counts[0] == wanted) and status.get("currentRevision") == status.get("updateRevision")
    return bool(seen and counts == (wanted, wanted, wanted))


def name_of(each: Object) -> str:
    """Return an object's name."""
    return str(each["metadata"]["name"])


def namespace_of(each: Object) -> str | None:
    """Return the namespace that an object says it is in; None where it says none."""
    namespace = each["metadata"].get("namespace")
    return str(namespace) if namespace else None

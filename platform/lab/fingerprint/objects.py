"""Kubernetes objects as lines: what was asked for, by its hash, without what the cluster chose for itself."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from lab.api import BROUGHT, ROUTING, Api, Object

KINDS = (
    "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service", "ConfigMap", "Secret", "ServiceAccount", "Role",
    "RoleBinding", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget", "Ingress", "ResourceQuota",
    "HorizontalPodAutoscaler", "LimitRange", *(kind for kinds in BROUGHT.values() for kind in kinds),
)  # fmt: skip
"""Kinds that are asked for; pods, replica sets and jobs follow from them."""
_CHOSEN = {
    "Service": ("clusterIP", "clusterIPs", "healthCheckNodePort"),
    "PersistentVolumeClaim": ("volumeName",),
}
"""Fields of `spec` that the cluster fills in."""
_BY_ITSELF = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_ROUTES = tuple(kind for kind in ROUTING if kind.endswith("Route"))
_HELM = "helm.sh/release.v1"
_STATE = "tarmac.dev/release"


def lines(api: Api, namespaces: list[str]) -> list[str]:
    """Return a line for each object: kind, namespace, name, hash of what was asked for."""
    return [
        f"{kind}/{each['metadata']['name']} ({name}): {_hash(_asked(kind, each))}"
        for name in namespaces
        for kind in KINDS
        for each in api.find(kind, name)
        if (kind, each["metadata"]["name"]) not in _BY_ITSELF and each.get("type") != _HELM
    ]


def releases(api: Api, namespaces: list[str]) -> list[str]:
    """Return where each route leads, by weights, and the stage of its release."""
    return [
        f"{kind}/{each['metadata']['name']} ({name}): {_weights(each['spec'])}; {_stage(each)}"
        for name in namespaces
        for kind in _ROUTES
        for each in api.find(kind, name)
    ]


def _asked(kind: str, each: Object) -> Any:  # noqa: ANN401  JSON
    """Return what was asked for. Of a Secret that is its keys: values are each cluster's own, and nobody's business."""
    if kind == "Secret":
        return sorted(each.get("data") or {})
    spec = dict(each.get("spec") or {})
    if kind in _ROUTES:
        return None  # a release moves it: `releases` tells
    for field in _CHOSEN.get(kind, ()):
        spec.pop(field, None)
    if not _counted(each["metadata"].get("managedFields") or []):
        spec.pop("replicas", None)
    if kind == "Service":
        # Ports of the node that nobody chose are drawn at random; those that were chosen are in the charts' tests.
        spec["ports"] = [{**each, "nodePort": None} for each in spec.get("ports") or [] if isinstance(each, dict)]
    return [spec, each.get("data"), each.get("rules"), each.get("roleRef"), each.get("subjects")]


def _counted(fields: list[Object]) -> bool:
    """Say whether somebody asked for a number of pods: a manifest or a person, and not a scaler that goes by load.

    A server that keeps no book of who set what leaves it to be believed.
    """
    return not fields or any(
        "f:replicas" in ((each.get("fieldsV1") or {}).get("f:spec") or {})
        and (each.get("subresource") != "scale" or str(each.get("manager")).startswith("kubectl"))
        for each in fields
    )


def _hash(what: Any) -> str:  # noqa: ANN401  JSON
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _weights(spec: Any) -> str:  # noqa: ANN401  JSON
    return " ".join(
        f"{each['name']}={each.get('weight', 1)}"
        for rule in spec.get("rules") or []
        for each in rule.get("backendRefs") or []
    )


def _stage(each: Object) -> str:
    told = (each["metadata"].get("annotations") or {}).get(_STATE)
    try:
        return str(json.loads(told or "{}").get("phase", "no release"))
    except ValueError:
        return "unreadable"

"""What the tool does in a cluster, as permissions: asked for before anything is done in a cluster that is not ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.spec import Component

_READ = ("get", "list", "watch")
_WRITE = ("get", "list", "create", "patch", "delete")
_CLEAR = ("list", "delete")
"""For what a trainee may have made by hand, and a reset takes away."""


@dataclass(frozen=True)
class Permission:
    """Verbs on one resource.

    Attributes:
        group: API group, empty for the core one.
        resource: its plural name; a subresource after a slash.
        verbs: what is done with it.

    """

    group: str
    resource: str
    verbs: tuple[str, ...]

    def __str__(self) -> str:
        """Return the resource as kubectl writes it, `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


NEEDED = (
    Permission("", "namespaces", _WRITE),
    Permission("", "nodes", _READ),
    Permission("", "nodes/metrics", ("get",)),
    Permission("", "persistentvolumes", ("list",)),
    Permission("", "pods", (*_READ, "delete")),
    Permission("", "pods/log", ("get",)),
    Permission("", "pods/portforward", ("create",)),
    Permission("", "events", ("list",)),
    *(
        Permission("", resource, _WRITE)
        for resource in ("services", "configmaps", "secrets", "serviceaccounts", "persistentvolumeclaims")
    ),
    Permission("apps", "deployments", (*_WRITE, "watch")),
    Permission("apps", "deployments/scale", ("patch",)),
    Permission("apps", "statefulsets", (*_WRITE, "watch")),
    Permission("apps", "replicasets", _CLEAR),
    Permission("apps", "daemonsets", _CLEAR),
    Permission("autoscaling", "horizontalpodautoscalers", _CLEAR),
    Permission("networking.k8s.io", "ingresses", _CLEAR),
    Permission("", "resourcequotas", _CLEAR),
    Permission("", "limitranges", _CLEAR),
    Permission("batch", "jobs", (*_WRITE, "watch")),
    Permission("batch", "cronjobs", _WRITE),
    Permission("networking.k8s.io", "networkpolicies", _WRITE),
    Permission("policy", "poddisruptionbudgets", _WRITE),
    *(
        Permission("rbac.authorization.k8s.io", resource, _WRITE)
        for resource in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
    ),
)
"""What `lab up`, `check`, `reset` and `down` do for every lab, in every namespace of theirs.

Nothing fails without `get` on `nodes/proxy`, so it is not asked for: where it is refused, budgets are not measured.
"""


_GRANTING = tuple(
    Permission("rbac.authorization.k8s.io", resource, ("bind", "escalate")) for resource in ("roles", "clusterroles")
)
"""What serves such kinds gets rights (leases, states of routes, events) that nobody grants who has not got them."""


def needed(components: Iterable[Component] = ()) -> tuple[Permission, ...]:
    """Return all that is done for these components: the kinds that they bring are defined, made and cleared away."""
    brought = [each.definitions for each in components if each.definitions]
    if not brought:
        return NEEDED
    defining = Permission("apiextensions.k8s.io", "customresourcedefinitions", ("get", "create", "patch"))
    made = [
        Permission(version.partition("/")[0], plural(kind), _WRITE)
        for definitions in brought
        for version, kinds in definitions.kinds.items()
        for kind in kinds
    ]
    return (*NEEDED, defining, *made, *_GRANTING)


def plural(kind: str) -> str:
    """Return the name under which Kubernetes has the objects of a kind: HTTPRoute, httproutes."""
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


def question(permission: Permission, verb: str) -> dict[str, object]:
    """Return the SelfSubjectAccessReview that asks the API server for one verb."""
    resource, _, sub = permission.resource.partition("/")
    attributes = {"group": permission.group, "resource": resource, "verb": verb} | ({"subresource": sub} if sub else {})
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }

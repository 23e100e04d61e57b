"""What is done to a cluster to break it, as data: each act is one change, and is undone by what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """Change fields of an object.

    Attributes:
        kind: its kind.
        namespace: where; None for what stands in none.
        name: its name.
        body: what is merged into it; lists by name, as Kubernetes merges its own kinds.

    """

    kind: str
    namespace: str | None
    name: str
    body: Json


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete an object."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Make:
    """Make an object."""

    body: Json


@dataclass(frozen=True, slots=True)
class Renew:
    """Let a workload's pods start anew: what they read when they start, they read again."""

    namespace: str
    labels: str


@dataclass(frozen=True, slots=True)
class Send:
    """Write records into a topic."""

    topic: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveTopic:
    """Delete a topic."""

    topic: str


Act = Patch | Remove | Make | Renew | Send | RemoveTopic


@dataclass(frozen=True, slots=True)
class Target:
    """A workload that faults are done to.

    Attributes:
        component: whose.
        namespace: where.
        kind: Deployment or StatefulSet.
        name: its name.
        container: the one that is meant.
        labels: selector of its pods.

    """

    component: str
    namespace: str
    kind: str
    name: str
    container: str
    labels: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Return namespace, kind and name."""
        return self.namespace, self.kind, self.name

    def container_with(self, **fields: Any) -> Patch:  # noqa: ANN401  JSON
        """Return the change of some fields of its container."""
        containers = [{"name": self.container, **fields}]
        return self.template({"spec": {"containers": containers}})

    def setting(self, name: str, value: str | None) -> Patch:
        """Return the change of one environment variable; None takes it away."""
        entry = {"name": name, "value": value} if value is not None else {"name": name, "$patch": "delete"}
        return self.container_with(env=[entry])

    def template(self, body: Json) -> Patch:
        """Return a change of its pods' template."""
        return Patch(self.kind, self.namespace, self.name, {"spec": {"template": body}})

    def scaled(self, replicas: int) -> Patch:
        """Return the change of its number of pods."""
        return Patch(self.kind, self.namespace, self.name, {"spec": {"replicas": replicas}})

    def renewed(self) -> Renew:
        """Return that its pods start anew."""
        return Renew(self.namespace, self.labels)


def _ours(owner: str, namespace: str, name: str, container: str = "", kind: str = "Deployment", **more: str) -> Target:
    labels = {"name": owner, **more}
    selector = ",".join(f"app.kubernetes.io/{key}={value}" for key, value in labels.items())
    return Target(owner, namespace, kind, name, container or name, selector)


KAFKA = _ours("kafka", "platform", "kafka", kind="StatefulSet")
OBJECTSTORE = _ours("objectstore", "data", "objectstore")
POSTGRES = _ours("postgres", "data", "postgres", kind="StatefulSet")
REDIS = _ours("redis", "data", "redis", kind="StatefulSet")
PRODUCER = _ours("ingest", "chain", "ingest-producer", "producer", component="producer")
CONSUMER = _ours("ingest", "chain", "ingest-consumer", "consumer", component="consumer")
BRONZE = _ours("lake", "chain", "lake-bronze", "bronze", component="bronze")
WATCH = _ours("lake", "chain", "lake-watch", "watch", component="watch")
FEATURE = _ours("feature", "chain", "feature", "server")
MLFLOW = _ours("mlflow", "data", "mlflow")
STABLE = _ours("serving", "chain", "serving-stable", "server", component="server")
FOLLOW = _ours("serving", "chain", "serving-follow", "follow", component="follow")
CONTROLLER = _ours("gateway", "platform", "envoy-gateway", "controller", component="controller")
PROXY = Target("gateway", "platform", "Deployment", "gateway", "envoy", "app.kubernetes.io/name=envoy")
PROMETHEUS = _ours("prometheus", "platform", "prometheus")
JAEGER = _ours("jaeger", "platform", "jaeger")
PAGE = _ours("page", "platform", "page")
DNS = Target("", "kube-system", "Deployment", "coredns", "coredns", "k8s-app=kube-dns")
PROVISIONER = Target("", "storage", "Deployment", "volume-provisioner", "volume-provisioner")

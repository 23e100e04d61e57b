"""The Kubernetes API: the one module that uses its client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import urllib3
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

from lab.errors import NotConverged
from lab.refusals import refused, silent
from lab.settings import Settings
from lab.text import Text

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON gives it."""

BROUGHT = {
    "gateway.networking.k8s.io/v1": ("Gateway", "HTTPRoute", "GRPCRoute", "ReferenceGrant"),
    "gateway.envoyproxy.io/v1alpha1": ("EnvoyProxy", "BackendTrafficPolicy", "ClientTrafficPolicy", "SecurityPolicy"),
}
"""Kinds inside a namespace that components bring along (`definitions` in stack.yaml), by group and version."""
ROUTING = ("HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTrafficPolicy", "ClientTrafficPolicy", "SecurityPolicy")
"""Those of them that say which requests go where and how: a lab may declare them, and its bundle holds them."""
_BROUGHT = {kind: version for version, kinds in BROUGHT.items() for kind in kinds}
MANAGER = "tarmac"
_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_NO_LOG = "unable to retrieve container logs for "
"""What the kubelet answers, with 200, for a container that it has thrown away."""
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_BRIEF = (("only_cpu_and_memory", "true"),)
_SUMMARY_SECONDS = 5
_AT_ONCE = 8
"""Requests under way at a time."""


class Api:
    """A connection to a cluster's API server.

    Args:
        settings: whose kubeconfig leads there, never the user's own.

    Raises:
        NotConverged: the API server does not answer.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = _connect(settings.kubeconfig)
        self._dynamic = _discover(self._client, settings)
        # What is not known yet makes the client forget all kinds and discover them anew: one question at a time.
        self._searching = threading.Lock()

    def judge(self, objects: Iterable[Object]) -> None:
        """Let the API server judge objects without applying them.

        Raises:
            Refused: it refuses one; names the object and its reason.

        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda desired: self._apply_one(desired, dry_run=True), objects))

    def apply(self, objects: Iterable[Object]) -> list[str]:
        """Apply objects server-side; return the names (`Kind/name`) of those that it made or changed.

        Raises:
            Refused: the API server refuses one; names the object and its reason.

        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            applied = list(pool.map(self._changed, objects))
        return [name for name, changed in applied if changed]

    def patch(self, kind: str, name: str, namespace: str | None, body: Object) -> None:
        """Change fields of an object; of Kubernetes' own kinds lists are merged by name.

        Raises:
            Refused: the API server refuses it; names the object and its reason.

        """
        form = "application/merge-patch+json" if kind in _BROUGHT else "application/strategic-merge-patch+json"
        try:
            self._resource(kind).patch(body=body, name=name, namespace=namespace, content_type=form)
        except DynamicApiError as error:
            raise refused(kind, name, error) from error

    def restore(self, wanted: Object) -> None:
        """Make an object again as it was, fields that were added since taken away; made anew where it is gone.

        Args:
            wanted: the object, without what the server keeps of it.

        Raises:
            Refused: the API server refuses it; names the object and its reason.

        """
        resource, name, namespace = (
            self._resource(wanted["kind"], wanted["apiVersion"]),
            _name(wanted),
            _namespace(wanted),
        )
        there = self.get(wanted["kind"], name, namespace)
        try:
            if there is None:
                resource.create(body=wanted, namespace=namespace)
                return
            version = {"resourceVersion": there["metadata"]["resourceVersion"]}
            body = {**wanted, "metadata": {**wanted["metadata"], **version}}
            resource.replace(body=body, name=name, namespace=namespace)
        except DynamicApiError as error:
            raise refused(wanted["kind"], _name(wanted), error) from error

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None where there is none (or no such kind)."""
        try:
            found = self._resource(kind).get(name=name, namespace=namespace)
        except (DynamicApiError, ResourceNotFoundError) as error:
            if isinstance(error, ResourceNotFoundError) or error.status == _NOT_FOUND:
                return None
            raise
        return dict(found.to_dict())

    def find(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[Object]:
        """Return the objects of a kind, in one namespace or all; none of a kind that this cluster does not know."""
        # A kind that is not there makes the client discover everything anew, each time: one small question is cheaper.
        if kind in _BROUGHT and kind not in self.kinds(_BROUGHT[kind]):
            return []
        told = self._listed(kind, lambda each: each.get(namespace=namespace, label_selector=labels).to_dict())
        version = told.get("apiVersion", "")
        return [{"apiVersion": version, "kind": kind, **item} for item in told["items"]]

    def inventory(self, kinds: Collection[str], namespaces: Collection[str]) -> list[Object]:
        """Return all objects of some kinds in some namespaces, of each no more than its kind and its metadata.

        A namespace of ten releases holds megabytes of content. A kind that this cluster does not know has no objects.
        """
        brought = {version: self.kinds(version) for version in {_BROUGHT[kind] for kind in kinds if kind in _BROUGHT}}
        known = [kind for kind in kinds if kind not in _BROUGHT or kind in brought[_BROUGHT[kind]]]
        places = [(kind, namespace) for namespace in namespaces for kind in known]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [each for found in pool.map(lambda place: self._metadata(*place), places) for each in found]

    def delete(
        self, objects: Iterable[Object], *, wait: float = 60, grace: int | None = None, orphan: bool = False
    ) -> None:
        """Delete objects side by side and return when all are gone.

        Args:
            objects: which.
            wait: seconds for all of them.
            grace: seconds that pods have to end by themselves; None: as they ask.
            orphan: whether what they made stays; else it goes, in as much time as it asks.

        Raises:
            NotConverged: something is still there after `wait` seconds; names it and what holds it.

        """
        targets = [(each["kind"], _name(each), _namespace(each)) for each in objects]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda target: self._delete_one(target, grace, orphan=orphan), targets))
        deadline = time.monotonic() + wait
        for target in targets:
            self._wait_gone(target, deadline)

    def scale(self, workload: Object, replicas: int) -> None:
        """Give a Deployment or StatefulSet so many replicas; one that is gone stays so."""
        name, namespace = _name(workload), _namespace(workload)
        if self.get(workload["kind"], name, namespace) is not None:
            self.patch(workload["kind"], name, namespace, {"spec": {"replicas": replicas}})

    def watch(
        self, kind: str, namespace: str, enough: Callable[[dict[str, Object]], bool], seconds: float
    ) -> dict[str, Object]:
        """Follow the objects of a kind until `enough` says so or the time is over; return them by name.

        The watch starts from a list, and starts again where the server forgot the place or was restarted.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._follow(kind, namespace, enough, deadline)
            except (ApiException, DynamicApiError, urllib3.exceptions.HTTPError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def events(self, namespace: str, name: str) -> list[str]:
        """Return what the cluster last said about an object, oldest first."""
        found = self._core.list_namespaced_event(namespace, field_selector=f"involvedObject.name={name}").items
        ordered = sorted(found, key=lambda e: str(e.last_timestamp or e.event_time or e.metadata.creation_timestamp))
        return [f"{event.reason}: {event.message}" for event in ordered]

    def log(  # noqa: PLR0913  as the API has it
        self, pod: str, namespace: str, container: str, *, previous: bool = False, lines: int = 8,
        seconds: int | None = None,
    ) -> str:  # fmt: skip
        """Return the last lines that a container printed; empty where it never ran, or is gone already.

        Args:
            pod: its name.
            namespace: its namespace.
            container: which of its containers.
            previous: the container's life before this one.
            lines: at most so many.
            seconds: only lines of the last so many; None: of any age.

        """
        recent = {} if seconds is None else {"since_seconds": seconds}
        try:
            told = str(
                self._core.read_namespaced_pod_log(
                    pod, namespace, container=container, previous=previous, tail_lines=lines, **recent
                )
            )
        except ApiException:
            return ""
        return "" if told.startswith(_NO_LOG) else told

    def kinds(self, version: str) -> set[str]:
        """Return the kinds that the server knows now of a group's version, `apps/v1`; none of an unknown one."""
        try:
            answer = self._dynamic.request("get", f"/apis/{version}")
        except DynamicApiError as error:
            if error.status == _NOT_FOUND:
                return set()
            raise
        return {str(each["kind"]) for each in answer.to_dict()["resources"]}

    def summary(self, node: str) -> Object | None:
        """Return a node's and its pods' CPU time and memory, measured by its kubelet; None where nobody tells it."""
        try:
            told = self._dynamic.request(
                "get", f"/api/v1/nodes/{node}/proxy/stats/summary", query_params=_BRIEF,
                serializer=lambda _, content: content, _request_timeout=_SUMMARY_SECONDS,
            )  # fmt: skip
        except (DynamicApiError, urllib3.exceptions.HTTPError):
            return None
        return told if isinstance(told, dict) else None

    def nodes(self) -> list[Object]:
        """Return the cluster's nodes; none where it does not tell."""
        try:
            return self.find("Node")
        except (DynamicApiError, urllib3.exceptions.HTTPError):
            return []

    def version(self) -> str:
        """Return the cluster's Kubernetes version."""
        return str(self._dynamic.version["kubernetes"]["gitVersion"])

    def skew(self) -> float:
        """Return by how many seconds the API server's clock is ahead of this machine's; it tells whole seconds."""
        before = time.time()
        answer = self._client.call_api("GET", f"{self._client.configuration.host}/version")
        answer.read()
        return parsedate_to_datetime(answer.getheader("Date")).timestamp() + 0.5 - (before + time.time()) / 2

    def _metadata(self, kind: str, namespace: str) -> list[Object]:
        def ask(resource: Resource) -> Object:
            told = self._dynamic.request(
                "get", resource.path(namespace=namespace), header_params={"Accept": _METADATA},
                serializer=lambda _, content: content,
            )  # fmt: skip
            return {"apiVersion": resource.group_version, "items": told["items"] or []}

        told = self._listed(kind, ask)
        version = told.get("apiVersion", "")
        return [{"apiVersion": version, "kind": kind, "metadata": each["metadata"]} for each in told["items"]]

    def _listed(self, kind: str, ask: Callable[[Resource], Object]) -> Object:
        """Return what the server lists of a kind; nothing of one that it does not know, or lets nobody see."""
        try:
            return ask(self._resource(kind))
        except ResourceNotFoundError:
            return {"items": []}
        except DynamicApiError as error:
            # Somebody else brought the kind: where nobody lets us see any, we made none.
            if error.status == _FORBIDDEN and kind in _BROUGHT:
                return {"items": []}
            raise

    @cached_property
    def _core(self) -> client.CoreV1Api:
        # Made when needed: importing its hundreds of models takes seconds, and only a failure asks for them.
        return client.CoreV1Api(self._client)

    def _changed(self, desired: Object) -> tuple[str, bool]:
        """Apply an object; return its name and whether that made or changed it."""
        before = self.get(desired["kind"], _name(desired), _namespace(desired))
        after = self._apply_one(desired)["metadata"]
        # Where an object counts its generations, only these tell; its version moves with its status too.
        mark = "generation" if "generation" in after else "resourceVersion"
        changed = before is None or before["metadata"].get(mark) != after[mark]
        return f"{desired['kind']}/{_name(desired)}", changed

    def _apply_one(self, desired: Object, *, dry_run: bool = False) -> Object:
        resource = self._resource(desired["kind"], desired["apiVersion"])
        options = {"dry_run": "All"} if dry_run else {}
        try:
            applied = resource.server_side_apply(
                body=desired, name=_name(desired), namespace=_namespace(desired), field_manager=MANAGER,
                force_conflicts=True, **options,
            )  # fmt: skip
        except DynamicApiError as error:
            raise refused(desired["kind"], _name(desired), error) from error
        return dict(applied.to_dict())

    def _delete_one(self, target: tuple[str, str, str | None], grace: int | None, *, orphan: bool) -> None:
        kind, name, namespace = target
        options: dict[str, Any] = {"propagationPolicy": "Orphan" if orphan else "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._resource(kind).delete(name=name, namespace=namespace, body=options)
        except DynamicApiError as error:
            if error.status not in (_NOT_FOUND, _CONFLICT):
                raise

    def _wait_gone(self, target: tuple[str, str, str | None], deadline: float) -> None:
        kind, name, namespace = target
        while (found := self.get(kind, name, namespace)) is not None:
            if time.monotonic() > deadline:
                holders = ", ".join(found["metadata"].get("finalizers") or ["its pods"])
                raise NotConverged(
                    Text(
                        en=f"{kind}/{name} is still being deleted (held by {holders})",
                        fr=f"{kind}/{name} est encore en suppression (retenu par {holders})",
                    ),
                    Text(
                        en="wait a moment and run again; `lab doctor` looks at the node",
                        fr="attendez un instant et relancez ; `lab doctor` examine le nœud",
                    ),
                )
            time.sleep(0.2)

    def _follow(
        self, kind: str, namespace: str, enough: Callable[[dict[str, Object]], bool], deadline: float
    ) -> dict[str, Object]:
        resource = self._resource(kind)
        answer = resource.get(namespace=namespace).to_dict()
        known = {item["metadata"]["name"]: item for item in answer["items"]}
        if enough(known):
            return known
        left = max(1, int(deadline - time.monotonic()))
        for event in self._changes(resource, namespace, answer["metadata"]["resourceVersion"], left):
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                known.pop(name, None)
            else:
                known[name] = event["object"]
            if enough(known) or time.monotonic() > deadline:
                return known
        if time.monotonic() > deadline:
            return known
        return self._follow(kind, namespace, enough, deadline)

    def _changes(self, resource: Resource, namespace: str, version: str, seconds: int) -> Iterator[dict[str, Any]]:
        watcher = watch.Watch()
        try:
            for event in resource.watch(
                namespace=namespace, resource_version=version, timeout=min(seconds, 5), watcher=watcher
            ):
                yield {"type": event["type"], "object": event["raw_object"]}
        finally:
            watcher.stop()

    def _resource(self, kind: str, version: str | None = None) -> Resource:
        wanted = {"kind": kind} | ({"api_version": version} if version else {})
        with self._searching:
            known = self._dynamic.resources.search(**wanted)
        found = [each for each in known if each.preferred or version or each.group_version == "v1"]
        if not found:
            raise ResourceNotFoundError(kind)
        # Some kinds live in two groups (Event); the core one is what we mean.
        return next((each for each in found if each.group_version == "v1"), found[0])


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


def _name(each: Object) -> str:
    return str(each["metadata"]["name"])


def _namespace(each: Object) -> str | None:
    namespace = each["metadata"].get("namespace")
    return str(namespace) if namespace else None


def _connect(kubeconfig: Path) -> client.ApiClient:
    try:
        connection = config.new_client_from_config(str(kubeconfig))
    except (config.ConfigException, OSError) as error:
        raise silent(str(error)) from error
    connection.configuration.retries = urllib3.Retry(3, backoff_factor=0.3)
    return connection


def _discover(connection: client.ApiClient, settings: Settings) -> dynamic.DynamicClient:
    try:
        return dynamic.DynamicClient(connection, cache_file=str(settings.folder / "discovery.json"))
    except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
        raise silent(str(error)) from error

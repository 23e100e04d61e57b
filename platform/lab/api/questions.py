"""What the API server is asked: objects, what it and its nodes tell; nothing here changes a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import urllib3
from kubernetes import watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

from lab.api.connection import Connection
from lab.api.kinds import ORIGIN, Object

AT_ONCE = 8
"""Requests under way at a time."""
NOT_FOUND = 404
_FORBIDDEN = 403
_NO_LOG = "unable to retrieve container logs for "
"""What the kubelet answers, with 200, for a container that it has thrown away."""
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_BRIEF = (("only_cpu_and_memory", "true"),)
_SUMMARY_SECONDS = 5


class Questions(Connection):
    """A connection that only asks."""

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None where there is none (or no such kind)."""
        try:
            found = self._resource(kind).get(name=name, namespace=namespace)
        except (DynamicApiError, ResourceNotFoundError) as error:
            if isinstance(error, ResourceNotFoundError) or error.status == NOT_FOUND:
                return None
            raise
        return dict(found.to_dict())

    def find(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[Object]:
        """Return the objects of a kind, in one namespace or all; none of a kind that this cluster does not know."""
        # A kind that is not there makes the client discover everything anew, each time: one small question is cheaper.
        if kind in ORIGIN and kind not in self.kinds(ORIGIN[kind]):
            return []
        told = self._listed(kind, lambda each: each.get(namespace=namespace, label_selector=labels).to_dict())
        version = told.get("apiVersion", "")
        return [{"apiVersion": version, "kind": kind, **item} for item in told["items"]]

    def inventory(self, kinds: Collection[str], namespaces: Collection[str]) -> list[Object]:
        """Return all objects of some kinds in some namespaces, of each no more than its kind and its metadata.

        A namespace of ten releases holds megabytes of content. A kind that this cluster does not know has no objects.
        Where it may be asked, one question for each kind tells of all namespaces.
        """
        brought = {version: self.kinds(version) for version in {ORIGIN[kind] for kind in kinds if kind in ORIGIN}}
        known = [kind for kind in kinds if kind not in ORIGIN or kind in brought[ORIGIN[kind]]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = [each for told in pool.map(lambda kind: self._within(kind, namespaces), known) for each in told]
        return sorted(found, key=lambda each: str(each["metadata"]["namespace"]))

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
            if error.status == NOT_FOUND:
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

    def _within(self, kind: str, namespaces: Collection[str]) -> list[Object]:
        """Return the metadata of a kind's objects in some namespaces."""
        try:
            lists = [self._metadata(self._resource(kind), None)]
        except ResourceNotFoundError:
            return []
        except DynamicApiError as error:
            if error.status != _FORBIDDEN:
                raise
            # Whoever has rights in these namespaces alone asks in each.
            lists = [self._listed(kind, partial(self._metadata, namespace=each)) for each in namespaces]
        return [
            {"apiVersion": told["apiVersion"], "kind": kind, "metadata": each["metadata"]}
            for told in lists
            for each in told["items"]
            if each["metadata"].get("namespace") in namespaces
        ]

    def _metadata(self, resource: Resource, namespace: str | None) -> Object:
        told = self._dynamic.request(
            "get", resource.path(namespace=namespace), header_params={"Accept": _METADATA},
            serializer=lambda _, content: content,
        )  # fmt: skip
        return {"apiVersion": resource.group_version, "items": told["items"] or []}

    def _listed(self, kind: str, ask: Callable[[Resource], Object]) -> Object:
        """Return what the server lists of a kind; nothing of one that it does not know, or lets nobody see."""
        try:
            return ask(self._resource(kind))
        except ResourceNotFoundError:
            return {"items": []}
        except DynamicApiError as error:
            # Somebody else brought the kind: where nobody lets us see any, we made none.
            if error.status == _FORBIDDEN and kind in ORIGIN:
                return {"items": []}
            raise

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

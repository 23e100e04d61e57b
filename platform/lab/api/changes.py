"""What the API server is told to change."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kubernetes.dynamic.exceptions import ConflictError, DynamicApiError

from lab.api.kinds import ORIGIN, Object, name_of, namespace_of
from lab.api.questions import AT_ONCE, NOT_FOUND, Questions
from lab.errors import NotConverged
from lab.refusals import refused
from lab.text import Text

MANAGER = "tarmac"
_CONFLICT = 409
_TRIES = 5
"""That an object is read again when somebody else wrote it in between."""


class Api(Questions):
    """A connection to a cluster's API server."""

    def judge(self, objects: Iterable[Object]) -> None:
        """Let the API server judge objects without applying them.

        Raises:
            Refused: it refuses one; names the object and its reason.

        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda desired: self._apply_one(desired, dry_run=True), objects))

    def apply(self, objects: Iterable[Object]) -> list[str]:
        """Apply objects server-side; return the names (`Kind/name`) of those that it made or changed.

        Raises:
            Refused: the API server refuses one; names the object and its reason.

        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            applied = list(pool.map(self._changed, objects))
        return [name for name, changed in applied if changed]

    def patch(self, kind: str, name: str, namespace: str | None, body: Object) -> None:
        """Change fields of an object; of Kubernetes' own kinds lists are merged by name.

        Raises:
            Refused: the API server refuses it; names the object and its reason.

        """
        form = "application/merge-patch+json" if kind in ORIGIN else "application/strategic-merge-patch+json"
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
            name_of(wanted),
            namespace_of(wanted),
        )
        for last in (False,) * _TRIES + (True,):
            there = self.get(wanted["kind"], name, namespace)
            try:
                if there is None:
                    resource.create(body=wanted, namespace=namespace)
                else:
                    version = {"resourceVersion": there["metadata"]["resourceVersion"]}
                    body = {**wanted, "metadata": {**wanted["metadata"], **version}}
                    resource.replace(body=body, name=name, namespace=namespace)
            except ConflictError as error:  # a controller wrote its status in between: what it wrote is read first
                if last:
                    raise refused(wanted["kind"], name_of(wanted), error) from error
            except DynamicApiError as error:
                raise refused(wanted["kind"], name_of(wanted), error) from error
            else:
                return

    def delete(
        self, objects: Iterable[Object], *, wait: float = 60, grace: int | None = None, orphan: bool = False
    ) -> None:
        """Delete objects side by side and return when all are gone.

        Args:
            objects: which.
            wait: seconds for all of them; 0: nobody waits for their end.
            grace: seconds that pods have to end by themselves; None: as they ask.
            orphan: whether what they made stays; else it goes, in as much time as it asks.

        Raises:
            NotConverged: something is still there after `wait` seconds; names it and what holds it.

        """
        targets = [(each["kind"], name_of(each), namespace_of(each)) for each in objects]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda target: self._delete_one(target, grace, orphan=orphan), targets))
        deadline = time.monotonic() + wait
        for target in targets if wait else ():
            self._wait_gone(target, deadline)

    def scale(self, workload: Object, replicas: int) -> None:
        """Give a Deployment or StatefulSet so many replicas; one that is gone stays so."""
        name, namespace = name_of(workload), namespace_of(workload)
        if self.get(workload["kind"], name, namespace) is not None:
            self.patch(workload["kind"], name, namespace, {"spec": {"replicas": replicas}})

    def _changed(self, desired: Object) -> tuple[str, bool]:
        """Apply an object; return its name and whether that made or changed it."""
        before = self.get(desired["kind"], name_of(desired), namespace_of(desired))
        after = self._apply_one(desired)["metadata"]
        # Where an object counts its generations, only these tell; its version moves with its status too.
        mark = "generation" if "generation" in after else "resourceVersion"
        changed = before is None or before["metadata"].get(mark) != after[mark]
        return f"{desired['kind']}/{name_of(desired)}", changed

    def _apply_one(self, desired: Object, *, dry_run: bool = False) -> Object:
        resource = self._resource(desired["kind"], desired["apiVersion"])
        options = {"dry_run": "All"} if dry_run else {}
        try:
            applied = resource.server_side_apply(
                body=desired, name=name_of(desired), namespace=namespace_of(desired), field_manager=MANAGER,
                force_conflicts=True, **options,
            )  # fmt: skip
        except DynamicApiError as error:
            raise refused(desired["kind"], name_of(desired), error) from error
        return dict(applied.to_dict())

    def _delete_one(self, target: tuple[str, str, str | None], grace: int | None, *, orphan: bool) -> None:
        kind, name, namespace = target
        options: dict[str, Any] = {"propagationPolicy": "Orphan" if orphan else "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._resource(kind).delete(name=name, namespace=namespace, body=options)
        except DynamicApiError as error:
            if error.status not in (NOT_FOUND, _CONFLICT):
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

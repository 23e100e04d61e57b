"""One component of the platform as a Helm release: installed, kept as declared, waited for."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from lab import reading
from lab.api import Api, Object
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.settings import Settings
from lab.spec import Component
from lab.stack import definitions, drift
from lab.stack.values import refused
from lab.text import Text

_RECORD = "tarmac.dev/release"
_HELMS = "meta.helm.sh"
"""Of the annotations by which Helm knows what is its own."""
_WORKLOADS = ("Deployment", "StatefulSet")
_OF_PODS = (*_WORKLOADS, "CronJob")
_OF_NO_NAMESPACE = ("Namespace", "GatewayClass")
"""Kinds that stand in no namespace, besides those whose name begins with `Cluster`."""
_ONCE = "tarmac.dev/made-once"
"""Annotation of an object that somebody else works on once it is there: it is made where it is missing, and no more."""
_BUSY = ("etcdserver: request timed out", "etcdserver: leader changed", "etcdserver: too many requests")
"""What the API server says where its store had no time: a disk or a machine that others keep busy for a moment."""
_PAUSE = 3.0
"""Seconds before it is asked again."""
_UNREAD = ("--disable-openapi-validation",)
"""Helm need not read megabytes of schema for each release, half of its work: what an API server does not take of an
object is applied afterwards, and then refused by its field."""


@dataclass(frozen=True)
class Release:
    """A component and the values it is to run with.

    Attributes:
        name: the component's name, its chart's and its release's.
        component: its declaration.
        helm: the Helm program.
        values: the chart's values.
        settings: where the chart and the kubeconfig are.

    """

    name: str
    component: Component
    helm: Path
    values: dict[str, Any]
    settings: Settings

    @property
    def chart(self) -> Path:
        """Return the chart's folder."""
        return self.settings.root / "platform" / "helm" / self.name

    @cached_property
    def manifests(self) -> list[Object]:
        """Return the objects that the chart makes of the values.

        Raises:
            BadInput: a value does not fit the chart's schema; names chart, value and remedy.
            CommandFailed: the chart itself does not hold.

        """
        try:
            text = self._helm("template", self.name, self.chart, *self._layers())
        except CommandFailed as error:
            raise refused(self.name, error) or error from error
        return reading.documents(text)

    @cached_property
    def digest(self) -> str:
        """Return the hash of all that the release is made of."""
        content = hashlib.sha256(json.dumps(self.manifests, sort_keys=True).encode())
        if self.component.definitions:
            content.update(self.component.definitions.model_dump_json().encode())
        return content.hexdigest()[:16]

    def workloads(self) -> list[Object]:
        """Return the Deployments and StatefulSets among the manifests, and those that a controller among them makes."""
        made = [{"kind": "Deployment", "metadata": {"name": each}} for each in self.component.makes]
        return [each for each in self.manifests if each["kind"] in _WORKLOADS] + made

    def stands(self, api: Api) -> bool:
        """Say whether the release is installed just so and nobody took, changed or added anything of it."""
        noted = self._noted(api)
        if noted is None:
            return False
        wanted = self.component.definitions
        if wanted and not definitions.served(api, wanted):
            return False
        return all(self._holds(self._live(api, each), each, noted) for each in self.manifests)

    def install(self, api: Api, say: Say) -> None:
        """Install or upgrade the release; what was lost or changed by hand comes back.

        Raises:
            CommandFailed: Helm failed.

        """
        say(Text(en="installing", fr="installation"))
        noted = self._noted(api)
        api.delete([_record(self, {})])  # whoever cuts this off leaves a release that does not stand
        recovered = self._recover(api)
        wanted = self.component.definitions
        if wanted and not (noted is not None and definitions.served(api, wanted)):
            definitions.ensure(api, wanted, self.helm, self.settings, say)
        # An upgrade only sends what differs from Helm's last release: nothing, where that is this one. What was taken
        # away or changed by hand since (Helm 3 has no --force-conflicts) a server-side apply puts right.
        if recovered or noted is None:
            self._upgrade(api, say)
        for each in self.manifests:
            live = self._live(api, each)
            # Without a note of what it was, whatever was written twice may have been written by somebody else.
            doubtful = noted is None and drift.changed_since_made(live) and each["kind"] in _OF_PODS
            if doubtful or not self._holds(live, each, noted or {}):
                self._put_right(api, each, live)

    def settled(self, api: Api) -> None:
        """Note that the release stands and its jobs are done: until then the next run begins anew."""
        api.apply([_record(self, {_key(each): drift.digest(self._live(api, each)) for each in self._made_of_pods})])

    def _upgrade(self, api: Api, say: Say) -> None:
        """Have Helm install or upgrade it, again where the API server's store was too busy to answer in its time."""
        for last in (False, False, True):
            try:
                self._helm("upgrade", "--install", self.name, self.chart, *self._layers(), *_UNREAD)
            except CommandFailed as error:
                if last or not any(each in error.output for each in _BUSY):
                    raise
                say(Text(en="the cluster's store is busy: again", fr="la base du cluster est occupée : on recommence"))
                time.sleep(_PAUSE)
                self._recover(api)
            else:
                return

    def _noted(self, api: Api) -> dict[str, str] | None:
        """Return the hashes that its workloads had when just this release was settled, None where it was not."""
        record = api.get("ConfigMap", _record_name(self.name), self.component.namespace)
        if record is None or record["data"].get("digest") != self.digest:
            return None
        hashes: dict[str, str] = json.loads(record["data"].get("workloads", "{}"))
        return hashes

    @property
    def _made_of_pods(self) -> list[Object]:
        return [each for each in self.manifests if each["kind"] in _OF_PODS]

    def _put_right(self, api: Api, each: Object, live: Object | None) -> None:
        """Make an object as it is declared; of what makes pods, what somebody added goes as well.

        A node selector or a privilege that was added by hand belongs to whoever did: applied alone, our fields would
        leave it in place, or be refused beside it.
        """
        if live is not None and each["kind"] in _OF_PODS:
            api.restore(self._owned(each))
        else:
            api.apply([self._owned(each)])

    def _owned(self, each: Object) -> Object:
        """Return an object as Helm would make it, as part of the release."""
        placed = _placed(each, self.component.namespace)
        meta = placed["metadata"]
        marks = {f"{_HELMS}/release-name": self.name, f"{_HELMS}/release-namespace": self.component.namespace}
        return {
            **placed,
            "metadata": {
                **meta,
                "labels": {**(meta.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"},
                "annotations": {**(meta.get("annotations") or {}), **marks},
            },
        }

    def _recover(self, api: Api) -> bool:
        """Forget a release that an interrupted command left half made: Helm refuses to touch one in progress.

        Its state is read from the labels of Helm's own records: asking Helm takes a start of it for each release.

        Returns:
            Whether there was one.

        """
        records = api.find("Secret", self.component.namespace, f"owner=helm,name={self.name}")
        labels = [each["metadata"]["labels"] for each in records]
        last = max(labels, key=lambda each: int(each["version"]), default={"status": "", "version": ""})
        if last["status"] == "uninstalling" or (last["status"] == "pending-install" and last["version"] == "1"):
            self._helm("uninstall", self.name)
        elif last["status"].startswith("pending"):
            self._helm("rollback", self.name)
        else:
            return False
        return True

    @staticmethod
    def _holds(live: Object | None, each: Object, noted: Mapping[str, str]) -> bool:
        """Say whether an object is as it is declared, and has nothing more than when the release was settled."""
        if _made_once(each):
            return live is not None
        return drift.holds(each, live) and noted.get(_key(each)) in (None, drift.digest(live))

    def _layers(self) -> list[str | Path]:
        """Return Helm's words for the values over the chart's own: the profile's, where there are some, then ours."""
        profile = self.chart / f"values-{self.settings.profile}.yaml"
        own: list[str | Path] = ["--values", "-"]
        return ["--values", profile, *own] if profile.exists() else own

    def _live(self, api: Api, each: Object) -> Object | None:
        placed = _placed(each, self.component.namespace)
        return api.get(placed["kind"], placed["metadata"]["name"], placed["metadata"].get("namespace"))

    def _helm(self, *words: str | Path) -> str:
        return run(
            [self.helm, *words, "--namespace", self.component.namespace, "--kubeconfig", self.settings.kubeconfig],
            what=Text(en=f"helm {words[0]} {self.name}", fr=f"helm {words[0]} {self.name}"),
            input=yaml.safe_dump(self.values) if "--values" in words else None,
            timeout=120,
        )


def _made_once(each: Object) -> bool:
    return (each["metadata"].get("annotations") or {}).get(_ONCE) == "true"


def _placed(each: Object, namespace: str) -> Object:
    if each["kind"].startswith("Cluster") or each["kind"] in _OF_NO_NAMESPACE:
        return each
    return {**each, "metadata": {"namespace": namespace, **each["metadata"]}}


def _record_name(name: str) -> str:
    return f"release-{name}"


def _key(each: Object) -> str:
    return f"{each['kind']}/{each['metadata']['name']}"


def _record(release: Release, hashes: Mapping[str, str]) -> Object:
    labels = {"app.kubernetes.io/part-of": "tarmac", _RECORD: release.name}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _record_name(release.name), "namespace": release.component.namespace, "labels": labels,
        },
        "data": {"digest": release.digest, "workloads": json.dumps(hashes, sort_keys=True)},
    }  # fmt: skip

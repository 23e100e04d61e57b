"""Namespaces that stand: one that somebody deleted takes nothing new until it is gone."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lab import process
from lab.api import Api, Object
from lab.errors import NotConverged
from lab.text import Text

_RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
    "app.kubernetes.io/part-of": "tarmac",
}
_GONE_SECONDS = 90
_STEP = 0.5


def ensure(api: Api, names: Iterable[str]) -> None:
    """Have namespaces stand, with the Pod Security Standard *restricted*.

    Raises:
        NotConverged: one is being deleted and does not go; names it and what holds it.

    """
    names = sorted(names)
    deadline = time.monotonic() + _GONE_SECONDS
    for name in names:
        while held := _leaving(api, name):
            if time.monotonic() > deadline:
                raise _stays(name, held)
            process.go_on(Text(en=f"waiting for namespace {name}", fr=f"attente de l'espace de noms {name}"))
            time.sleep(_STEP)
    api.apply(_namespace(name) for name in names)


def _leaving(api: Api, name: str) -> str:
    """Return what holds a namespace that is being deleted; empty where it is not."""
    found = api.get("Namespace", name)
    if found is None or not found["metadata"].get("deletionTimestamp"):
        return ""
    told = [
        each.get("message", "") for each in found.get("status", {}).get("conditions") or [] if each["status"] == "True"
    ]
    return "; ".join(filter(None, told)) or "its objects"


def _stays(name: str, held: str) -> NotConverged:
    return NotConverged(
        Text(
            en=f"Namespace/{name} is being deleted and does not go: {held}",
            fr=f"Namespace/{name} est en suppression et ne part pas : {held}",
        ),
        Text(
            en=f"`lab kubectl get all -n {name}` shows what stays; take away its finalizers, then run again",
            fr=f"`lab kubectl get all -n {name}` montre ce qui reste ; retirez ses finalizers, puis relancez",
        ),
    )


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}}
